"""The non-decreasing frontier that a policy traces as its target is swept, and the cost at equal quality read off it.

Comparing two policies at "the same target" compares promises; comparing them at
equal *achieved* quality compares costs. The second is what lives here. Hulls,
which allow mixing any two points, are in `hull`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from onedial.core.outcome import Floats, Ints

NOISE = 1e-12  # a level missed by rounding alone is reached


class Frontier(NamedTuple):
    """Points of strictly rising quality and cost.

    Attributes:
        cost: (k,), strictly rising.
        quality: (k,), strictly rising.
        point: (k,), which of the points given each one is.
    """

    cost: Floats
    quality: Floats
    point: Ints


def frontier(cost: npt.ArrayLike, quality: npt.ArrayLike) -> Frontier:
    """Keep the points that no point of equal or lower cost matches in quality.

    Args:
        cost: (k,) mean cost of each setting of the dial, any order; NaN points are left out.
        quality: (k,) mean quality of each.

    Returns:
        The running maximum of quality over rising cost, its flat stretches removed; empty for no points.

    >>> frontier([3.0, 1.0, 2.0, 4.0], [0.8, 0.5, 0.4, 0.8]).quality.tolist()
    [0.5, 0.8]
    """
    costs, qualities = np.asarray(cost, dtype=float), np.asarray(quality, dtype=float)
    if costs.shape != qualities.shape or costs.ndim != 1:
        raise ValueError(f"a frontier needs two vectors of one length, found cost {costs.shape} and quality {qualities.shape}")
    order = np.lexsort((-qualities, costs))
    order = order[np.isfinite(costs[order]) & np.isfinite(qualities[order])]
    best = np.maximum.accumulate(qualities[order])
    rises = np.concatenate(([True], best[1:] > best[:-1])) if order.size else np.zeros(0, dtype=bool)
    kept = order[rises]
    return Frontier(costs[kept], qualities[kept], kept.astype(np.int64))


def cost_at_quality(cost: npt.ArrayLike, quality: npt.ArrayLike, level: float) -> float:
    """Read the cost of reaching `level` off the frontier of the points given.

    Between two neighbours the cost is linear in quality, as if randomising between
    their two settings. Below the cheapest point it is that point's cost: a policy
    cannot be cheaper than it was ever seen to be.

    Returns:
        Cost, in the unit of `cost`; NaN if `level` is never reached.

    Source: THEORY.md section 5, "matched quality".

    >>> cost_at_quality([1.0, 3.0], [0.5, 1.0], 0.75)
    2.0
    >>> cost_at_quality([1.0, 3.0], [0.5, 0.9], 0.95)
    nan
    """
    edge = frontier(cost, quality)
    if not edge.cost.size or not level <= edge.quality[-1] + NOISE:
        return float("nan")
    return float(np.interp(level, edge.quality, edge.cost))


def quality_at_cost(cost: npt.ArrayLike, quality: npt.ArrayLike, budget: float) -> float:
    """Read the best quality at a mean cost of at most `budget` off the frontier; NaN if nothing is that cheap.

    >>> quality_at_cost([1.0, 3.0], [0.5, 1.0], 2.0)
    0.75
    """
    edge = frontier(cost, quality)
    if not edge.cost.size or not budget >= edge.cost[0]:
        return float("nan")
    return float(np.interp(budget, edge.cost, edge.quality))
