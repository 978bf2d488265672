"""Clusters of queries, each with the mean outcome of its members, pulled towards the mean of all.

Source: UniRoute 2502.08773; Avengers-Pro 2508.12631.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onedial.core.outcome import Floats, Ints, known_mean
from onedial.forecasts.learners.contract import Recipe, inner_split, spread

COUNTS = (4, 8, 16, 32, 64)
PULL = 4.0
"""Towards the mean, in members."""
_MEMBERS = 8  # On average at least, or a count of clusters is not tried.
_SWEEPS = 12


@dataclass(frozen=True, slots=True)
class Clusters:
    """Centres and what is forecast near them.

    Attributes:
        centres: (c, d).
        outcomes: (c, K).
    """

    centres: Floats
    outcomes: Floats
    kind = "clusters"

    def predict(self, x: Floats) -> Floats:
        """(n, d) to (n, K)."""
        return np.asarray(self.outcomes[nearest(x, self.centres)])

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything there is to store."""
        return asdict(self)


def fit_kmeans(x: Floats, y: Floats, rates: int, seed: int) -> Clusters:
    """Fit; how many clusters is chosen on a split of the rows."""
    fit, held = inner_split(len(x), seed)
    scale = spread(y)
    counts = [count for count in COUNTS if count * _MEMBERS <= len(fit)] or [1]

    def error(count: int) -> float:
        off = (_grouped(x[fit], y[fit], count, seed).predict(x[held]) - y[held]) / scale
        return float(known_mean(off.ravel() ** 2, otherwise=0.0))

    return _grouped(x, y, min(counts, key=error), seed)


def nearest(x: Floats, centres: Floats) -> Ints:
    """(n,) the closest centre of each row."""
    return np.asarray(((centres**2).sum(axis=1) - 2.0 * x @ centres.T).argmin(axis=1))


def _grouped(x: Floats, y: Floats, count: int, seed: int) -> Clusters:
    """Group rows into at most so many clusters; one that loses its members stays where it was and forecasts the mean."""
    centres = x[np.random.default_rng([seed, count]).choice(len(x), count, replace=False)]
    for _ in range(_SWEEPS):
        member = nearest(x, centres)[:, None] == np.arange(len(centres))
        size = member.sum(axis=0)[:, None]
        centres = np.where(size > 0, member.T.astype(float) @ x / np.maximum(size, 1), centres)
    member = (nearest(x, centres)[:, None] == np.arange(len(centres))).astype(float)
    mean = known_mean(y, axis=0, otherwise=0.0)
    known = np.isfinite(y)
    total = member.T @ np.where(known, y - mean, 0.0)
    return Clusters(centres, mean + total / (member.T @ known.astype(float) + PULL))


RECIPE = Recipe("kmeans", "Avengers-Pro 2508.12631", fit_kmeans)
