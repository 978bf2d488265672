"""Which sources and arms a baseline is tuned over, and which settings become its ladder.

Choosing among thousands of settings on a hundred queries eats what they gain, so
that every baseline here looks at no more than `SOURCES` sources and `ARMS` arms:
those on the training frontier of mean cost and quality, thinned evenly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onedial.core.arm import Arm, Source
from onedial.core.outcome import Floats, Ints
from onedial.metrics.frontier import frontier
from onedial.metrics.hull import upper_hull
from onedial.policies.baselines.contract import Lesson
from onedial.policies.baselines.tape import Tape, depths, tape_of

SOURCES = 10
ARMS = 16
RUNGS = 16


@dataclass(frozen=True, slots=True)
class Pool:
    """What a baseline may choose from; columns are those of the tape.

    Attributes:
        tape: Training samples of the sources below.
        sources: Columns of the panel that the tape holds.
        probes: Columns whose single sample is on the frontier, cheapest first.
        arms: Arms on the frontier of the whole grid, cheapest first.
        homes: Column of each of those arms.
        grid_arms: Columns of the grid of those arms.
        names: Model and effort of each column of the tape.
    """

    tape: Tape
    sources: Ints
    probes: tuple[int, ...]
    arms: tuple[Arm, ...]
    homes: tuple[int, ...]
    grid_arms: Ints
    names: tuple[Source, ...]

    def source(self, column: int) -> Source:
        """Model and effort of a column."""
        return self.names[column]

    def block(self, column: int, n: int) -> Arm:
        """The arm that draws `n` samples of a column."""
        return Arm(self.names[column], "vote" if n > 1 else "direct", n)

    def depth(self, column: int) -> int:
        """Samples that may be asked of a column."""
        return int(self.tape.depth[column])


def pool_of(lesson: Lesson, copies: int | None = None) -> Pool:
    """Find the sources and arms on the training frontier and lay their samples out."""
    able = depths(lesson)
    column = {source: j for j, source in enumerate(lesson.panel.sources)}
    usable = np.array([able[column[arm.source]] >= arm.n for arm in lesson.grid.arms])
    single = frontier_arms(lesson, np.flatnonzero(usable & np.array([arm.n == 1 for arm in lesson.grid.arms])), SOURCES)
    chosen = frontier_arms(lesson, np.flatnonzero(usable), ARMS)
    first = [column[lesson.grid.arms[j].source] for j in single]
    homes = [column[lesson.grid.arms[j].source] for j in chosen]
    sources = np.array(sorted({*first, *homes}), dtype=np.int64)
    at = {int(j): k for k, j in enumerate(sources)}
    return Pool(
        tape=tape_of(lesson, sources, copies),
        sources=sources,
        probes=tuple(at[j] for j in first),
        arms=tuple(lesson.grid.arms[j] for j in chosen),
        homes=tuple(at[j] for j in homes),
        grid_arms=chosen,
        names=tuple(lesson.panel.sources[int(j)] for j in sources),
    )


def frontier_arms(lesson: Lesson, among: Ints, most: int) -> Ints:
    """Columns of the grid on the training frontier of some of its arms, cheapest first, at most `most` of them."""
    cost, quality = lesson.grid.cost_usd[:, among].mean(axis=0), lesson.grid.quality[:, among].mean(axis=0)
    return among[thinned(frontier(cost, quality).point, most)]


def ladder(cost: npt.ArrayLike, quality: npt.ArrayLike, most: int = RUNGS) -> Ints:
    """Which settings become rungs: the corners of their training hull, cheapest first, at most `most`.

    Args:
        cost: (k,) mean training cost of each setting.
        quality: (k,) mean training quality.
        most: Rungs.
    """
    return thinned(upper_hull(cost, quality).point, most)


def thinned(points: Ints, most: int) -> Ints:
    """Evenly spaced points, both ends among them.

    >>> thinned(np.arange(5), 3).tolist()
    [0, 2, 4]
    """
    if len(points) <= most:
        return points
    return points[np.unique(np.linspace(0, len(points) - 1, most).round().astype(np.int64))]


def worths(cost: Floats, rungs: int = RUNGS) -> Floats:
    """(rungs,) USD per unit of quality, from the cheapest arm's mean cost to a hundred times the dearest's."""
    known = cost[cost > 0]
    low, high = (float(known.min()), float(known.max())) if known.size else (1.0, 1.0)
    return np.geomspace(low, 100.0 * high, rungs)
