"""The mean of every output: what is forecast when queries say nothing, and what every other learner has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onedial.core.outcome import Floats, known_mean
from onedial.forecasts.learners.contract import Recipe


@dataclass(frozen=True, slots=True)
class Mean:
    """(K,) the same for every query."""

    value: Floats
    kind = "mean"

    def predict(self, x: Floats) -> Floats:
        """(n, d) to (n, K)."""
        return np.tile(self.value, (len(x), 1))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything there is to store."""
        return {"value": self.value}


def fit_mean(x: Floats, y: Floats, rates: int, seed: int) -> Mean:
    """Take column means; zero for an output that was never observed."""
    return Mean(known_mean(y, axis=0, otherwise=0.0))


RECIPE = Recipe("mean", "baseline", fit_mean)
