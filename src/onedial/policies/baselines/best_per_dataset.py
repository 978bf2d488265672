"""Best fixed arm per data set: a lookup that knows where a query comes from.

A humbling row, not a router that could be served: no other baseline, and nothing of
onedial, is shown `query.dataset`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.policies.baselines.contract import Lesson, Router, RouterRecipe
from onedial.policies.baselines.rungs import all_arms, net_best, sorted_ladder, usd_worths


@dataclass(frozen=True, slots=True)
class BestPerDataset:
    """One arm per data set and worth.

    Attributes:
        arms: Data set to (n_worths,) columns.
        otherwise: (n_worths,) the best fixed arms overall, for a data set never seen.
    """

    arms: Mapping[str, Ints]
    otherwise: Ints

    def choose(self, queries: Sequence[Query], features: Floats) -> Ints:
        """(n_worths, n_queries) columns."""
        return np.stack([self.arms.get(q.dataset, self.otherwise) for q in queries], axis=1)


def fit_best_per_dataset(lesson: Lesson) -> Router:
    """Take, in every data set, the arm of the greatest mean quality net of mean cost."""
    arms, worth = all_arms(lesson), usd_worths(lesson)

    def best(rows: Ints | slice) -> Ints:
        quality, cost = (values[rows][:, arms].mean(axis=0, keepdims=True) for values in (lesson.grid.quality, lesson.grid.cost_usd))
        return arms[net_best(quality, cost, worth)[:, 0]]

    names = np.array([q.dataset for q in lesson.queries])
    table = {str(name): best(np.flatnonzero(names == name)) for name in np.unique(names)}
    return sorted_ladder(lesson, BestPerDataset(table, best(slice(None))).choose)


BEST_PER_DATASET = RouterRecipe("best-per-dataset", "THEORY.md section 5; sees the data set's name", fit_best_per_dataset)
