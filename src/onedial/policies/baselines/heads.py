"""Logistic heads on one embedding, all fitted at once, with probabilities that have not seen their own labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from onedial.core.outcome import Floats
from onedial.policies.baselines.crossfit import folds_for
from onedial.policies.baselines.descent import cross_entropy, minimised

STRENGTHS = (100.0, 30.0, 10.0, 3.0, 1.0)
FOLDS = 4


@dataclass(frozen=True, slots=True)
class Heads:
    """P(y = 1 | x) = sigmoid(x W + b), k of them.

    Attributes:
        weights: (d, k).
        offset: (k,).
    """

    weights: Floats
    offset: Floats

    def __call__(self, x: Floats) -> Floats:
        """(n, k) probabilities."""
        return np.asarray(expit(x @ self.weights + self.offset))


def fit_heads(x: Floats, y: Floats, seed: int) -> tuple[Heads, Floats]:
    """Fit at the penalty of the least cross-validated loss, one for all heads.

    Args:
        x: (n, d).
        y: (n, k) labels in [0, 1].
        seed: Of the folds.

    Returns:
        The heads, and (n, k) out-of-fold probabilities at that penalty.
    """
    folds = folds_for(len(x), seed, FOLDS)
    held = np.empty((len(STRENGTHS), *y.shape))
    for fold in np.unique(folds):
        out, start = folds == fold, None
        for number, strength in enumerate(STRENGTHS):
            start = _fit(x[~out], y[~out], strength, start)
            held[number, out] = start(x[out])
    best = int(np.argmin([cross_entropy(p, y) for p in held]))
    return _fit(x, y, STRENGTHS[best], None), held[best]


def _fit(x: Floats, y: Floats, strength: float, start: Heads | None) -> Heads:
    d, k = x.shape[1], y.shape[1]

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights, offset = flat[: d * k].reshape(d, k), flat[d * k :]
        z = x @ weights + offset
        value = (np.logaddexp(0.0, z) - y * z).sum() + 0.5 * strength * (weights**2).sum()
        away = expit(z) - y
        return float(value), np.concatenate(((x.T @ away + strength * weights).ravel(), away.sum(axis=0)))

    if start is None:
        start = Heads(np.zeros((d, k)), logit(np.clip(y.mean(axis=0), 0.01, 0.99)))
    found = minimised(loss, np.concatenate((start.weights.ravel(), start.offset)))
    return Heads(found[: d * k].reshape(d, k), found[d * k :])
