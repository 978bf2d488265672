"""UniRoute, k-means: a model is its vector of error rates per cluster; cluster error plus lambda times the model's mean cost.

The number of clusters, and whether all arms or those of the training frontier are offered, are chosen by inner folds.

Source: 2502.08773, section 5.1: argmin_m error_m(cluster(x)) + lambda c_m.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.policies.baselines.clusters import Clusters, affordable, cluster
from onedial.policies.baselines.contract import Lesson, Router, RouterRecipe
from onedial.policies.baselines.embedding import embedded
from onedial.policies.baselines.neighbours import unit
from onedial.policies.baselines.rungs import Chooser, all_arms, few_arms, net_best, usd_worths
from onedial.policies.baselines.tuning import tuned

COUNTS = (3, 5, 10, 20, 40)


@dataclass(frozen=True, slots=True)
class UniRoute:
    """Clusters, (k_clusters, k) errors in them, (k,) mean costs, columns and worths."""

    clusters: Clusters
    errors: Floats
    cost: Floats
    arms: Ints
    worth: Floats

    def choose(self, queries: Sequence[Query], features: Floats) -> Ints:
        """(n_worths, n_queries) columns."""
        mine = self.clusters.nearest(unit(features))[:, 0]
        return self.arms[net_best(-self.errors, self.cost, self.worth)[:, mine]]


def fit_uni(lesson: Lesson, offered: Callable[[Lesson], Ints], k: int) -> Chooser:
    """Cluster the training queries and average the errors."""
    arms, x = offered(lesson), unit(lesson.features)
    errors = 1.0 - lesson.grid.quality[:, arms]
    found = cluster(x, k, lesson.seed)
    cost = lesson.grid.cost_usd[:, arms].mean(axis=0)
    return UniRoute(found, found.means(errors), cost, arms, usd_worths(lesson)).choose


def fit_uniroute(lesson: Lesson) -> Router:
    """Choose the arms offered and the number of clusters, and fit."""
    counts = affordable(COUNTS, len(lesson.queries))
    return tuned(lesson, [partial(fit_uni, offered=offered, k=k) for offered in (few_arms, all_arms) for k in counts])


UNIROUTE = RouterRecipe("uniroute", "UniRoute 2502.08773, k-means", embedded(fit_uniroute))
