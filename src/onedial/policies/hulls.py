"""The upper concave hull of every query's arms, many queries at once: what is worth buying, and in which order.

On a hull, quality bought per USD falls from one vertex to the next, so that whoever
buys the steepest segments first, over all queries, never buys one before the one it
stands on. Buying them is in `allocate`; the hull of a few points is in `metrics.hull`.

Source: THEORY.md section 1, "hull"; the chain is Andrew 1979.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onedial.core.errors import TableError
from onedial.core.outcome import Floats, Ints

CHUNK = 4096
"""Queries whose hulls are built at a time: what they take fits in a cache."""


@dataclass(frozen=True, slots=True)
class Hulls:
    """One hull per query; the segments of all of them lie end to end, and slopes never rise within a query.

    Attributes:
        base_arm: (n,) the cheapest arm, the best of them if several.
        base_cost: (n,) its cost in USD.
        base_quality: (n,) its quality.
        first: (n + 1,) where the segments of each query begin, and their number last.
        slope: (segments,) quality per USD, positive.
        cost: (segments,) USD that the segment adds, positive.
        quality: (segments,) quality that it adds, positive.
        arm: (segments,) the arm that it leads to.
    """

    base_arm: Ints
    base_cost: Floats
    base_quality: Floats
    first: Ints
    slope: Floats
    cost: Floats
    quality: Floats
    arm: npt.NDArray[np.int32]

    @property
    def least_usd(self) -> float:
        """Cost of giving every query its cheapest arm."""
        return float(self.base_cost.sum())

    @property
    def best_quality(self) -> float:
        """Quality summed over queries if every one gets its best arm."""
        return float(self.base_quality.sum() + self.quality.sum())


def build_hulls(cost: Floats, quality: Floats) -> Hulls:
    """Build the hull of every row, in chunks of `CHUNK` rows.

    Args:
        cost: (n_queries, n_arms) in USD; NaN where an arm is not available.
        quality: (n_queries, n_arms); NaN likewise.

    Raises:
        TableError: A query has no arm at all, or the shapes differ.

    >>> build_hulls(np.array([[1.0, 2.0, 3.0]]), np.array([[0.5, 0.6, 0.9]])).arm.tolist()
    [2]
    """
    if cost.shape != quality.shape or cost.ndim != 2:
        raise TableError(f"hulls need cost and quality of one shape (queries, arms), found {cost.shape} and {quality.shape}.")
    return joined([_chunk(cost[i : i + CHUNK], quality[i : i + CHUNK], i) for i in range(0, len(cost), CHUNK)])


def joined(parts: Sequence[Hulls]) -> Hulls:
    """Put the hulls of several lots of queries end to end."""
    parts = parts or [_nothing()]
    names = ("base_arm", "base_cost", "base_quality", "slope", "cost", "quality", "arm")
    whole = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    counts = np.concatenate([np.diff(part.first) for part in parts])
    return Hulls(first=np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts))), **whole)


def _nothing() -> Hulls:
    none, index = np.zeros(0), np.zeros(0, dtype=np.int64)
    return Hulls(index, none, none, np.zeros(1, dtype=np.int64), none, none, none, index.astype(np.int32))


def _chunk(cost: Floats, quality: Floats, offset: int) -> Hulls:
    """The hulls of a few rows, the first of which is row `offset` of the whole."""
    known = np.isfinite(cost) & np.isfinite(quality)
    if not (has := known.any(axis=1)).all():
        raise TableError(f"query in row {offset + int(has.argmin())} has no arm with a known quality and cost; leave it out.")
    order = np.argsort(np.where(known, cost, np.inf), axis=1)
    costs, qualities = (np.take_along_axis(np.where(known, values, worst), order, axis=1) for values, worst in _worst(cost, quality))
    stack, size = _chain(np.ascontiguousarray(costs.T), np.ascontiguousarray(qualities.T))
    kept = np.arange(stack.shape[0]) < size[:, None]
    column, row = stack.T[kept], np.repeat(np.arange(len(cost)), size)
    starts = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(size)))
    return _segments(costs[row, column], qualities[row, column], order[row, column], starts)


def _worst(cost: Floats, quality: Floats) -> tuple[tuple[Floats, float], tuple[Floats, float]]:
    """What stands for an arm that is not available: it costs everything and brings nothing."""
    return (cost, np.inf), (quality, -np.inf)


def _chain(cost: Floats, quality: Floats) -> tuple[Ints, Ints]:
    """Scan arms by rising cost, every query at once.

    Args:
        cost: (k, n) rising along the first axis.
        quality: (k, n).

    Returns:
        (k, n) the vertices of each hull, as rows of the input, and (n,) how many they are.
    """
    k, n = cost.shape
    stack, size, best = np.zeros((k, n), dtype=np.int64), np.ones(n, dtype=np.int64), quality[0].copy()
    for j in range(1, k):
        better = np.flatnonzero(quality[j] > best)
        best[better] = quality[j, better]
        _pop(cost, quality, stack, size, j, better)
        stack[size[better], better] = j
        size[better] += 1
    return stack, size


def _pop(cost: Floats, quality: Floats, stack: Ints, size: Ints, j: int, queries: Ints) -> None:
    """Take vertices off that lie on or below the line to arm `j`, or cost the same."""
    while queries.size:
        n = size[queries]
        top, below = stack[n - 1, queries], stack[np.maximum(n - 2, 0), queries]
        at, q = cost[below, queries], quality[below, queries]
        run, rise = cost[j, queries] - at, quality[j, queries] - q
        under = (n > 1) & ((quality[top, queries] - q) * run <= rise * (cost[top, queries] - at))
        queries = queries[under | (cost[top, queries] == cost[j, queries])]
        size[queries] -= 1
        queries = queries[size[queries] > 0]


def _segments(cost: Floats, quality: Floats, arm: Ints, starts: Ints) -> Hulls:
    """Turn vertices, end to end, into segments."""
    base = starts[:-1]
    more_cost, more_quality = np.delete(np.diff(cost), base[1:] - 1), np.delete(np.diff(quality), base[1:] - 1)
    first = starts - np.arange(len(starts))
    slope, inner = more_quality / more_cost, np.ones(len(more_cost), dtype=bool)
    inner[first[:-1][first[:-1] < len(inner)]] = False
    while (rises := np.flatnonzero(inner[1:] & (slope[1:] > slope[:-1])) + 1).size:  # by rounding alone
        slope[rises] = slope[rises - 1]
    return Hulls(arm[base], cost[base], quality[base], first, slope, more_cost, more_quality, np.delete(arm, base).astype(np.int32))
