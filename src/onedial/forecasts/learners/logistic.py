"""Logistic regressions of success, one per source, held to zero alike; other outputs by ridge.

Source: RouteLLM 2406.18665 (a text classifier per pair); ranking by the difference of two of them is ranking by gain.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from onedial.core.outcome import Floats, known_mean
from onedial.forecasts.learners.contract import Recipe, inner_split
from onedial.forecasts.learners.linear import Linear, linear
from onedial.forecasts.learners.ridge import fit_ridge, rotated

STRENGTHS = (30.0, 10.0, 3.0, 1.0)
_STEPS = 8
_LEAST_CURVE = 0.05
_EDGE = 0.01


def fit_logistic_rows(x: Floats, y: Floats, rates: int, seed: int) -> Linear:
    """Fit; the strength is chosen on a split of the rows."""
    fit, held = inner_split(len(x), seed)
    path = _path(x[fit], y[fit, :rates], STRENGTHS)
    losses = [cross_entropy(expit(x[held] @ weights + base), y[held, :rates]) for weights, base in path]
    weights, base = _path(x, y[:, :rates], STRENGTHS[: int(np.argmin(losses)) + 1])[-1]
    return beside_ridge(weights, np.eye(rates), base, x, y, seed)


def beside_ridge(down: Floats, up: Floats, base: Floats, x: Floats, y: Floats, seed: int) -> Linear:
    """Join a logit map of the success rates with a ridge regression of the other outputs."""
    rates = up.shape[1]
    if rates == y.shape[1]:
        return linear(down, up, base, rates)
    rest = fit_ridge(x, y[:, rates:], 0, seed)
    corner = np.zeros((len(up), y.shape[1] - rates)), np.zeros((len(rest.up), rates))
    both = np.block([[up, corner[0]], [corner[1], rest.up]])
    return linear(np.concatenate((down, rest.down), axis=1), both, np.concatenate((base, rest.base)), rates)


def cross_entropy(p: Floats, rate: Floats) -> float:
    """Mean over known cells; fractional rates count as that share of right answers."""
    p = np.clip(p, 1e-6, 1.0 - 1e-6)
    return float(known_mean(-(rate * np.log(p) + (1.0 - rate) * np.log(1.0 - p)).ravel(), otherwise=0.0))


def base_logits(rate: Floats) -> Floats:
    """(S,) logit of each source's mean, kept away from certainty."""
    return np.asarray(logit(np.clip(known_mean(rate, axis=0, otherwise=0.5), _EDGE, 1.0 - _EDGE)))


def _path(x: Floats, rate: Floats, strengths: tuple[float, ...]) -> list[tuple[Floats, Floats]]:
    """Weights (d, S) and intercepts (S,), from held tightly to loosely, each starting at the one before.

    Newton steps with the curvature of each source's mean instead of each query's: one rotation of x serves them all.
    """
    known, target = np.isfinite(rate), filled_with_zero(rate)
    turned, size, axes = rotated(x)
    base = base_logits(rate)
    share = known.mean(axis=0)
    curve = np.maximum(expit(base) * expit(-base), _LEAST_CURVE) * np.maximum(share, 1.0 / len(x))
    weights = np.zeros((x.shape[1], rate.shape[1]))
    found = []
    for strength in strengths:
        for _ in range(_STEPS):
            off = np.where(known, expit(turned @ weights + base) - target, 0.0)
            weights = weights - (turned.T @ off + strength * weights) / (size[:, None] * curve + strength)
            base = base - off.sum(axis=0) / (curve * len(x))
        inner = axes @ weights
        found.append((inner, base - x.mean(axis=0) @ inner))
    return found


def filled_with_zero(rate: Floats) -> Floats:
    """NaN made zero, where a mask says which cells count."""
    return np.where(np.isfinite(rate), rate, 0.0)


RECIPE = Recipe("logistic", "RouteLLM 2406.18665", fit_logistic_rows)
