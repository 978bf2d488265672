"""Ridge regression on query features, many outputs at once, with leave-one-out predictions of its own training rows.

One decomposition of the features serves every output and every strength; the
strength is the one of the least leave-one-out error, and may be so large that
only the mean is left. Nothing may be fitted on top of the leave-one-out predictions, since what is
left of a mean tells what was taken out; `text_ridge` has predictions for that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onedial.core.outcome import Floats

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
        tried = [self._left_out(y, mean, inner, strength) for strength in self.strengths()]
        errors = [float(((y - held) ** 2).sum()) for held in tried]
        best = int(np.argmin(errors))
        weights = self.weights(y - mean, float(self.strengths()[best]))
        return Ridge(weights, mean - self.centre @ weights), tried[best]

    def weights(self, away: Floats, strength: float) -> Floats:
        """(d, outputs) slopes that explain (n, outputs) distances to the mean at one strength."""
        inner = self.left.T @ away
        return np.asarray(self.right @ (inner * (np.sqrt(self.squares) / (self.squares + strength))[:, None]))

    def strengths(self) -> Floats:
        """(k,) strengths that are tried, weakest first."""
        return STRENGTHS * (float(self.squares.mean()) if self.squares.size else 1.0)

    def _left_out(self, y: Floats, mean: Floats, inner: Floats, strength: float) -> Floats:
        share = self.squares / (self.squares + strength)
        fitted = self.left @ (inner * share[:, None])
        lever = np.minimum((self.left**2) @ share + 1.0 / len(y), 1.0 - 1e-6)[:, None]
        return np.asarray((mean + fitted - lever * y) / (1.0 - lever))
