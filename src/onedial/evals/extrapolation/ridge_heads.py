"""One ridge regression per column of targets on the text of queries: the rival with a head per model and budget.

Source: R2-Router 2602.02823.
"""

from __future__ import annotations

import numpy as np

from onedial.core.outcome import Floats, known_mean

ALPHAS = (1.0, 10.0, 100.0, 1_000.0, 10_000.0)


class RidgeHeads:
    """Ridge regressions that share their features, decomposed once."""

    def __init__(self, features: Floats) -> None:
        """Decompose (n, width) features; without columns every head is its mean."""
        x = features - features.mean(axis=0)
        x = x / np.maximum(x.std(axis=0), 1e-6)
        self._basis: tuple[Floats, Floats] | None = None
        if features.shape[1]:
            values, vectors = np.linalg.eigh(x @ x.T)
            self._basis = np.maximum(values, 0.0), vectors

    def predict(self, targets: Floats) -> Floats:
        """(n, heads) what each head predicts for each of its queries from the others; NaN targets are set to the head's mean.

        The penalty of each head minimises the same leave-one-out error.
        """
        mean = known_mean(targets, axis=0)
        if self._basis is None:
            return np.broadcast_to(mean, targets.shape).copy()
        y = np.where(np.isfinite(targets), targets, mean) - mean
        values, vectors = self._basis
        turned = vectors.T @ y
        best, kept = np.full(y.shape[1], np.inf), np.zeros_like(y)
        for alpha in ALPHAS:
            shrink = values / (values + alpha)
            hat = ((vectors**2) @ shrink)[:, None]
            left_out = (vectors @ (shrink[:, None] * turned) - hat * y) / np.maximum(1.0 - hat, 1e-6)
            loss = ((left_out - y) ** 2).mean(axis=0)
            better = loss < best
            best, kept = np.where(better, loss, best), np.where(better, left_out, kept)
        return np.asarray(mean + kept)
