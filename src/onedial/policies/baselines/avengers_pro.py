"""Avengers-Pro: in each k-means cluster accuracy and cost, min-max normalised; their weighted sum over the nearest clusters.

The paper has 60 clusters on thousands of queries, the released code 25 by default. Their number, 60, 25 or 10 as far as there are
queries to fill them, and whether all arms or those of the training frontier are offered, are chosen by inner folds.

Source: 2508.12631: x = alpha p~ + (1 - alpha)(1 - q~), summed over the 3 nearest clusters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.policies.baselines.clusters import Clusters, affordable, cluster
from onedial.policies.baselines.contract import Lesson, Router, RouterRecipe
from onedial.policies.baselines.embedding import embedded
from onedial.policies.baselines.neighbours import unit
from onedial.policies.baselines.rungs import Chooser, all_arms, few_arms, unit_scaled
from onedial.policies.baselines.tuning import tuned

COUNTS = (60, 25, 10)
NEAREST = 3
ALPHAS = np.linspace(0.0, 1.0, 20)


def scores(accuracy: Floats, cost: Floats, alpha: float) -> Floats:
    """(k_clusters, k) alpha p~ + (1 - alpha)(1 - q~), each normalised over the arms within a cluster.

    >>> scores(np.array([[0.2, 0.4, 0.6]]), np.array([[1.0, 3.0, 5.0]]), 0.75).round(2).tolist()
    [[0.25, 0.5, 0.75]]
    """
    return np.asarray(alpha * unit_scaled(accuracy) + (1.0 - alpha) * (1.0 - unit_scaled(cost)))


@dataclass(frozen=True, slots=True)
class AvengersPro:
    """Clusters, (k_clusters, k) mean accuracy and mean cost in them, and the arms' columns."""

    clusters: Clusters
    accuracy: Floats
    cost: Floats
    arms: Ints

    def choose(self, queries: Sequence[Query], features: Floats) -> Ints:
        """(n_alphas, n_queries) columns."""
        mine = self.clusters.nearest(unit(features), NEAREST)
        summed = (scores(self.accuracy, self.cost, alpha)[mine].sum(axis=1) for alpha in ALPHAS)
        return np.stack([self.arms[np.round(s, 9).argmax(axis=1)] for s in summed])


def fit_avengers(lesson: Lesson, offered: Callable[[Lesson], Ints], k: int) -> Chooser:
    """Cluster the training queries and average accuracy and cost."""
    arms, x = offered(lesson), unit(lesson.features)
    quality, cost = lesson.grid.quality[:, arms], lesson.grid.cost_usd[:, arms]
    found = cluster(x, k, lesson.seed)
    return AvengersPro(found, found.means(quality), found.means(cost), arms).choose


def fit_avengers_pro(lesson: Lesson) -> Router:
    """Choose the arms offered and the number of clusters, and fit."""
    counts = affordable(COUNTS, len(lesson.queries))
    return tuned(lesson, [partial(fit_avengers, offered=offered, k=k) for offered in (few_arms, all_arms) for k in counts])


AVENGERS_PRO = RouterRecipe("avengers-pro", "Avengers-Pro 2508.12631", embedded(fit_avengers_pro))
