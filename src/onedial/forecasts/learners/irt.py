"""Item response theory with difficulty read from the text: success is the logistic of ability minus discriminated difficulty.

One ability and one discrimination per source, the latter held close to one, so
that a source with few outcomes borrows how hard queries are from all others.

Source: Lord and Novick 1968 (2PL); RADAR 2509.25426 (as a router).
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from onedial.core.outcome import Floats
from onedial.forecasts.learners.contract import Recipe, inner_split
from onedial.forecasts.learners.linear import Linear
from onedial.forecasts.learners.logistic import base_logits, beside_ridge, cross_entropy, filled_with_zero
from onedial.forecasts.learners.ridge import rotated

STRENGTHS = (30.0, 10.0, 3.0, 1.0, 0.3)
"""Pull of the weights of the text to zero, per source."""
_PULL = 20.0  # Of discriminations to one, in queries.
_STEPS = 15


def fit_irt(x: Floats, y: Floats, rates: int, seed: int) -> Linear:
    """Fit; how strongly the text is held to say nothing is chosen on a split of the rows."""
    fit, held = inner_split(len(x), seed)
    path = _path(x[fit], y[fit, :rates], STRENGTHS)
    losses = [cross_entropy(expit(base + np.outer(x[held] @ ease, slope)), y[held, :rates]) for ease, slope, base in path]
    ease, slope, base = _path(x, y[:, :rates], STRENGTHS[: int(np.argmin(losses)) + 1])[-1]
    return beside_ridge(ease[:, None], slope[None], base, x, y, seed)


def _path(x: Floats, rate: Floats, strengths: tuple[float, ...]) -> list[tuple[Floats, Floats, Floats]]:
    """Weights of the text (d,), discriminations (S,) and abilities (S,), from held tightly to loosely."""
    from scipy.optimize import minimize

    known, target = np.isfinite(rate), filled_with_zero(rate)
    turned, size, axes = rotated(x)
    d, s = x.shape[1], rate.shape[1]
    ease, slope, base = np.zeros(d), np.ones(s), base_logits(rate)
    curve = float(np.where(known, expit(base) * expit(-base), 0.0).sum()) / len(x)
    found = []
    for strength in strengths:
        even = 1.0 / np.sqrt(size * curve + strength * s)  # makes all directions about equally curved

        def loss(flat: Floats, even: Floats = even, pull: float = strength * s) -> tuple[float, Floats]:
            ease, slope, base = even * flat[:d], flat[d : d + s], flat[d + s :]
            level = turned @ ease
            out = base + np.outer(level, slope)
            off = np.where(known, expit(out) - target, 0.0)
            fit = np.where(known, np.logaddexp(0.0, out) - target * out, 0.0).sum()
            held = 0.5 * pull * (ease**2).sum() + 0.5 * _PULL * ((slope - 1.0) ** 2).sum()
            slopes = (even * (turned.T @ (off @ slope) + pull * ease), off.T @ level + _PULL * (slope - 1.0), off.sum(axis=0))
            return float(fit + held), np.concatenate(slopes)

        start = np.concatenate((ease / even, slope, base))
        flat = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
        ease, slope, base = even * flat[:d], flat[d : d + s], flat[d + s :]
        found.append((axes @ ease, slope, base - slope * float(x.mean(axis=0) @ axes @ ease)))
    return found


RECIPE = Recipe("irt", "RADAR 2509.25426", fit_irt)
