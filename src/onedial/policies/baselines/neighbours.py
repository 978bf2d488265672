"""Nearest training queries by cosine, in blocks, so that no matrix of all pairs is held."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array

from onedial.core.outcome import Floats, Ints

BLOCK = 1024


def unit(x: Floats) -> Floats:
    """Rows scaled to length 1."""
    return np.asarray(x / np.maximum(np.sqrt((x**2).sum(axis=1, keepdims=True)), 1e-12))


def cosines(queries: Floats, train: Floats, without_self: bool = False) -> Iterator[tuple[slice, Floats]]:
    """Blocks of rows and their (block, n_train) cosines with unit training rows; -inf with itself where asked."""
    for start in range(0, len(queries), BLOCK):
        rows = slice(start, min(start + BLOCK, len(queries)))
        found = np.round(queries[rows] @ train.T, 9)
        if without_self:
            found[np.arange(found.shape[0]), np.arange(rows.start, rows.stop)] = -np.inf
        yield rows, found


def nearest(queries: Floats, train: Floats, k: int, without_self: bool = False) -> Ints:
    """(n, k) rows of the nearest training queries, nearest first."""
    k = min(k, len(train) - without_self)
    index = np.zeros((len(queries), k), dtype=np.int64)
    for rows, found in cosines(queries, train, without_self):
        near = np.sort(np.argpartition(-found, k - 1, axis=1)[:, :k], axis=1)
        order = np.argsort(-np.take_along_axis(found, near, axis=1), axis=1, kind="stable")
        index[rows] = np.take_along_axis(near, order, axis=1)
    return index


def means(index: Ints, values: Floats) -> Floats:
    """(n, m) mean of values, (n_train, m), over the rows that `index`, (n, k), names."""
    n, k = index.shape
    share = np.full(index.size, 1.0 / k)
    return np.asarray(csr_array((share, index.ravel(), np.arange(0, index.size + 1, k)), shape=(n, len(values))) @ values)
