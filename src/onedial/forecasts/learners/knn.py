"""Nearest neighbours by cosine, their outcomes averaged with a pull towards the mean of all.

Source: CARROT 2502.03261 and LLMRouterBench 2601.07206 (neighbours are hard to beat as a router).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
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
        blocks = [self.average(*self.near(x[at : at + _BLOCK])) for at in range(0, len(x), _BLOCK)]
        return np.concatenate(blocks) if blocks else np.zeros((0, len(self.mean)))

    def near(self, x: Floats) -> tuple[Ints, npt.NDArray[np.float32]]:
        """(n, count) the neighbours of each row, nearest first, and their weights."""
        cosine = _unit(x[:, self.keep] - self.centre) @ self.rows.T
        count = min(int(self.count), cosine.shape[1])
        index = np.argpartition(-cosine, count - 1, axis=1)[:, :count]
        close = np.take_along_axis(cosine, index, axis=1)
        order = np.argsort(-close, axis=1)
        weight = np.maximum(np.take_along_axis(close, order, axis=1), 0.0) ** POWER
        return np.take_along_axis(index, order, axis=1), weight

    def average(self, index: Ints, weight: npt.NDArray[np.float32]) -> Floats:
        """(n, K) outcomes of the neighbours given, pulled towards the mean."""
        found = self.outcomes[index]
        known = np.isfinite(found)
        total = (weight[:, None] @ np.where(known, found, np.float32(0.0)))[:, 0]
        seen = (weight[:, None] @ known.astype(np.float32))[:, 0]
        return np.asarray(self.mean + total / (seen + self.pull), dtype=float)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything there is to store."""
        return asdict(self)


def fit_knn(x: Floats, y: Floats, rates: int, seed: int) -> Neighbours:
    """Fit; the number of neighbours and the pull are chosen on a split of the rows."""
    fit, held = inner_split(len(x), seed)
    counts = [count for count in COUNTS if count < len(fit)] or [1]
    tried = [(count, pull) for count in counts for pull in PULLS]
    most = _stored(x[fit], y[fit], counts[-1], PULLS[0])
    index, weight = most.near(x[held])
    scale = spread(y)
    errors = []
    for count, pull in tried:
        off = (replace(most, pull=np.array(pull)).average(index[:, :count], weight[:, :count]) - y[held]) / scale
        errors.append(float(known_mean(off.ravel() ** 2, otherwise=0.0)))
    return _stored(x, y, *tried[int(np.argmin(errors))])


def _stored(x: Floats, y: Floats, count: int, pull: float) -> Neighbours:
    keep = np.sort(np.argsort(-x.std(axis=0), kind="stable")[: NEAR + 10])
    centre, mean = x[:, keep].mean(axis=0), known_mean(y, axis=0, otherwise=0.0)
    outcomes = np.asarray(y - mean, dtype=np.float32)
    return Neighbours(keep, centre, _unit(x[:, keep] - centre), outcomes, mean, np.array(count), np.array(pull))


def _unit(x: Floats) -> npt.NDArray[np.float32]:
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9), dtype=np.float32)


RECIPE = Recipe("knn", "CARROT 2502.03261", fit_knn)
