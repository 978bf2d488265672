"""CARROT, kNN: plug in the neighbours' mean quality and mean cost, and trade them.

The number of neighbours of each is the power of two, up to 512, of the least leave-one-out squared error; whether all arms or
those of the training frontier are offered is chosen by inner folds.

Source: 2502.03261: argmin mu * cost - (1 - mu) * quality; neighbours by cosine, counts as released.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.policies.baselines.contract import Lesson, Router, RouterRecipe
from onedial.policies.baselines.embedding import embedded
from onedial.policies.baselines.neighbours import means, nearest, unit
from onedial.policies.baselines.rungs import Chooser, all_arms, few_arms, net_best, usd_worths
from onedial.policies.baselines.tuning import tuned

COUNTS = (2, 4, 8, 16, 32, 64, 128, 256, 512)


@dataclass(frozen=True, slots=True)
class Carrot:
    """Training rows and how many of them count.

    Attributes:
        train: (n_train, d) unit rows.
        quality: (n_train, k).
        cost: (n_train, k) in USD.
        counts: Neighbours for quality and for cost.
        arms: (k,) columns, cheapest first.
        worth: (n_worths,) USD per unit of quality.
    """

    train: Floats
    quality: Floats
    cost: Floats
    counts: tuple[int, int]
    arms: Ints
    worth: Floats

    def choose(self, queries: Sequence[Query], features: Floats) -> Ints:
        """(n_worths, n_queries) columns."""
        index = nearest(unit(features), self.train, max(self.counts))
        quality, cost = (means(index[:, :k], v) for k, v in zip(self.counts, (self.quality, self.cost), strict=True))
        return self.arms[net_best(quality, cost, self.worth)]


def best_neighbours(index: Ints, values: Floats) -> int:
    """How many neighbours predict (n, m) values with the least squared error; `index` leaves each row itself out."""
    able = [k for k in COUNTS if k <= index.shape[1]] or [1]
    scale = np.maximum(values.std(axis=0), 1e-15)
    errors = [float((((means(index[:, :k], values) - values) / scale) ** 2).sum()) for k in able]
    return able[int(np.argmin(errors))]


def fit_carrot(lesson: Lesson, offered: Callable[[Lesson], Ints]) -> Chooser:
    """Keep the training rows; choose the numbers of neighbours."""
    arms, train = offered(lesson), unit(lesson.features)
    quality, cost = lesson.grid.quality[:, arms], lesson.grid.cost_usd[:, arms]
    index = nearest(train, train, COUNTS[-1], without_self=True)
    counts = (best_neighbours(index, quality), best_neighbours(index, cost))
    return Carrot(train, quality, cost, counts, arms, usd_worths(lesson)).choose


def fit_carrot_knn(lesson: Lesson) -> Router:
    """Choose the arms offered, and fit."""
    return tuned(lesson, [partial(fit_carrot, offered=few_arms), partial(fit_carrot, offered=all_arms)])


CARROT_KNN = RouterRecipe("carrot-knn", "CARROT 2502.03261, kNN", embedded(fit_carrot_knn))
