"""Routers between two arms: which two, and a threshold on the score of the strong one.

RouteLLM and Hybrid-LLM know a weak and a strong model only. In a pool the strong arm is
the most accurate on training; the weak one is the knee of the training frontier, where quality, as a share of
its range, is furthest above cost, as a share of its range.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.metrics.frontier import frontier
from onedial.policies.baselines.rungs import unit_scaled
from onedial.policies.grid import Grid

STEPS = 16


@dataclass(frozen=True, slots=True)
class Pair:
    """Columns of the grid; the same twice where one arm is both cheapest and best."""

    weak: int
    strong: int


def pair_of(grid: Grid) -> Pair:
    """Pick the two arms on training means."""
    edge = frontier(grid.cost_usd.mean(axis=0), grid.quality.mean(axis=0))
    knee = int(np.argmax(unit_scaled(edge.quality) - unit_scaled(edge.cost)))
    return Pair(int(edge.point[knee]), int(edge.point[-1]))


@dataclass(frozen=True, slots=True)
class Threshold:
    """Strong where the score is at least the rung's cut.

    Attributes:
        score: (n,) from features; more means strong.
        cuts: (n_rungs,) falling.
        pair: The arms.
    """

    score: Callable[[Floats], Floats]
    cuts: Floats
    pair: Pair

    def picks(self, queries: Sequence[Query], features: Floats) -> Ints:
        """(n_rungs, n_queries) the weak or the strong column."""
        strong = self.score(features)[None, :] >= self.cuts[:, None]
        return np.where(strong, self.pair.strong, self.pair.weak).astype(np.int64)


def cuts_at(held: Floats, steps: int = STEPS) -> Floats:
    """Quantiles of training scores that have not seen their own labels, between never strong and always strong.

    >>> cuts_at(np.array([0.0, 1.0, 2.0]), 2).tolist()
    [inf, 1.0, -inf]
    """
    inner = np.quantile(held, np.linspace(1.0, 0.0, steps + 1)[1:-1])
    return np.concatenate(([np.inf], inner, [-np.inf]))
