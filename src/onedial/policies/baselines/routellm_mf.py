"""RouteLLM, matrix factorisation: a score per model and query, bilinear in a model vector and projected text.

It is trained on battles between all arms of the training frontier, up to a dozen, as the original is on battles of many
models; ties are left out, as in its released training code. It then chooses between two arms.

Source: 2406.18665, section 4.2: delta(M, q) = w . (v_M * (W e(q) + b)), P(strong wins) = sigmoid(delta_s - delta_w). Here w is
absorbed into v.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import expit

from onedial.core.outcome import Floats, Ints
from onedial.policies.baselines.contract import Lesson, Router, RouterRecipe
from onedial.policies.baselines.descent import best_strength, minimised
from onedial.policies.baselines.embedding import embedded
from onedial.policies.baselines.pair import Threshold, cuts_at, pair_of
from onedial.policies.baselines.rungs import few_arms

ARMS = 12
RANK = 32
STRENGTHS = (30.0, 3.0, 0.3)


@dataclass(frozen=True, slots=True)
class Factors:
    """Fitted factors.

    Attributes:
        vectors: (k, rank) one per arm.
        projection: (d, rank).
        offset: (rank,).
    """

    vectors: Floats
    projection: Floats
    offset: Floats

    def scores(self, x: Floats) -> Floats:
        """(n, k) delta of every arm."""
        return np.asarray((x @ self.projection + self.offset) @ self.vectors.T)


def battles(quality: Floats) -> tuple[Ints, Floats]:
    """All pairs of arms, (b, 2), and (n, b) results for the first: 1 won, 0 lost, NaN a tie.

    >>> battles(np.array([[1.0, 0.0, 1.0]]))[1].tolist()
    [[1.0, nan, 0.0]]
    """
    pairs = np.array(list(combinations(range(quality.shape[1]), 2)), dtype=np.int64).reshape(-1, 2)
    gap = np.round(quality[:, pairs[:, 0]] - quality[:, pairs[:, 1]], 9)
    return pairs, np.where(gap == 0, np.nan, (gap > 0).astype(float))


def factor_loss(flat: Floats, x: Floats, pairs: Ints, won: Floats, strength: float, k: int) -> tuple[float, Floats]:
    """Cross-entropy of battles that were not ties plus half strength times the squared parameters, and its gradient."""
    model = _unpacked(flat, x.shape[1], k)
    hidden = x @ model.projection + model.offset
    scores = hidden @ model.vectors.T
    z = scores[:, pairs[:, 0]] - scores[:, pairs[:, 1]]
    known = np.isfinite(won)
    value = np.where(known, np.logaddexp(0.0, z) - np.where(known, won, 0.0) * z, 0.0).sum() / max(len(pairs), 1)
    away = np.where(known, expit(z) - np.where(known, won, 0.0), 0.0) / max(len(pairs), 1)
    signs = np.zeros((len(pairs), k))
    signs[np.arange(len(pairs)), pairs[:, 0]], signs[np.arange(len(pairs)), pairs[:, 1]] = 1.0, -1.0
    by_arm = away @ signs
    by_hidden = by_arm @ model.vectors
    slope = np.concatenate([(by_arm.T @ hidden).ravel(), (x.T @ by_hidden).ravel(), by_hidden.sum(axis=0)])
    return float(value + 0.5 * strength * (flat**2).sum()), slope + strength * flat


def _unpacked(flat: Floats, d: int, k: int) -> Factors:
    rank = flat.size // (k + d + 1)
    vectors, projection, offset = np.split(flat, [k * rank, (k + d) * rank])
    return Factors(vectors.reshape(k, rank), projection.reshape(d, rank), offset)


def fit_factors(x: Floats, pairs: Ints, won: Floats, k: int, strength: float, seed: int) -> Factors:
    """Fit from small random factors."""
    start = 0.1 * np.random.default_rng([seed, k]).standard_normal(RANK * (k + x.shape[1] + 1))
    return _unpacked(minimised(lambda flat: factor_loss(flat, x, pairs, won, strength, k), start), x.shape[1], k)


def fit_mf(lesson: Lesson) -> Router:
    """Fit the factors, the penalty by a held-out quarter; cut at quantiles of out-of-sample chances."""
    pair, x = pair_of(lesson.grid), lesson.features
    arms = np.unique(np.concatenate((few_arms(lesson, ARMS), [pair.weak, pair.strong])))
    pairs, won = battles(lesson.grid.quality[:, arms])
    at = [int(np.flatnonzero(arms == j)[0]) for j in (pair.strong, pair.weak)]

    def fit(strength: float, rows: Ints) -> Factors:
        return fit_factors(x[rows], pairs, won[rows], len(arms), strength, lesson.seed)

    def held_loss(strength: float, rows: Ints, held: Ints) -> float:
        return _held(fit(strength, rows), x[held], pairs, won[held])

    everyone = np.arange(len(x))
    strength = best_strength(len(x), lesson.seed, STRENGTHS, held_loss) if len(pairs) else STRENGTHS[0]
    half = everyone % 2 == 0
    model = fit(strength, everyone)

    def chance(factors: Factors, rows: Floats) -> Floats:
        scores = factors.scores(rows)
        return np.asarray(expit(scores[:, at[0]] - scores[:, at[1]]))

    out = np.empty(len(x))
    for part in (half, ~half):
        out[part] = chance(fit(strength, everyone[~part]), x[part])
    return Threshold(lambda rows: chance(model, rows), cuts_at(out), pair)


def _held(model: Factors, x: Floats, pairs: Ints, won: Floats) -> float:
    scores, known = model.scores(x), np.isfinite(won)
    z = scores[:, pairs[:, 0]] - scores[:, pairs[:, 1]]
    return float(np.where(known, np.logaddexp(0.0, z) - np.where(known, won, 0.0) * z, 0.0).sum())


ROUTELLM_MF = RouterRecipe("routellm-mf", "RouteLLM 2406.18665, matrix factorisation", embedded(fit_mf))
