"""A small ridge logistic regression, fitted by Newton's method, and its out-of-fold probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from onedial.core.outcome import Floats, Ints, known_mean

RIDGE = 1.0
"""Weight of the pull of every standardised coefficient to zero, in observations."""
FOLDS = 5
STEPS = 25


@dataclass(frozen=True, slots=True)
class Logit:
    """P(y = 1 | x) = sigmoid(b0 + b . (x - centre) / scale); a value that is not known counts as the centre.

    Attributes:
        centre: (d,).
        scale: (d,).
        weights: (d + 1,) the intercept first.
    """

    centre: Floats
    scale: Floats
    weights: Floats

    def __call__(self, x: Floats) -> Floats:
        """(n,) probabilities of (n, d) rows."""
        z = (x - self.centre) / self.scale
        return np.asarray(expit(self.weights[0] + np.where(np.isfinite(z), z, 0.0) @ self.weights[1:]))


def fit_logit(x: Floats, y: Floats, weight: float = 1.0) -> Logit:
    """Fit to outcomes in [0, 1].

    Args:
        x: (n, d), NaN where unknown.
        y: (n,) in [0, 1].
        weight: Observations that one row is worth.
    """
    centre = known_mean(x, axis=0, otherwise=0.0)
    spread = np.sqrt(known_mean((x - centre) ** 2, axis=0, otherwise=0.0))
    scale = np.where(spread > 1e-9, spread, 1.0)
    z = (x - centre) / scale
    design = np.column_stack((np.ones(len(x)), np.where(np.isfinite(z), z, 0.0)))
    pull = RIDGE * np.eye(design.shape[1])
    pull[0, 0] = 1e-3
    weights = np.zeros(design.shape[1])
    for _ in range(STEPS):
        p = expit(design @ weights)
        slope = weight * design.T @ (y - p) - pull @ weights
        curve = weight * (design * (p * (1.0 - p))[:, None]).T @ design + pull
        step = np.linalg.solve(curve, slope)
        weights = weights + step * min(1.0, 4.0 / (np.abs(step).max() + 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    return Logit(centre, scale, weights)


def cross_fitted(x: Floats, y: Floats, fold: Ints, weight: float = 1.0) -> tuple[Logit, Floats]:
    """Fit to all rows, and give each row the probability that the rows of other folds predict for it.

    Args:
        x: (n, d).
        y: (n,).
        fold: (n,) which fold each row belongs to; rows of one query share one.
        weight: Observations that one row is worth.
    """
    held = np.empty(len(x))
    for k in np.unique(fold):
        out = fold == k
        held[out] = fit_logit(x[~out], y[~out], weight)(x[out]) if (~out).any() else y.mean()
    return fit_logit(x, y, weight), held


def folds_of(row: Ints, seed: int, folds: int = FOLDS) -> Ints:
    """(n,) a random fold per query, the same for all rows of one."""
    n = int(row.max()) + 1
    return np.asarray((np.random.default_rng(seed).permutation(n) % folds)[row], dtype=np.int64)
