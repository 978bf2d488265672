"""Nearest neighbours by cosine, their outcomes averaged with a pull towards the mean of all.

Source: CARROT 2502.03261 and LLMRouterBench 2601.07206 (neighbours are hard to beat as a router).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onedial.core.outcome import Floats, Ints, known_mean
from onedial.forecasts.learners.contract import Recipe, inner_split, spread

COUNTS = (10, 30, 100, 250)
PULLS = (0.3, 3.0)
"""Pull towards the mean, in neighbours of similarity 1."""
POWER = 3
NEAR = 128  # Coordinates that similarity is computed on, besides the shape.
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Training rows by direction, with their outcomes.

    Attributes:
        keep: (d',) the columns that similarity looks at.
        centre: (d',) what they are centred by.
        rows: (n, d') float32, of norm 1.
        outcomes: (n, K) float32, difference from `mean`; NaN where nothing was observed.
        mean: (K,).
        count: How many neighbours; an array of no dimension, like the next.
        pull: Towards the mean.
    """

    keep: Ints
    centre: Floats
    rows: npt.NDArray[np.float32]
    outcomes: npt.NDArray[np.float32]
    mean: Floats
    count: Ints
    pull: Floats
    kind = "knn"

    def predict(self, x: Floats) -> Floats:
        """(n, d) to (n, K)."""
        aimed = _unit(x[:, self.keep] - self.centre)
        blocks = [self._block(aimed[at : at + _BLOCK]) for at in range(0, len(x), _BLOCK)]
        return np.concatenate(blocks) if blocks else np.zeros((0, len(self.mean)))

    def _block(self, aimed: npt.NDArray[np.float32]) -> Floats:
        near = aimed @ self.rows.T
        count = min(int(self.count), near.shape[1])
        index = np.argpartition(-near, count - 1, axis=1)[:, :count]
        weight = np.maximum(np.take_along_axis(near, index, axis=1), 0.0) ** POWER
        found = self.outcomes[index]
        known = np.isfinite(found)
        total = np.einsum("nk,nkm->nm", weight, np.where(known, found, 0.0))
        return np.asarray(self.mean + total / (np.einsum("nk,nkm->nm", weight, known) + self.pull), dtype=float)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything there is to store."""
        return asdict(self)


def fit_knn(x: Floats, y: Floats, rates: int, seed: int) -> Neighbours:
    """Fit; the number of neighbours and the pull are chosen on a split of the rows."""
    fit, held = inner_split(len(x), seed)
    scale = spread(y)
    settings = [(count, pull) for count in COUNTS for pull in PULLS if count < len(fit)] or [(COUNTS[0], PULLS[-1])]

    def error(setting: tuple[int, float]) -> float:
        off = (_stored(x[fit], y[fit], *setting).predict(x[held]) - y[held]) / scale
        return float(known_mean(off.ravel() ** 2, otherwise=0.0))

    return _stored(x, y, *min(settings, key=error))


def _stored(x: Floats, y: Floats, count: int, pull: float) -> Neighbours:
    keep = np.sort(np.argsort(-x.std(axis=0), kind="stable")[: NEAR + 10])
    centre, mean = x[:, keep].mean(axis=0), known_mean(y, axis=0, otherwise=0.0)
    outcomes = np.asarray(y - mean, dtype=np.float32)
    return Neighbours(keep, centre, _unit(x[:, keep] - centre), outcomes, mean, np.array(count), np.array(pull))


def _unit(x: Floats) -> npt.NDArray[np.float32]:
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9), dtype=np.float32)


RECIPE = Recipe("knn", "CARROT 2502.03261", fit_knn)
