"""Keys and values of one prompt and of all that was written behind it, as a tree of tokens.

Completions that have begun alike are one path until they part, so that every
distinct beginning is computed once. Slots are in the order in which they came;
a mask says which of them lie on the path to a row. Slots of paths that ended
stay, unseen, until the whole tree goes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onedial.lab.shape import HEAD_DIM, Shape
from onedial.lab.weights import Floats

Ints = npt.NDArray[np.int64]

QUERY, KEY, VALUE = (slice(part * HEAD_DIM, (part + 1) * HEAD_DIM) for part in range(3))
"""Where these lie within a head."""
MIXED = HEAD_DIM + 1
"""Numbers that attention returns per head: weighted values, and the sum of the weights."""
_LEAST = np.float32(-60)
"""Scores this far below the largest are raised to it: a weight of 1e-26 adds nothing, but smaller ones are slow to compute with."""
_GROWTH = 1.5


class Tree:
    """Slots, the last `rows` of which are the tips that go on.

    Attributes:
        size: Slots in use.
        rows: Tips; each is a row of a step.
    """

    def __init__(self, shape: Shape, room: int) -> None:
        """Make an empty tree with room for some slots; more is made when needed."""
        self.size, self.rows = 0, 0
        self._seen: Floats | None = None
        self._shape = shape
        self._allocate(room)

    @property
    def nbytes(self) -> int:
        """Memory of all slots."""
        return self._keys.nbytes + self._values.nbytes

    def fork(self, size: int, room: int) -> Tree:
        """Copy the first `size` slots, which must be one path, into a tree with room for `room`."""
        tree = Tree(self._shape, room)
        tree.size, tree.rows = size, 1
        tree._copy(self._keys, self._values)
        return tree

    def chain(self, count: int) -> None:
        """Add a path of `count` slots, all of which are rows of the next step."""
        unseen = np.triu(np.full((count, count), -np.inf, np.float32), 1)
        self._seen = np.concatenate((np.zeros((count, self.size), np.float32), unseen), 1)
        self._add(count)

    def branch(self, parents: Ints) -> None:
        """Add a slot behind each of these rows; a row may have several, or none."""
        count = len(parents)
        if self._seen is None and count > 1:
            self._seen = np.zeros((1, self.size), np.float32)
        if self._seen is not None:
            self._seen = np.concatenate((self._seen[parents], _apart(count)), 1)
        self._add(count)

    def attend(self, layer: int, heads: Floats, mixed: Floats) -> None:
        """Store what the rows bring and let them attend to their paths.

        Args:
            layer: Which one.
            heads: (rows, heads, query, key and value).
            mixed: (rows, heads, MIXED), to be filled.
        """
        size, new = self.size, slice(self.size - self.rows, self.size)
        keys, values = self._keys[layer], self._values[layer]
        keys[..., new] = heads[..., KEY].transpose(1, 2, 0)
        values[:, new, :HEAD_DIM] = heads[..., VALUE].transpose(1, 0, 2)
        scores = heads[..., QUERY].transpose(1, 0, 2) @ keys[..., :size]
        if self._seen is not None:
            scores += self._seen
        scores -= np.maximum.reduce(scores, -1, keepdims=True)
        np.maximum(scores, _LEAST, out=scores)
        np.matmul(np.exp(scores, scores), values[:, :size], out=mixed.transpose(1, 0, 2))

    def _add(self, count: int) -> None:
        self.rows = count
        if self.size + count > self._room:
            old = self._keys, self._values
            self._allocate(int(_GROWTH * (self.size + count)))
            self._copy(*old)
        self.size += count

    def _allocate(self, room: int) -> None:
        self._room = room
        per_head = (self._shape.layers, self._shape.heads)
        self._keys = np.empty((*per_head, HEAD_DIM, room), np.float32)
        self._values = np.empty((*per_head, room, MIXED), np.float32)
        self._values[..., HEAD_DIM] = 1

    def _copy(self, keys: Floats, values: Floats) -> None:
        self._keys[..., : self.size] = keys[..., : self.size]
        self._values[:, :, : self.size] = values[:, :, : self.size]


def _apart(count: int) -> Floats:
    """Return a mask under which each of `count` slots sees itself alone."""
    mask = np.full((count, count), -np.inf, np.float32)
    np.fill_diagonal(mask, 0)
    return mask
