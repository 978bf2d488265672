"""RADAR: item response theory with discrimination and difficulty linear in the text, and an ability per configuration.

A configuration is any arm of the training frontier, at most sixteen. Its cost is its mean training cost, min-max
normalised. Two recipes: linear and Chebyshev scalarisation.

Source: 2509.25426: p = sigmoid(a(x) (theta_g - b(x))); argmax w p - (1 - w) c; argmin max(w |1 - p|, (1 - w) c).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.policies.baselines.contract import Lesson, Router, RouterRecipe
from onedial.policies.baselines.descent import best_strength, cross_entropy, minimised
from onedial.policies.baselines.embedding import embedded
from onedial.policies.baselines.rungs import few_arms, odds, sorted_ladder, unit_scaled

STRENGTHS = (100.0, 10.0, 1.0)
ABILITY_SPREAD = 0.1
"""Precision of the prior that holds abilities and constants to zero."""


@dataclass(frozen=True, slots=True)
class TwoParameter:
    """a(x) = x . discrimination + discrimination_0 and b(x) likewise.

    Attributes:
        discrimination: (d + 1,), the constant last.
        difficulty: (d + 1,), the constant last.
        ability: (k,) theta.
    """

    discrimination: Floats
    difficulty: Floats
    ability: Floats

    def __call__(self, x: Floats) -> Floats:
        """(n, k) chance of being right."""
        a, b = (x @ w[:-1] + w[-1] for w in (self.discrimination, self.difficulty))
        return np.asarray(expit(a[:, None] * (self.ability - b[:, None])))


def fit_2pl(x: Floats, y: Floats, strength: float) -> TwoParameter:
    """Fit to (n, k) qualities in [0, 1] by penalised cross-entropy; starts at a = 1, b = 0 and the arms' own logits."""
    d = x.shape[1]
    start = np.concatenate((np.zeros(d), [1.0], np.zeros(d + 1), logit(np.clip(y.mean(axis=0), 0.02, 0.98))))

    flat = minimised(lambda at: loss_2pl(at, x, y, strength), start)
    return TwoParameter(flat[: d + 1], flat[d + 1 : 2 * d + 2], flat[2 * d + 2 :])


def loss_2pl(flat: Floats, x: Floats, y: Floats, strength: float) -> tuple[float, Floats]:
    """Cross-entropy summed over queries and averaged over arms, plus penalties, and its gradient."""
    d, k = x.shape[1], y.shape[1]
    one = np.column_stack((x, np.ones(len(x))))
    a, b, theta = one @ flat[: d + 1], one @ flat[d + 1 : 2 * d + 2], flat[2 * d + 2 :]
    gap = theta - b[:, None]
    z = a[:, None] * gap
    pull = np.full(flat.size, strength)
    pull[[d, 2 * d + 1]], pull[2 * d + 2 :] = ABILITY_SPREAD, ABILITY_SPREAD
    value = (np.logaddexp(0.0, z) - y * z).sum() / k
    away = (expit(z) - y) / k
    slope = (one.T @ (away * gap).sum(axis=1), -(one.T @ (a * away.sum(axis=1))), (away * a[:, None]).sum(axis=0))
    return float(value + 0.5 * (pull * flat**2).sum()), np.concatenate(slope) + pull * flat


def linear(p: Floats, cost: Floats, weight: float) -> Ints:
    """(n,) argmax of weight * p - (1 - weight) * cost, for (n, k) chances and (k,) costs in [0, 1]."""
    return np.asarray(np.argmax(weight * p - (1.0 - weight) * cost, axis=1), dtype=np.int64)


def chebyshev(p: Floats, cost: Floats, weight: float) -> Ints:
    """(n,) argmin of max(weight * |1 - p|, (1 - weight) * cost), for (n, k) chances and (k,) costs in [0, 1]."""
    return np.asarray(np.argmin(np.maximum(weight * np.abs(1.0 - p), (1.0 - weight) * cost), axis=1), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Radar:
    """A fitted model, its arms, their normalised costs and a scalarisation."""

    model: TwoParameter
    arms: Ints
    cost: Floats
    scalarise: Callable[[Floats, Floats, float], Ints]

    def choose(self, queries: Sequence[Query], features: Floats) -> Ints:
        """(n_weights, n_queries) columns."""
        p = self.model(features)
        return np.stack([self.arms[self.scalarise(p, self.cost, w)] for w in odds()])


def radar(scalarise: Callable[[Floats, Floats, float], Ints]) -> Callable[[Lesson], Router]:
    """A fitting function with one of the two scalarisations."""

    def fit(lesson: Lesson) -> Router:
        arms, x = few_arms(lesson), lesson.features
        y = lesson.grid.quality[:, arms]

        def held_loss(strength: float, rows: Ints, held: Ints) -> float:
            return cross_entropy(fit_2pl(x[rows], y[rows], strength)(x[held]), y[held])

        model = fit_2pl(x, y, best_strength(len(x), lesson.seed, STRENGTHS, held_loss))
        cost = unit_scaled(lesson.grid.cost_usd[:, arms].mean(axis=0))
        return sorted_ladder(lesson, Radar(model, arms, cost, scalarise).choose)

    return embedded(fit)


RADAR_LINEAR = RouterRecipe("radar-linear", "RADAR 2509.25426, linear scalarisation", radar(linear))
RADAR_CHEBYSHEV = RouterRecipe("radar-chebyshev", "RADAR 2509.25426, Chebyshev scalarisation", radar(chebyshev))
