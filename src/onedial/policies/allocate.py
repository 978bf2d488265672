"""Divide one budget over many queries: buy the steepest hull segments first until it is spent.

This solves the linear relaxation of the multiple-choice knapsack exactly; what whole
arms lose against it is at most one segment, over all queries together. The
segment at which the budget ends is found by selection on the bits of slopes, in
time linear in the number of segments; nothing is sorted. Building hulls is in `hulls`.

Source: THEORY.md section 1, "hull"; Sinha and Zoltners 1979.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from onedial.core.errors import TargetUnreachable
from onedial.core.outcome import Floats, Ints
from onedial.policies.hulls import Hulls

SHIFTS = (48, 32, 16, 0)
"""A slope is looked at in four digits of 16 bits; positive numbers are ordered as their bits are."""
CHUNK = 1 << 18
NOISE = 1e-12  # a goal missed by rounding alone is met


@dataclass(frozen=True, slots=True)
class Allocation:
    """One arm for every query.

    Attributes:
        arm: (n,) column of each query's arm.
        cost_usd: Expected cost, summed over queries.
        quality: Expected quality, summed over queries.
        gain_per_usd: Slope of the segment at which buying ended, quality per USD; 0 where everything was bought.
        at_most: Quality of the linear relaxation at the same cost goal: no choice of whole arms exceeds it.
    """

    arm: Ints
    cost_usd: float
    quality: float
    gain_per_usd: float
    at_most: float

    @property
    def worth(self) -> float:
        """The dual price, USD per unit of quality; infinite where everything was bought."""
        return 1.0 / self.gain_per_usd if self.gain_per_usd > 0 else float("inf")


def within_budget(hulls: Hulls, budget_usd: float) -> Allocation:
    """Reach the highest quality that a total budget buys.

    Args:
        hulls: Of every query.
        budget_usd: For all queries together.

    Raises:
        TargetUnreachable: The budget is below the cost of every query's cheapest arm.
    """
    room = budget_usd - hulls.least_usd
    if room < -NOISE * abs(budget_usd):
        raise TargetUnreachable(
            f"a budget of ${budget_usd:.4g} is less than the cheapest arm of every query costs, ${hulls.least_usd:.4g} "
            f"for {len(hulls.base_arm):,} queries. Raise it to that at least, ask fewer queries, or add a cheaper model."
        )
    end = _end(hulls.slope, hulls.cost, room * (1.0 + NOISE))
    found = _bought(hulls, end)
    return _allocation(hulls, found, end.slope, max(budget_usd, found.cost_usd))


def for_quality(hulls: Hulls, quality: float) -> Allocation:
    """Reach a total quality at the lowest cost.

    Args:
        hulls: Of every query.
        quality: Summed over queries: a mean of 0.9 over 100 queries is 90.

    Raises:
        TargetUnreachable: The best arm of every query together fall short of it.
    """
    n = max(len(hulls.base_arm), 1)
    if quality > hulls.best_quality * (1.0 + NOISE):
        raise TargetUnreachable(
            f"{100 * quality / n:.1f} % right is more than these arms are forecast to reach, {100 * hulls.best_quality / n:.1f} %. "
            "Ask for less, or add models or efforts."
        )
    need = quality - float(hulls.base_quality.sum()) - NOISE * n
    end = _end(hulls.slope, hulls.quality, need) if need > 0 else End(float(hulls.slope.max(initial=0.0)), _none(), None)
    if need > 0 and end.last is not None:
        end = End(end.slope, np.append(end.ties, end.last), None)
    found = _bought(hulls, end)
    return _allocation(hulls, found, end.slope, found.cost_usd)


def at_worth(hulls: Hulls, worth: float) -> Allocation:
    """Buy every segment whose slope is at least 1 / worth: what the dual rule would choose, query by query.

    Args:
        hulls: Of every query.
        worth: USD per unit of quality, positive.
    """
    end = End(np.nextafter(1.0 / worth, 0.0), _none(), None)
    found = _bought(hulls, end)
    return _allocation(hulls, found, 1.0 / worth, found.cost_usd)


class End(NamedTuple):
    """Where buying ends: everything steeper than `slope` is bought, and of what is as steep `ties`; `last` is the first one left."""

    slope: float
    ties: Ints
    last: int | None


class _Bought(NamedTuple):
    arm: Ints
    cost_usd: float
    quality: float


def _none() -> Ints:
    return np.zeros(0, dtype=np.int64)


def _end(slope: Floats, weight: Floats, room: float) -> End:
    """Find the first segment, by falling slope and then by position, with which the weights exceed `room`."""
    bits, index = slope.view(np.int64), None
    for shift in SHIFTS:
        here = bits if index is None else bits[index]
        load = _histogram(here, weight if index is None else weight[index], shift)
        total = np.cumsum(load[::-1])
        over = np.flatnonzero(total > room)
        if not over.size:  # everything fits; by rounding also where the digit before said that it does not
            return End(0.0, _none(), None) if index is None else End(float(slope[index[0]]), index, None)
        digit = len(load) - 1 - int(over[0])
        room -= float(total[over[0] - 1]) if over[0] else 0.0
        inside = _members(here, shift, digit)
        index = inside if index is None else index[inside]
    assert index is not None
    fits = int(np.searchsorted(np.cumsum(weight[index]), room, side="right"))
    return End(float(slope[index[0]]), index[:fits], int(index[fits]) if fits < len(index) else None)


def _digit(bits: Ints, shift: int) -> Ints:
    return (bits >> shift) & 0xFFFF


def _histogram(bits: Ints, weight: Floats, shift: int) -> Floats:
    """Weight per digit; in chunks, so that intermediate results stay in a cache."""
    load = np.zeros(1 << 16)
    for i in range(0, len(bits), CHUNK):
        found = np.bincount(_digit(bits[i : i + CHUNK], shift), weights=weight[i : i + CHUNK])
        load[: len(found)] += found
    return load


def _members(bits: Ints, shift: int, digit: int) -> Ints:
    """Positions of the numbers with this digit."""
    found = [np.flatnonzero(_digit(bits[i : i + CHUNK], shift) == digit) + i for i in range(0, len(bits), CHUNK)]
    return np.concatenate(found) if found else _none()


def _bought(hulls: Hulls, end: End) -> _Bought:
    """Give every query the arm that its bought segments lead to."""
    taken: npt.NDArray[np.bool_] = hulls.slope > end.slope
    taken[end.ties] = True
    before = np.zeros(len(taken) + 1, dtype=np.int64)
    np.cumsum(taken, out=before[1:])
    level = before[hulls.first[1:]] - before[hulls.first[:-1]]
    last = np.minimum(hulls.first[:-1] + np.maximum(level, 1) - 1, max(len(hulls.arm) - 1, 0))
    arm = np.where(level > 0, hulls.arm[last], hulls.base_arm) if len(hulls.arm) else hulls.base_arm.copy()
    cost, quality = (_sum_where(values, taken) for values in (hulls.cost, hulls.quality))
    return _Bought(arm, hulls.least_usd + cost, float(hulls.base_quality.sum()) + quality)


def _sum_where(values: Floats, taken: npt.NDArray[np.bool_]) -> float:
    return float(sum(values[i : i + CHUNK] @ taken[i : i + CHUNK] for i in range(0, len(values), CHUNK)))


def _allocation(hulls: Hulls, found: _Bought, slope: float, goal_usd: float) -> Allocation:
    at_most = min(found.quality + slope * (goal_usd - found.cost_usd), hulls.best_quality)
    return Allocation(found.arm, found.cost_usd, found.quality, slope, at_most)
