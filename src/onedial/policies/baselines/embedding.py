"""Where routers learn: query features as TF-IDF and shape, turned to their principal directions.

The published routers embed text with a hosted or local neural encoder; all of them
are given this one instead, so that what differs is how they decide. Its fit sees no outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.forecasts.features import HASHED
from onedial.policies.baselines.contract import Lesson, Router

DIRECTIONS = 256


@dataclass(frozen=True, slots=True)
class Embedding:
    """A linear map of TF-IDF rows of unit length beside shape values whose squares sum to 1 on average.

    Attributes:
        idf: (HASHED,) log((1 + n) / (1 + document count)) + 1.
        centre: (shape,) mean of each shape value.
        scale: (shape,) by which its distance to the mean is divided.
        axes: (width, r) orthonormal principal directions, the largest first.
    """

    idf: Floats
    centre: Floats
    scale: Floats
    axes: Floats

    @classmethod
    def of(cls, features: Floats) -> Embedding:
        """Fit to (n, width) features, as `forecasts.features` makes them."""
        hashed, shape = features[:, :HASHED], features[:, HASHED:]
        idf = np.log((1.0 + len(features)) / (1.0 + (hashed > 0).sum(axis=0))) + 1.0
        spread = shape.std(axis=0)
        scale = np.where(spread > 1e-9, spread, 1.0) * np.sqrt(max(shape.shape[1], 1))
        raw = _raw(features, idf, shape.mean(axis=0), scale)
        return cls(idf, shape.mean(axis=0), scale, _axes(raw))

    def rows(self, features: Floats) -> Floats:
        """(n, r) coordinates."""
        return np.asarray(_raw(features, self.idf, self.centre, self.scale) @ self.axes)


def _raw(features: Floats, idf: Floats, centre: Floats, scale: Floats) -> Floats:
    text = features[:, :HASHED] * idf
    length = np.sqrt((text**2).sum(axis=1, keepdims=True))
    return np.concatenate((text / np.maximum(length, 1e-12), (features[:, HASHED:] - centre) / scale), axis=1)


def _axes(raw: Floats) -> Floats:
    wide = raw.shape[1] > raw.shape[0]
    squares, vectors = np.linalg.eigh(raw @ raw.T if wide else raw.T @ raw)
    kept = np.flatnonzero(squares > 1e-9 * max(float(squares.max()), 1e-9))[::-1][:DIRECTIONS]
    if not kept.size:
        return np.zeros((raw.shape[1], 1))
    return np.asarray(raw.T @ vectors[:, kept] / np.sqrt(squares[kept]) if wide else vectors[:, kept])


@dataclass(frozen=True, slots=True)
class Embedded:
    """A router that works in an embedding, given features."""

    embedding: Embedding
    router: Router

    def picks(self, queries: Sequence[Query], features: Floats) -> Ints:
        """(n_rungs, n_queries) columns chosen."""
        return self.router.picks(queries, self.embedding.rows(features))


def embedded(fit: Callable[[Lesson], Router]) -> Callable[[Lesson], Router]:
    """Let `fit` find coordinates where a lesson has features."""

    def wrapped(lesson: Lesson) -> Router:
        embedding = Embedding.of(lesson.features)
        return Embedded(embedding, fit(replace(lesson, features=embedding.rows(lesson.features))))

    return wrapped
