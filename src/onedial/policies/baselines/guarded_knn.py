"""Guarded kNN: leave the best fixed arm only where neighbours say so by more than z standard errors.

Neighbours are the training queries at least 0.95 times as similar as the fiftieth; they weigh by similarity. The guard is on
paired differences, z = 0.5, twice that where the pick is the dearer arm. What is compared is quality net of cost at each rung's worth, so
that there is a fallback and a guard for every worth. Arms are those of the training frontier, or all, by inner folds.

Source: github.com/experientiallabs/experiential, pull requests 256 and 259.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.policies.baselines.contract import Lesson, Router, RouterRecipe
from onedial.policies.baselines.embedding import embedded
from onedial.policies.baselines.neighbours import cosines, unit
from onedial.policies.baselines.rungs import Chooser, all_arms, few_arms, usd_worths
from onedial.policies.baselines.tuning import tuned

BAR = 0.95
RANK = 50
Z = 0.5


class Near(NamedTuple):
    """Neighbours of n queries laid end to end: whose, which training row, and its weight; weights of one query sum to 1."""

    query: Ints
    row: Ints
    weight: Floats

    def mean(self, values: Floats, n: int) -> Floats:
        """(n,) weighted sum of one value per neighbour."""
        return np.asarray(np.bincount(self.query, self.weight * values, minlength=n))


def near(similarity: Floats) -> Near:
    """Find neighbours in (n, n_train) similarities."""
    at = min(RANK, similarity.shape[1]) - 1
    fiftieth = -np.partition(-similarity, at, axis=1)[:, [at]]
    query, row = np.nonzero(similarity >= np.where(fiftieth > 0, BAR, 1.0 / BAR) * fiftieth)
    weight = np.maximum(similarity[query, row], 1e-9)
    return Near(query, row, weight / np.bincount(query, weight)[query])


def guarded(found: Near, n: int, net: Floats, cost: Floats, fallback: int) -> Ints:
    """(n,) the arm that neighbours favour where the evidence clears the guard, the fallback elsewhere.

    Args:
        found: Neighbours.
        n: Queries.
        net: (n_train, k) quality net of cost.
        cost: (k,) mean cost, to tell which arm is dearer.
        fallback: An arm.
    """
    share = csr_array((found.weight, (found.query, found.row)), shape=(n, len(net)))
    pick = np.asarray(share @ net).argmax(axis=1)
    gain = net[found.row, pick[found.query]] - net[found.row, fallback]
    mean = found.mean(gain, n)
    spread = found.mean(found.weight * (gain - mean[found.query]) ** 2, n)
    bar = np.where(cost[pick] > cost[fallback], 2.0 * Z, Z)
    return np.where(mean > bar * np.sqrt(spread), pick, fallback).astype(np.int64)


@dataclass(frozen=True, slots=True)
class GuardedKnn:
    """Training rows, (n_train, d) and (n_train, k), the arms' columns and the worths."""

    train: Floats
    quality: Floats
    cost: Floats
    arms: Ints
    worth: Floats

    def choose(self, queries: Sequence[Query], features: Floats) -> Ints:
        """(n_worths, n_queries) columns."""
        picks = np.zeros((len(self.worth), len(features)), dtype=np.int64)
        for rows, similarity in cosines(unit(features), self.train):
            found, n = near(similarity), len(similarity)
            for r, worth in enumerate(self.worth):
                net = self.quality - self.cost / worth
                picks[r, rows] = guarded(found, n, net, self.cost.mean(axis=0), int(net.mean(axis=0).argmax()))
        return self.arms[picks]


def fit_guarded(lesson: Lesson, offered: Callable[[Lesson], Ints]) -> Chooser:
    """Keep the training rows."""
    arms = offered(lesson)
    quality, cost = lesson.grid.quality[:, arms], lesson.grid.cost_usd[:, arms]
    return GuardedKnn(unit(lesson.features), quality, cost, arms, usd_worths(lesson)).choose


def fit_guarded_knn(lesson: Lesson) -> Router:
    """Choose the arms offered, and fit."""
    return tuned(lesson, [partial(fit_guarded, offered=few_arms), partial(fit_guarded, offered=all_arms)])


GUARDED_KNN = RouterRecipe("guarded-knn", "experientiallabs/experiential, guarded kNN", embedded(fit_guarded_knn))
