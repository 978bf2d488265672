"""Ridge regression on the principal directions of the outputs, each as strongly held to zero as a split of the rows says.

Outputs that move together share a direction, so sources learn from each other;
a direction that the text does not predict is dropped.

Source: Hoerl and Kennard 1970; Breiman and Friedman 1997 (shrinking in the directions of the outputs).
"""

from __future__ import annotations

import numpy as np

from onedial.core.outcome import Floats
from onedial.forecasts.learners.contract import Recipe, filled, inner_split
from onedial.forecasts.learners.linear import Linear, linear

STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, np.inf)
RANK = 12


def fit_ridge(x: Floats, y: Floats, rates: int, seed: int) -> Linear:
    """Fit; see `Fits`."""
    known = filled(y)
    base = known.mean(axis=0)
    _, _, turned = np.linalg.svd(known - base, full_matrices=False)
    up = turned[:RANK]
    scores = (known - base) @ up.T
    down, offset = regress(x, scores, seed)
    return linear(down, up, base + offset @ up)


def regress(x: Floats, targets: Floats, seed: int) -> tuple[Floats, Floats]:
    """Ridge coefficients (d, r) and intercepts (r,), one strength per target."""
    fit, held = inner_split(len(x), seed)
    path, centre, mean = _path(x[fit], targets[fit])
    errors = [((targets[held] - mean - (x[held] - centre) @ weights) ** 2).mean(axis=0) for weights in path]
    best = np.argmin(errors, axis=0)
    path, centre, mean = _path(x, targets)
    weights = np.stack(path)[best, :, np.arange(targets.shape[1])].T
    return weights, mean - centre @ weights


def _path(x: Floats, targets: Floats) -> tuple[list[Floats], Floats, Floats]:
    """Coefficients at every strength, and what x and targets were centred by."""
    centre, mean = x.mean(axis=0), targets.mean(axis=0)
    turned, size, axes = rotated(x)
    towards = turned.T @ (targets - mean)
    return [axes @ (towards / (size[:, None] + strength)) for strength in STRENGTHS], centre, mean


def rotated(x: Floats) -> tuple[Floats, Floats, Floats]:
    """(n, d) centred rows in their principal axes, the (d,) sums of squares along these, and the (d, d) axes as columns."""
    centred = x - x.mean(axis=0)
    size, axes = np.linalg.eigh(centred.T @ centred)
    return centred @ axes, np.maximum(size, 0.0), axes


RECIPE = Recipe("ridge", "Hoerl and Kennard 1970", fit_ridge)
