"""The exchange rate between compute and model size: how much more of the small model buys one step up the ladder.

Per group of queries (by difficulty), because the rate is finite only where the
small model sometimes succeeds.

Source: the question is that of Snell 2408.03314, section 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from onedial.core.outcome import Floats, Ints
from onedial.metrics.frontier import cost_at_quality, frontier


class Exchange(NamedTuple):
    """What it takes for the small model to match the large one on a group of queries.

    Attributes:
        group: Group code.
        n_queries: Queries in it.
        quality: The large model's quality there: the level to match.
        multiple: Small model's cost at that level over its cost when used once; NaN if no amount reaches it.
        relative_cost: The same cost over the large model's; below 1 the small model is the cheaper way.
        best_quality: The most that the small model reaches at any amount.
    """

    group: int
    n_queries: int
    quality: float
    multiple: float
    relative_cost: float
    best_quality: float

    @property
    def reached(self) -> bool:
        """Whether any amount of the small model's compute on offer reaches the large model's quality."""
        return bool(np.isfinite(self.multiple))


def exchange_rate(
    small_quality: Floats, small_cost: Floats, large_quality: float, large_cost: float, group: int = 0, n_queries: int = 1
) -> Exchange:
    """Price one step of model size in the small model's compute.

    Args:
        small_quality: (n_settings,) mean quality of the small model's arms; the first is a single use.
        small_cost: (n_settings,) mean cost of each, positive.
        large_quality: Mean quality of the large model, used once.
        large_cost: Mean cost of that.
        group: Code to carry along.
        n_queries: Count to carry along.

    >>> rate = exchange_rate(np.array([0.5, 0.75]), np.array([1.0, 5.0]), 0.625, 4.0)
    >>> rate.multiple, rate.relative_cost, rate.reached
    (3.0, 0.75, True)
    """
    cost = cost_at_quality(small_cost, small_quality, large_quality)
    best = frontier(small_cost, small_quality).quality
    top = float(best[-1]) if best.size else float("nan")
    return Exchange(group, n_queries, float(large_quality), cost / float(small_cost[0]), cost / large_cost, top)


def exchange_by_group(quality: Floats, cost: Floats, small: Sequence[int], large: int, groups: Ints) -> tuple[Exchange, ...]:
    """Compute the exchange rate within each group of queries.

    Args:
        quality: (n_queries, n_arms).
        cost: Same shape.
        small: Columns of the small model's arms; the first is a single use of it.
        large: Column of the large model used once.
        groups: (n_queries,) codes, such as difficulty; rates come back in order of code.
    """
    rates = []
    for group in np.unique(groups):
        rows = groups == group
        q, c = quality[rows].mean(axis=0), cost[rows].mean(axis=0)
        columns = np.asarray(small, dtype=np.int64)
        rates.append(exchange_rate(q[columns], c[columns], float(q[large]), float(c[large]), int(group), int(rows.sum())))
    return tuple(rates)
