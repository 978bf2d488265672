"""The upper concave hull of fixed arms: what randomising between two of them can buy, and at what cost.

A per-query policy is worth its trouble only where it beats this hull.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from onedial.core.outcome import Floats
from onedial.metrics.frontier import NOISE, Frontier, frontier


class Mixture(NamedTuple):
    """Use point `high` with probability `p_high`, else point `low` (indices into the points given)."""

    low: int
    high: int
    p_high: float


def upper_hull(cost: npt.ArrayLike, quality: npt.ArrayLike) -> Frontier:
    """Keep the frontier points whose slopes, quality gained per cost, fall strictly from left to right.

    Args:
        cost: (k,) cost of each arm, any order; NaN points are left out.
        quality: (k,) quality of each.

    Returns:
        From the cheapest point to the best one; empty for no points.

    >>> upper_hull([1.0, 2.0, 3.0], [0.5, 0.6, 0.9]).point.tolist()
    [0, 2]
    """
    edge = frontier(cost, quality)
    kept: list[int] = []
    for i in range(edge.cost.size):
        while len(kept) > 1 and _below(edge.cost, edge.quality, kept[-2], kept[-1], i):
            kept.pop()
        kept.append(i)
    chosen = np.asarray(kept, dtype=np.int64)
    return Frontier(edge.cost[chosen], edge.quality[chosen], edge.point[chosen])


def _below(cost: Floats, quality: Floats, a: int, b: int, c: int) -> bool:
    """Whether b lies on or below the chord from a to c."""
    rise, run = quality[c] - quality[a], cost[c] - cost[a]
    return bool((quality[b] - quality[a]) * run <= rise * (cost[b] - cost[a]))


def mixture_for_quality(cost: npt.ArrayLike, quality: npt.ArrayLike, level: float) -> Mixture | None:
    """Find the cheapest randomisation between two points whose mean quality is `level`.

    Returns:
        The mixture (the cheapest hull point alone where that suffices), or None if no point reaches `level`.

    >>> mixture_for_quality([1.0, 3.0], [0.5, 1.0], 0.625)
    Mixture(low=0, high=1, p_high=0.25)
    """
    edge = upper_hull(cost, quality)
    if not edge.cost.size or not level <= edge.quality[-1] + NOISE:
        return None
    level = min(level, float(edge.quality[-1]))
    if level <= edge.quality[0]:
        return Mixture(int(edge.point[0]), int(edge.point[0]), 0.0)
    high = int(np.searchsorted(edge.quality, level))
    span = edge.quality[high] - edge.quality[high - 1]
    p_high = float((level - edge.quality[high - 1]) / span)
    return Mixture(int(edge.point[high - 1]), int(edge.point[high]), p_high)


def hull_cost_at_quality(cost: npt.ArrayLike, quality: npt.ArrayLike, level: float) -> float:
    """Cost at which the hull reaches `level`; NaN if it never does.

    >>> hull_cost_at_quality([1.0, 2.0, 3.0], [0.5, 0.6, 1.0], 0.75)
    2.0
    """
    edge = upper_hull(cost, quality)
    if not edge.cost.size or not level <= edge.quality[-1] + NOISE:
        return float("nan")
    return float(np.interp(level, edge.quality, edge.cost))


def hull_quality_at_cost(cost: npt.ArrayLike, quality: npt.ArrayLike, budget: npt.ArrayLike) -> Floats:
    """Quality of the hull at each mean cost in `budget`: flat beyond the best point, NaN left of the cheapest."""
    edge = upper_hull(cost, quality)
    budgets = np.asarray(budget, dtype=float)
    if not edge.cost.size:
        return np.full(budgets.shape, np.nan)
    value = np.interp(budgets, edge.cost, edge.quality)
    return np.asarray(np.where(budgets >= edge.cost[0], value, np.nan))


def mix(arrays: Floats, mixture: Mixture) -> Floats:
    """Expected per-query values under a mixture, from arrays of shape (n_queries, n_points)."""
    blended: Floats = arrays[:, mixture.low] * (1.0 - mixture.p_high) + arrays[:, mixture.high] * mixture.p_high
    return blended
