"""Text to a sketch: sparse log counts of hashed words and word pairs, and the shape of the query. Takes tens of microseconds.

Wider than `features`, and sparse, so that rare words count; the same text gives the
same sketch for ever. Nothing else about a query is in it: not its data set, its id
or its reference. How a learner weighs words is learned in `learners.space`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from zlib import crc32

import numpy as np

from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.forecasts.features import HASHED, SHAPE, shape_of, words_of

GRAMS = 32768
"""Columns of hashed n-grams; a multiple of `HASHED`, so that a sketch folds to the features exactly."""

Embed = Callable[[Sequence[str]], Floats]
"""Texts to vectors, (n, any width): the same for the same text. A hook for whoever has an embedding model at hand."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """Sketches of some queries, n-grams in compressed rows.

    Attributes:
        indptr: (n + 1,) where each query's n-grams begin in the two arrays below.
        codes: (nnz,) hashed n-grams, distinct within a query.
        counts: (nnz,) log(1 + count) of each.
        shape: (n, len(SHAPE)) shape of the query.
        embedding: (n, width) of the embedding; width 0 without one.
    """

    indptr: Ints
    codes: Ints
    counts: Floats
    shape: Floats
    embedding: Floats

    def __len__(self) -> int:
        """The number of queries."""
        return len(self.shape)

    def rows(self, index: Sequence[int] | Ints) -> Sketch:
        """The sketches of some of the queries, in the order given."""
        index = np.asarray(index, dtype=np.int64)
        sizes = np.diff(self.indptr)[index]
        indptr = np.concatenate(([0], np.cumsum(sizes)))
        at = np.arange(indptr[-1]) + np.repeat(self.indptr[index] - indptr[:-1], sizes)
        return Sketch(indptr, self.codes[at], self.counts[at], self.shape[index], self.embedding[index])

    @property
    def row(self) -> Ints:
        """(nnz,) which query each n-gram is of."""
        return np.repeat(np.arange(len(self)), np.diff(self.indptr))

    def features(self) -> Floats:
        """(n, WIDTH) what `features` gives, with the embedding appended."""
        cells = self.row * HASHED + self.codes % HASHED
        counts = np.bincount(cells, weights=np.expm1(self.counts), minlength=len(self) * HASHED)
        return np.concatenate((np.log1p(counts.reshape(len(self), HASHED)), self.shape, self.embedding), axis=1)


def sketch(queries: Sequence[Query], embed: Embed | None = None) -> Sketch:
    """Sketch queries.

    Args:
        queries: Any number; their system text counts as part of the text.
        embed: Appends columns; none by default.
    """
    texts = [f"{q.system}\n{q.prompt}" if q.system else q.prompt for q in queries]
    parts = [_sketch(text) for text in texts]
    sizes = np.fromiter((len(codes) for codes, _, _ in parts), dtype=np.int64, count=len(parts))
    nothing = [(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(len(SHAPE)))]
    codes, counts, shape = zip(*(parts or nothing), strict=True)
    vectors = np.asarray(embed(texts), dtype=float) if embed and texts else np.zeros((len(texts), 0))
    indptr = np.concatenate(([0], np.cumsum(sizes)))
    return Sketch(indptr, np.concatenate(codes), np.concatenate(counts), np.stack(shape)[: len(texts)], vectors)


def _sketch(text: str) -> tuple[Ints, Floats, Floats]:
    words = words_of(text)
    seen: dict[int, int] = {}
    for gram in words:
        code = crc32(gram.encode()) % GRAMS
        seen[code] = seen.get(code, 0) + 1
    for one, two in pairwise(words):
        code = crc32(f"{one} {two}".encode()) % GRAMS
        seen[code] = seen.get(code, 0) + 1
    codes = np.fromiter(seen.keys(), dtype=np.int64, count=len(seen))
    return codes, np.log1p(np.fromiter(seen.values(), dtype=float, count=len(seen))), shape_of(text, words)
