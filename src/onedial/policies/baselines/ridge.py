"""Ridge regression on query features, many outputs at once, with leave-one-out predictions of its own training rows.

One decomposition of the features serves every output and every strength; the
strength is the one of the least leave-one-out error, and may be so large that
only the mean is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from onedial.core.outcome import Floats, Ints, known_mean
from onedial.core.query import Query
from onedial.forecasts.features import features
from onedial.policies.baselines.contract import Lesson

STRENGTHS = np.geomspace(0.03, 300.0, 9)
"""Times the mean squared singular value."""


@dataclass(frozen=True, slots=True)
class Ridge:
    """A linear map from features to outputs.

    Attributes:
        weights: (d, outputs).
        offset: (outputs,).
    """

    weights: Floats
    offset: Floats

    def predict(self, x: Floats) -> Floats:
        """(n, outputs)."""
        return np.asarray(x @ self.weights + self.offset)

    def of(self, query: Query) -> Floats:
        """(outputs,) of one query."""
        return np.asarray(self.predict(described(query))[0])


@lru_cache(maxsize=4096)
def described(query: Query) -> Floats:
    """(1, d) features of a query; kept, since the rungs of a ladder ask for the same ones."""
    return features([query])


@dataclass(frozen=True, slots=True)
class Basis:
    """Centred, scaled features as U S V'.

    Attributes:
        left: (n, r) U.
        squares: (r,) squared singular values.
        right: (d, r) V, divided by the scale of each feature.
        centre: (d,) means of the features.
    """

    left: Floats
    squares: Floats
    right: Floats
    centre: Floats

    @classmethod
    def of(cls, x: Floats, scaled: bool = True) -> Basis:
        """Decompose (n, d) features, each scaled to unit variance unless told otherwise; those that never vary are left out."""
        centre, spread = x.mean(axis=0), x.std(axis=0)
        scale = np.where(spread > 1e-9, spread if scaled else 1.0, np.inf)
        z = (x - centre) / scale
        wide = z.shape[1] > z.shape[0]
        squares, vectors = np.linalg.eigh(z @ z.T if wide else z.T @ z)
        kept = squares > 1e-9 * max(float(squares.max()), 1e-9)
        squares, vectors = squares[kept], vectors[:, kept]
        other = (z.T if wide else z) @ vectors / np.sqrt(squares)
        left, right = (vectors, other) if wide else (other, vectors)
        return cls(left, squares, right / scale[:, None], centre)

    def fit(self, y: Floats) -> tuple[Ridge, Floats]:
        """Fit (n, outputs); return the map and (n, outputs) predictions that each leave their own row out."""
        mean = y.mean(axis=0)
        inner = self.left.T @ (y - mean)
        tried = [self._left_out(y, mean, inner, strength) for strength in self._strengths()]
        errors = [float(((y - held) ** 2).sum()) for held in tried]
        best = int(np.argmin(errors))
        shrunk = inner * (np.sqrt(self.squares) / (self.squares + self._strengths()[best]))[:, None]
        weights = self.right @ shrunk
        return Ridge(weights, mean - self.centre @ weights), tried[best]

    def _strengths(self) -> Floats:
        return STRENGTHS * (float(self.squares.mean()) if self.squares.size else 1.0)

    def _left_out(self, y: Floats, mean: Floats, inner: Floats, strength: float) -> Floats:
        """Leave each row out of the slopes; out of the mean it would give itself away, upside down, to what is fitted on top."""
        share = self.squares / (self.squares + strength)
        fitted = self.left @ (inner * share[:, None])
        lever = np.minimum((self.left**2) @ share, 1.0 - 1e-6)[:, None]
        return np.asarray(mean + (fitted - lever * (y - mean)) / (1.0 - lever))


def forecast_scores(lesson: Lesson, sources: Ints) -> tuple[Ridge, Floats]:
    """Forecast the mean score of each source from the query's features.

    Args:
        lesson: Training split.
        sources: (k,) columns of the panel.

    Returns:
        The map, and (n_queries, k) forecasts of the training queries, each without its own outcomes.
    """
    return Basis.of(lesson.features).fit(known_mean(lesson.panel.score[:, sources]))
