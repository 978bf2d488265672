"""A random forest on raw features; see `forecasts.forest`. What is grown gets less as queries get many, so that fitting stays quick.

Source: Breiman 2001.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from onedial.core.outcome import Floats
from onedial.forecasts.forest import Forest, grow_forest
from onedial.forecasts.learners.contract import Arrays, Recipe, filled

FEW = 500
"""Up to so many queries every tree sees a full bootstrap."""
LEAN: dict[str, Any] = {"trees": 60, "share": 0.15, "rows": FEW}
_BLOCK = 256  # Rows at a time: every tree's leaf of every row is held at once.


@dataclass(frozen=True, slots=True)
class Trees:
    """A forest as a learner: outputs are `base` plus the mean over trees, turned back from the directions it was grown on.

    Attributes:
        forest: The trees.
        up: (r, K) directions.
        base: (K,).
    """

    forest: Forest
    up: Floats
    base: Floats
    kind = "trees"

    def predict(self, x: Floats) -> Floats:
        """(n, d) to (n, K)."""
        parts = [self.forest.predict(x[at : at + _BLOCK]) for at in range(0, len(x), _BLOCK)]
        found = np.concatenate(parts) if parts else np.zeros((0, len(self.up)))
        return np.asarray(self.base + found @ self.up)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything there is to store."""
        trees = {f"forest.{f.name}": getattr(self.forest, f.name) for f in fields(Forest)}
        return {**trees, "up": self.up, "base": self.base}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Trees:
        """Read what `arrays` gave."""
        return cls(Forest(**{f.name: arrays[f"forest.{f.name}"] for f in fields(Forest)}), arrays["up"], arrays["base"])


def fit_forest(x: Floats, y: Floats, rates: int, seed: int) -> Trees:
    """Fit; see `Fits`."""
    return unseen(x, y, rates, seed)[0]


def unseen(x: Floats, y: Floats, rates: int, seed: int) -> tuple[Trees, Floats]:
    """Fit, and forecast the training rows out of bag."""
    many = len(x) > FEW
    forest, bag = grow_forest(x, filled(y), seed, **(LEAN if many else {}))
    k = y.shape[1]
    return Trees(forest, np.eye(k), np.zeros(k)), bag


RECIPE = Recipe("forest", "Breiman 2001", fit_forest, sees="features", unseen=unseen)
