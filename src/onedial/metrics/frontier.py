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


def costs_at_quality(cost: Floats, quality: Floats, level: Floats) -> Floats:
    """Do what `cost_at_quality` does for many frontiers at once.

    Args:
        cost: (n, k) one row of points per frontier, all finite.
        quality: Same shape.
        level: (n, m) levels to read off each.

    Returns:
        (n, m); NaN where a level is not reached.

    >>> costs_at_quality(np.array([[1.0, 3.0]]), np.array([[0.5, 1.0]]), np.array([[0.4, 0.75, 1.1]])).tolist()
    [[1.0, 2.0, nan]]
    """
    order = np.lexsort((-quality, cost), axis=1)
    costs, best = (np.take_along_axis(a, order, axis=1) for a in (cost, quality))
    best = np.maximum.accumulate(best, axis=1)
    rises = np.concatenate((np.ones((len(best), 1), dtype=bool), best[:, 1:] > best[:, :-1]), axis=1)
    last = np.maximum.accumulate(np.where(rises, np.arange(best.shape[1]), 0), axis=1)
    return np.stack([_read(costs, best, last, one) for one in level.T], axis=1)


def _read(cost: Floats, best: Floats, last: Ints, level: Floats) -> Floats:
    """Cost at one level per row; `last` is the point at which the best so far was first reached."""
    rows = np.arange(len(level))
    reached = best >= np.minimum(level, best[:, -1])[:, None]
    above = reached.argmax(axis=1)
    below = last[rows, np.maximum(above - 1, 0)]
    span = best[rows, above] - best[rows, below]
    share = np.where(span > 0, (np.minimum(level, best[:, -1]) - best[rows, below]) / np.where(span > 0, span, 1.0), 1.0)
    between = cost[rows, below] + np.clip(share, 0.0, 1.0) * (cost[rows, above] - cost[rows, below])
    value = np.where(above == 0, cost[:, 0], between)
    return np.asarray(np.where(level <= best[:, -1] + NOISE, value, np.nan))


def quality_at_cost(cost: npt.ArrayLike, quality: npt.ArrayLike, budget: float) -> float:
    """Read the best quality at a mean cost of at most `budget` off the frontier; NaN if nothing is that cheap.

    >>> quality_at_cost([1.0, 3.0], [0.5, 1.0], 2.0)
    0.75
    """
    edge = frontier(cost, quality)
    if not edge.cost.size or not budget >= edge.cost[0]:
        return float("nan")
    return float(np.interp(budget, edge.cost, edge.quality))
