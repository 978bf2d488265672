"""What the other results on a query say about one source: the rest of the pool, and the same model at its other levels.

For every (query, source) two shrunken rates are formed that leave the source out; a
logistic regression shared by all sources weighs them, with an intercept per source. Nothing is compared with itself.

Source: THEORY.md section 2, "partial pooling".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from onedial.core.arm import Source
from onedial.core.outcome import Floats

POOL_WEIGHT = 1.0
"""Results' worth of the mean to which the pool's rate on a query is held."""
OWN_WEIGHT = 2.0
"""Results' worth of the pool's rate to which the model's own rate is held."""
_RIDGE = 1.0
_STEPS = 12
_EDGE = 5e-3


@dataclass(frozen=True, slots=True)
class QueryEffects:
    """Chances that a sample of each source is right on each query, given every *other* source's results.

    Attributes:
        weights: (2,) of the pool's rate and of the model's own departure from it, in logits per logit.
        intercepts: (S,) in logits; NaN for sources without results.
        hints: (n, S, 2) the two rates, in logits.
        success: (n, S) the chances, in (0, 1).
    """

    weights: Floats
    intercepts: Floats
    hints: Floats
    success: Floats

    def at_mean(self, source: int, mean: float) -> Floats:
        """(n,) chances of a source of which only its mean success over these queries is known."""
        return centred(self.hints[:, source] @ self.weights, mean)


def fit_query_effects(rate: Floats, draws: Floats, sources: Sequence[Source]) -> QueryEffects:
    """Weigh the hints.

    Args:
        rate: (n, S) mean score of each query's samples; anything where there are none.
        draws: (n, S) graded samples; a column of zeros is a source that is hidden.
        sources: Column order.
    """
    hints = _hints(np.where(draws > 0, rate, 0.0), draws, sources)
    seen = (draws > 0).astype(float)
    target = np.where(draws > 0, rate, 0.0)
    column = np.where(seen.sum(axis=0) > 0, target.sum(axis=0) / np.maximum(seen.sum(axis=0), 1.0), 0.5)
    intercepts, weights = logit(np.clip(column, _EDGE, 1.0 - _EDGE)), np.zeros(2)
    for _ in range(_STEPS):
        p = expit(intercepts + hints @ weights)
        intercepts, weights = _newton(intercepts, weights, hints, seen * (target - p), seen * p * (1.0 - p))
    success = np.clip(expit(intercepts + hints @ weights), 1e-3, 1.0 - 1e-3)
    return QueryEffects(weights, np.where(seen.any(axis=0), intercepts, np.nan), hints, success)


def _newton(intercepts: Floats, weights: Floats, hints: Floats, residual: Floats, curvature: Floats) -> tuple[Floats, Floats]:
    """One step of Newton's method, the intercepts eliminated; the weights are held to (1, 0) by a small ridge."""
    own = curvature.sum(axis=0) + 0.1
    cross = np.einsum("ns,nsk->sk", curvature, hints)
    shared = np.einsum("ns,nsk,nsl->kl", curvature, hints, hints) + _RIDGE * np.eye(2)
    slope = residual.sum(axis=0)
    slope_shared = np.einsum("ns,nsk->k", residual, hints) - _RIDGE * (weights - np.array([1.0, 0.0]))
    reduced = shared - cross.T @ (cross / own[:, None])
    step = np.linalg.solve(reduced, slope_shared - cross.T @ (slope / own))
    step *= min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-9))
    return intercepts + np.clip((slope - cross @ step) / own, -2.0, 2.0), weights + step


def _hints(rate: Floats, draws: Floats, sources: Sequence[Source]) -> Floats:
    """(n, S, 2) logits of the pool's rate, then of the model's own rate less the pool's; each leaves the source out."""
    weight = draws / (draws + 1.0)
    family = np.array([[a.model == b.model for b in sources] for a in sources], dtype=float)
    others = 1.0 - family
    mean = float((weight * rate).sum() / max(float(weight.sum()), 1e-9))
    pool = ((weight * rate) @ others + POOL_WEIGHT * mean) / (weight @ others + POOL_WEIGHT)
    kin = family - np.eye(len(sources))
    own = ((draws * rate) @ kin + OWN_WEIGHT * pool) / (draws @ kin + OWN_WEIGHT)
    pooled, owned = (logit(np.clip(r, _EDGE, 1.0 - _EDGE)) for r in (pool, own))
    return np.stack((pooled, owned - pooled), axis=2)


def centred(scores: Floats, mean: float) -> Floats:
    """Chances in logits of `scores` plus the one shift that gives them this mean, by bisection.

    >>> centred(np.array([-1.0, 1.0]), 0.5).round(3).tolist()
    [0.269, 0.731]
    """
    low, high = -30.0 - float(scores.max()), 30.0 - float(scores.min())
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if expit(scores + middle).mean() < mean else (low, middle)
    return np.asarray(expit(scores + 0.5 * (low + high)))
