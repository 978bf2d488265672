"""Matrix factorisation of queries by outputs, on the cells that are known; the factors of a new query are read from its text.

Source: RouteLLM 2406.18665 (matrix factorisation as a router); Koren et al. 2009 (alternating least squares).
"""

from __future__ import annotations

import numpy as np

from onedial.core.outcome import Floats, known_mean
from onedial.forecasts.learners.contract import Recipe, spread
from onedial.forecasts.learners.linear import Linear, linear
from onedial.forecasts.learners.ridge import regress

RANK = 4
_PULL = 2.0  # Of every factor to zero, in cells.
_SWEEPS = 8


def fit_factors(x: Floats, y: Floats, rates: int, seed: int) -> Linear:
    """Fit; see `Fits`."""
    base = known_mean(y, axis=0, otherwise=0.0)
    scale = spread(y)
    known = np.isfinite(y)
    cells = np.where(known, (y - base) / scale, 0.0)
    _, size, turned = np.linalg.svd(cells, full_matrices=False)
    outputs = turned[:RANK].T * np.sqrt(size[:RANK] / np.sqrt(len(y)))
    for _ in range(_SWEEPS):
        queries = _solved(cells, known, outputs)
        outputs = _solved(cells.T, known.T, queries)
    down, offset = regress(x, queries, seed)
    up = outputs.T * scale
    return linear(down, up, base + offset @ up)


def _solved(cells: Floats, known: Floats, other: Floats) -> Floats:
    """The factors of every row, (rows, r), given those of the columns."""
    grams = known.astype(float) @ (other[:, :, None] * other[:, None, :]).reshape(len(other), -1)
    r = other.shape[1]
    return np.asarray(np.linalg.solve(grams.reshape(-1, r, r) + _PULL * np.eye(r), (cells @ other)[..., None])[..., 0])


RECIPE = Recipe("factors", "RouteLLM 2406.18665", fit_factors)
