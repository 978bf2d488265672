"""Where keys and values are kept while sequences grow: each row's own, and the prompts that rows share.

Invariant of every store: beyond the lines in use, and beyond each line's end,
all is zero, ones included; so reading too far adds nothing. Lines in use are
always the first ones: when lines end, the last ones move into the holes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onedial.lab.llama import BOTH, CELL, KEY, ONE, VALUE, Ints
from onedial.lab.shape import HEAD_DIM, Shape
from onedial.lab.weights import Floats

Bools = npt.NDArray[np.bool_]

_GRAIN = 8
"""Views reach to the next multiple of this many positions, so that they need not be made anew at every step."""


def moves(alive: Bools) -> tuple[Ints, Ints]:
    """Say which lines to move into which holes, so that those alive come first and few move.

    >>> [line.tolist() for line in moves(np.array([True, False, True, False, True]))]
    [[1], [4]]
    """
    count = int(np.count_nonzero(alive))
    return np.flatnonzero(~alive[:count]), count + np.flatnonzero(alive[count:])


class Store:
    """Lines of cells that grow, move and end."""

    def __init__(self, shape: Shape, lines: int, length: int = 32) -> None:
        """Make room for `lines` lines; their length grows as needed up to the context."""
        self.keys: list[Floats] = []
        self.values: list[Floats] = []
        self._cells = np.zeros((shape.layers, lines, length, shape.heads, CELL), np.float32)
        self._viewed = (0, 0)

    def put(self, line: int, cells: Floats) -> None:
        """Fill an empty line with (layers, positions, heads, CELL)."""
        self._reserve(line, cells.shape[1])
        self._cells[:, line, : cells.shape[1]] = cells

    def compact(self, alive: Bools, length: int) -> None:
        """Keep the lines in use that are `alive`, in the order of `moves`; no line is longer than `length`."""
        holes, movers = moves(alive)
        self._cells[:, holes, :length] = self._cells[:, movers, :length]
        self._cells[:, np.count_nonzero(alive) : len(alive), :length] = 0

    def _reserve(self, count: int, length: int) -> None:
        """Make lines at least `length` long; the first `count` may be in use."""
        layers, lines, room, heads, _ = self._cells.shape
        if length <= room:
            return
        wider = np.zeros((layers, lines, max(length, 2 * room), heads, CELL), np.float32)
        wider[:, :count, :room] = self._cells[:, :count]
        self._cells, self._viewed = wider, (0, 0)

    def _view(self, count: int, length: int) -> None:
        """Point `keys` and `values` at the first lines and positions."""
        length = min(-(-length // _GRAIN) * _GRAIN, self._cells.shape[2])
        if self._viewed == (count, length):
            return
        cells = self._cells[:, :count, :length]
        self.keys = list(cells[..., KEY].transpose(0, 1, 3, 4, 2))
        self.values = list(cells[..., VALUE].transpose(0, 1, 3, 2, 4))
        self._viewed = (count, length)
        self._renew()

    def _renew(self) -> None:
        """Make further views after the cells or their extent changed."""


class Rows(Store):
    """What each row has written itself."""

    _targets: list[Floats]
    _ones: Floats
    _places: Ints

    def prepare(self, ends: Ints) -> None:
        """Expect one more position of every row; `ends` are the rows' lengths so far."""
        longest = int(ends.max()) + 1
        self._reserve(len(ends), longest)
        self._view(len(ends), longest)
        self._places = np.arange(len(ends)) * self._cells.shape[2] + ends
        self._ones[:, self._places] = 1

    def write(self, layer: int, cells: Floats) -> None:
        """Store (rows, heads, key and value) at the positions that `prepare` announced."""
        self._targets[layer][self._places] = cells

    def _renew(self) -> None:
        flat = self._cells.reshape(len(self._cells), -1, *self._cells.shape[3:])
        self._targets, self._ones = list(flat[..., BOTH]), flat[..., ONE]


class Prompts(Store):
    """Prompts that several rows share, each once; rows of a prompt lie in its lanes."""

    _lines: Ints
    _lanes: Ints
    _grid: Floats

    def prepare(self, lines: Ints, count: int, length: int) -> None:
        """Arrange rows for which `lines` names the prompt, among `count` prompts of at most `length` positions."""
        self._view(count, length)
        if count > 1:
            order, sizes = np.argsort(lines, kind="stable"), np.bincount(lines, minlength=count)
            self._lanes = np.empty_like(lines)
            self._lanes[order] = np.arange(len(lines)) - np.repeat(sizes.cumsum() - sizes, sizes)
            self._grid = np.zeros((count, int(sizes.max()), self._cells.shape[3], HEAD_DIM), np.float32)
        self._lines, self._alone = lines, count == 1

    def spread(self, rows: Floats) -> Floats:
        """Arrange (rows, heads, k) as (prompts, heads, lanes, k); unused lanes hold anything finite."""
        if self._alone:
            return rows.transpose(1, 0, 2)[None]
        grid = self._grid[..., : rows.shape[-1]]
        grid[self._lines, self._lanes] = rows
        return grid.transpose(0, 2, 1, 3)

    def collect(self, lanes: Floats) -> Floats:
        """Undo `spread`."""
        rows: Floats = lanes[0].transpose(1, 0, 2) if self._alone else lanes[self._lines, :, self._lanes]
        return rows
