"""Areas and published one-number scores: AIQ (RouterBench), the RouterArena score, QNC, and LLMRouterBench's three.

All take mean cost and mean quality per point of a sweep.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from onedial.metrics.frontier import cost_at_quality, frontier
from onedial.metrics.hull import upper_hull

ARENA_BETA = 0.1
ARENA_MAX_USD_PER_1000 = 200.0
ARENA_MIN_USD_PER_1000 = 0.0044


def aiq(
    cost: npt.ArrayLike,
    quality: npt.ArrayLike,
    cost_range: tuple[float, float],
    anchor: tuple[float, float] | None = None,
) -> float:
    """Average the non-decreasing concave hull over a cost range common to all that are compared.

    The published code divides by c_max rather than by the range, and starts each
    router at its own cheapest point, so that two routers are averaged over
    different ranges. Here the range is given once, the hull runs flat to the
    right, and on the left it starts from `anchor`.

    Args:
        cost: (k,) mean cost of each point.
        quality: (k,) mean quality of each.
        cost_range: (c_min, c_max), the same for every router compared, c_min < c_max.
        anchor: (cost, quality) of the cheapest single arm, added to the points.

    Returns:
        Mean quality over the range; NaN if no point is as cheap as c_min.

    Source: RouterBench 2403.12031, section 3.3.

    >>> aiq([1.0, 3.0], [0.5, 1.0], (1.0, 3.0))
    0.75
    """
    extra = ([anchor[0]], [anchor[1]]) if anchor else ([], [])
    edge = upper_hull(np.append(np.asarray(cost, dtype=float), extra[0]), np.append(np.asarray(quality, dtype=float), extra[1]))
    low, high = cost_range
    if not low < high:
        raise ValueError(f"a cost range needs c_min < c_max, found {cost_range}")
    if not edge.cost.size or edge.cost[0] > low:
        return float("nan")
    inside = edge.cost[(edge.cost > low) & (edge.cost < high)]
    grid = np.concatenate(([low], inside, [high]))
    return float(np.trapezoid(np.interp(grid, edge.cost, edge.quality), grid)) / (high - low)


def arena_score(quality: float, cost_usd_per_1000: float) -> float:
    """RouterArena's score on its 0 to 100 scale: accuracy with a faint, logarithmic term for cost.

    Args:
        quality: Mean accuracy, in [0, 1].
        cost_usd_per_1000: USD per 1,000 queries, positive.

    Source: RouterArena 2510.00202, beta = 0.1; checked on its published rows.

    >>> round(arena_score(0.7969, 0.27), 2)
    77.62
    """
    if cost_usd_per_1000 <= 0:
        raise ValueError(f"the arena score needs a positive cost in USD per 1,000 queries, found {cost_usd_per_1000}")
    top, bottom = math.log2(ARENA_MAX_USD_PER_1000), math.log2(ARENA_MIN_USD_PER_1000)
    thrift = (top - math.log2(cost_usd_per_1000)) / (top - bottom)
    weight = ARENA_BETA * quality + thrift
    return 100.0 * (1.0 + ARENA_BETA) * quality * thrift / weight if weight else 0.0


def qnc(cost: npt.ArrayLike, quality: npt.ArrayLike, best_cost: float, best_quality: float) -> float:
    """Cost of matching the most accurate single model, relative to its cost: 1 saves nothing, NaN is never.

    Source: quality-neutral cost, UniRoute 2502.08773.

    >>> qnc([1.0, 3.0], [0.5, 1.0], best_cost=4.0, best_quality=0.75)
    0.5
    """
    return cost_at_quality(cost, quality, best_quality) / best_cost


def perf_gain(quality: npt.ArrayLike, best_quality: float) -> float:
    """Best quality of the sweep over that of the best single model, less 1. Source: LLMRouterBench 2601.07206."""
    return float(np.max(np.asarray(quality, dtype=float))) / best_quality - 1.0


def cost_save(cost: npt.ArrayLike, quality: npt.ArrayLike, best_cost: float, best_quality: float) -> float:
    """Largest saving among points at least as good as the best single model; NaN if there is none.

    Only points that were run count: nothing is interpolated. Source: LLMRouterBench 2601.07206.

    >>> cost_save([1.0, 2.0], [0.6, 0.8], best_cost=4.0, best_quality=0.8)
    0.5
    """
    costs, qualities = np.asarray(cost, dtype=float), np.asarray(quality, dtype=float)
    enough = costs[qualities >= best_quality]
    return 1.0 - float(enough.min()) / best_cost if enough.size else float("nan")


def pareto_dist(
    cost: npt.ArrayLike,
    quality: npt.ArrayLike,
    front_cost: npt.ArrayLike,
    front_quality: npt.ArrayLike,
    cost_range: tuple[float, float],
    quality_range: tuple[float, float],
) -> float:
    """Mean distance of a sweep's points from the nearest point of the joint Pareto front; 0 is on it.

    Both axes are divided by the range of the single models, so that dollars and
    accuracy weigh alike. Source: LLMRouterBench 2601.07206, normalised as said here.
    """
    edge = frontier(front_cost, front_quality)
    scale = np.array([cost_range[1] - cost_range[0], quality_range[1] - quality_range[0]])
    points = np.column_stack((np.asarray(cost, dtype=float), np.asarray(quality, dtype=float))) / scale
    front = np.column_stack((edge.cost, edge.quality)) / scale
    return float(np.linalg.norm(points[:, None] - front[None], axis=2).min(axis=1).mean())
