"""From predictions to a ladder: argmax of quality net of cost, one rung per worth of quality or weight.

Columns are always offered cheapest first, so that ties go to the cheaper arm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.policies.baselines.contract import Lesson
from onedial.policies.baselines.crossfit import earned
from onedial.policies.baselines.pool import frontier_arms, worths

RUNGS = 18
FEW = 16
"""Arms at most for a method that fits a head, or an ability, for each."""

Chooser = Callable[[Sequence[Query], Floats], Ints]


@dataclass(frozen=True, slots=True)
class Ladder:
    """A fitted rule for all settings of its knob, and their order.

    Attributes:
        choose: (n_settings, n_queries) columns of the lesson's grid, from queries and their features.
        order: (n_settings,) settings from thrifty to lavish; None where nobody looks at the order.
    """

    choose: Chooser
    order: Ints | None = None

    def picks(self, queries: Sequence[Query], features: Floats) -> Ints:
        """(n_rungs, n_queries) columns chosen."""
        found = self.choose(queries, features)
        return found if self.order is None else found[self.order]


def sorted_ladder(lesson: Lesson, choose: Chooser) -> Ladder:
    """Order the settings by their mean cost on the training queries."""
    cost, _ = earned(lesson.grid, choose(lesson.queries, lesson.features))
    return Ladder(choose, np.asarray(np.argsort(cost, kind="stable"), dtype=np.int64))


def few_arms(lesson: Lesson, most: int = FEW) -> Ints:
    """Columns on the training frontier of mean cost and quality, cheapest first, at most `most`, evenly thinned."""
    return frontier_arms(lesson, np.arange(len(lesson.grid.arms)), most)


def all_arms(lesson: Lesson) -> Ints:
    """Every column, cheapest first by mean training cost."""
    return np.asarray(np.argsort(lesson.grid.cost_usd.mean(axis=0), kind="stable"), dtype=np.int64)


def usd_worths(lesson: Lesson) -> Floats:
    """(RUNGS,) worths of quality in USD, log-spaced over every trade that the grid's mean costs allow."""
    return worths(lesson.grid.cost_usd.mean(axis=0), RUNGS)


def odds() -> Floats:
    """(RUNGS,) weights of quality in (0, 1), log-spaced in their odds against a cost scaled to [0, 1].

    >>> odds()[[0, -1]].round(4).tolist()
    [0.001, 0.999]
    """
    ratio = np.geomspace(1e-3, 1e3, RUNGS)
    return np.asarray(ratio / (1.0 + ratio))


def net_best(quality: Floats, cost: Floats, worth: Floats) -> Ints:
    """(n_worths, n) the column of the greatest worth * quality - cost.

    Args:
        quality: (n, k) predicted.
        cost: (n, k), or (k,) for all queries alike.
        worth: (n_worths,).
    """
    return np.stack([np.argmax(w * quality - cost, axis=1) for w in worth])


def unit_scaled(values: Floats) -> Floats:
    """Min-max normalise along the last axis; zeros where nothing varies.

    >>> unit_scaled(np.array([1.0, 2.0, 5.0])).tolist()
    [0.0, 0.25, 1.0]
    """
    low = values.min(axis=-1, keepdims=True)
    span = values.max(axis=-1, keepdims=True) - low
    return np.asarray((values - low) / np.where(span > 0, span, 1.0))
