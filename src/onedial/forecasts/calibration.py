"""Logistic recalibration of forecast success, per source, held close to "no change"."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from onedial.core.outcome import Floats
from onedial.forecasts.latents import P_EDGE

PRIOR_QUERIES = 10.0  # Pull towards intercept 0 and slope 1.


def fit_logistic(forecast: Floats, right: Floats, draws: Floats) -> Floats:
    """Fit intercept and slope per source, (2, S), on forecasts that have not seen these outcomes.

    Each query counts once however many samples it has.

    Args:
        forecast: (n, S) in (0, 1).
        right: (n, S) right samples.
        draws: (n, S) graded samples; zero where there are none.

    Source: Platt 1999.
    """
    from scipy.optimize import minimize

    z = logit(np.clip(forecast, P_EDGE, 1.0 - P_EDGE))
    rate = np.where(draws > 0, right / np.maximum(draws, 1.0), 0.5)
    weight = (draws > 0).astype(float)

    def loss(flat: Floats) -> tuple[float, Floats]:
        line = flat.reshape(2, -1)
        p = expit(line[0] + line[1] * z)
        fit = -(weight * (rate * np.log(p + 1e-12) + (1 - rate) * np.log(1 - p + 1e-12))).sum()
        away = line - np.array([[0.0], [1.0]])
        slope = np.stack(((weight * (p - rate)).sum(axis=0), (weight * (p - rate) * z).sum(axis=0)))
        return float(fit + 0.5 * PRIOR_QUERIES * (away**2).sum()), (slope + PRIOR_QUERIES * away).ravel()

    start = np.stack((np.zeros(z.shape[1]), np.ones(z.shape[1])))
    return np.asarray(minimize(loss, start.ravel(), jac=True, method="L-BFGS-B").x).reshape(2, -1)


def apply_logistic(forecast: Floats, line: Floats) -> Floats:
    """Recalibrate (n, S) forecasts by (2, S) intercepts and slopes."""
    z = logit(np.clip(forecast, P_EDGE, 1.0 - P_EDGE))
    return np.asarray(np.clip(expit(line[0] + line[1] * z), P_EDGE, 1.0 - P_EDGE))
