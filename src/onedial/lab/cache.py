"""Where keys and values are kept while sequences grow: each row's own, and the prompts that rows share.

Invariant of every store: beyond the lines in use, and beyond each line's end,
all is zero, ones included; so reading too far adds nothing. Lines in use are
always the first ones: when lines end, the last ones move into the holes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onedial.lab.llama import BOTH, CELL, KEY, ONE, VALUE, Ints, Lines
from onedial.lab.shape import HEAD_DIM, Shape
from onedial.lab.weights import Floats

Bools = npt.NDArray[np.bool_]

_GRAIN = 8
"""Views reach to the next multiple of this many positions."""


def moves(alive: Bools) -> tuple[Ints, Ints]:
    """Say which lines to move into which holes, so that those alive come first and few move.

    >>> [line.tolist() for line in moves(np.array([True, False, True, False, True]))]
    [[1], [4]]
    """
    count = int(np.count_nonzero(alive))
    return np.flatnonzero(~alive[:count]), count + np.flatnonzero(alive[count:])


class Store:
    """Lines of cells that grow, move and end.

    A kind of store says in `_blank` how its memory is ordered; here every
    array is seen as (layers, lines, positions, ...).
    """

    def __init__(self, shape: Shape, lines: int, length: int) -> None:
        """Make room for `lines` lines; their length grows as needed."""
        self._shape, self._lines, self._length = shape, lines, length
        self._arrays = self._blank(length)
        self._viewed: tuple[int, ...] = ()

    def compact(self, alive: Bools, length: int) -> None:
        """Keep the lines in use that are `alive`, in the order of `moves`; those that end or move are not longer than `length`."""
        holes, movers = moves(alive)
        for array in self._arrays:
            array[:, holes, :length] = array[:, movers, :length]
            array[:, np.count_nonzero(alive) : len(alive), :length] = 0

    def _blank(self, length: int) -> tuple[Floats, ...]:
        """Make empty arrays of this length."""
        raise NotImplementedError

    def _reserve(self, count: int, length: int) -> None:
        """Make lines at least `length` long; the first `count` may be in use."""
        if length <= self._length:
            return
        old, self._length = self._length, max(length, 2 * self._length)
        wider = self._blank(self._length)
        for new, array in zip(wider, self._arrays, strict=True):
            new[:, :count, :old] = array[:, :count]
        self._arrays, self._viewed = wider, ()

    def _reach(self, length: int) -> int:
        """Round a length up so that views need not be made anew at every step."""
        return min(-(-length // _GRAIN) * _GRAIN, self._length)


class Rows(Store):
    """What each row has written itself."""

    def __init__(self, shape: Shape, lines: int, length: int = 32) -> None:
        """Make room for `lines` rows."""
        super().__init__(shape, lines, length)
        self.parts: list[Lines] = []
        self._targets: list[Floats] = []
        self._ones = np.zeros(0, np.float32)
        self._begins = self._places = np.zeros(0, np.int64)

    def put(self, line: int, cells: Floats) -> None:
        """Begin a row with a prompt of its own, (layers, positions, heads, CELL)."""
        self._reserve(line, cells.shape[1])
        self._arrays[0][:, line, : cells.shape[1]] = cells

    def prepare(self, ends: Ints, split: int = 0) -> None:
        """Expect one more position of every row.

        Args:
            ends: The rows' lengths so far.
            split: The rows before this one are read farther than the rest; 0 makes no difference between rows.
        """
        longest = int(ends.max()) + 1
        self._reserve(len(ends), longest)
        reach = self._reach(longest), self._reach(int(ends[split:].max()) + 1 if split else longest)
        if self._viewed != (len(ends), split, *reach):
            self._viewed = (len(ends), split, *reach)
            self._renew(len(ends), split, *reach)
        self._places = self._begins + ends
        self._ones[:, self._places] = 1

    def swap(self, some: Ints, others: Ints, length: int) -> None:
        """Exchange rows pairwise; none is longer than `length`."""
        here, there = np.concatenate((some, others)), np.concatenate((others, some))
        (array,) = self._arrays
        array[:, here, :length] = array[:, there, :length]

    def write(self, layer: int, cells: Floats) -> None:
        """Store (rows, heads, key and value) at the positions that `prepare` announced."""
        self._targets[layer][self._places] = cells

    def _blank(self, length: int) -> tuple[Floats, ...]:
        return (np.zeros((self._shape.layers, self._lines, length, self._shape.heads, CELL), np.float32),)

    def _renew(self, count: int, split: int, far: int, near: int) -> None:
        """Point views at the cells in use."""
        (array,) = self._arrays
        flat = array.reshape(len(array), -1, *array.shape[3:])
        self._targets, self._ones = list(flat[..., BOTH]), flat[..., ONE]
        self._begins = np.arange(count) * self._length
        self.parts = []
        for of, reach in ((slice(0, split), far), (slice(split, count), near)):
            cells = array[:, of, :reach]
            if of.start < of.stop:
                keys, values = cells[..., KEY].transpose(0, 1, 3, 4, 2), cells[..., VALUE].transpose(0, 1, 3, 2, 4)
                self.parts.append(Lines(of, list(keys), list(values)))


class Prompts(Store):
    """Prompts that several rows share, each once; rows of a prompt lie in its lanes.

    Keys are stored with positions last: small products are much faster so.
    """

    def __init__(self, shape: Shape, lines: int, length: int = 64) -> None:
        """Make room for `lines` prompts."""
        super().__init__(shape, lines, length)
        self.lines = Lines(slice(0), [], [])
        self._line = self._lane = np.zeros(0, np.int64)
        self._grid = np.zeros(0, np.float32)
        self._alone = True

    def put(self, line: int, cells: Floats) -> None:
        """Begin a prompt with (layers, positions, heads, CELL)."""
        self._reserve(line, cells.shape[1])
        for array, part in zip(self._arrays, (KEY, VALUE), strict=True):
            array[:, line, : cells.shape[1]] = cells[..., part]

    def prepare(self, lines: Ints, count: int, length: int) -> None:
        """Arrange rows for which `lines` names the prompt, among `count` prompts of at most `length` positions."""
        reach = self._reach(length)
        if self._viewed != (count, reach):
            self._viewed = (count, reach)
            keys, values = (array[:, :count, :reach] for array in self._arrays)
            self.lines = Lines(slice(0, count), list(keys.transpose(0, 1, 3, 4, 2)), list(values.transpose(0, 1, 3, 2, 4)))
        self._line, self._alone = lines, count == 1
        if not self._alone:
            order, sizes = np.argsort(lines, kind="stable"), np.bincount(lines, minlength=count)
            self._lane = np.empty_like(lines)
            self._lane[order] = np.arange(len(lines)) - np.repeat(sizes.cumsum() - sizes, sizes)
            self._grid = np.zeros((count, self._shape.heads, int(sizes.max()), HEAD_DIM), np.float32)

    def spread(self, rows: Floats) -> Floats:
        """Arrange (rows, heads, k) as (prompts, heads, lanes, k); unused lanes hold anything finite."""
        if self._alone:
            return rows.transpose(1, 0, 2)[None]
        grid = self._grid[..., : rows.shape[-1]]
        grid[self._line, :, self._lane] = rows
        return grid

    def collect(self, lanes: Floats) -> Floats:
        """Undo `spread`."""
        rows: Floats = lanes[0].transpose(1, 0, 2) if self._alone else lanes[self._line, :, self._lane]
        return rows

    def _blank(self, length: int) -> tuple[Floats, ...]:
        size = (self._shape.layers, self._lines, self._shape.heads)
        keys, values = np.zeros((*size, HEAD_DIM, length), np.float32), np.zeros((*size, length, HEAD_DIM + 1), np.float32)
        return keys.transpose(0, 1, 4, 2, 3), values.transpose(0, 1, 3, 2, 4)
