"""A linear map of low rank, with a logistic link where it is wanted: what ridge, logistic, factors and irt are served as."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from onedial.core.outcome import Floats, Ints


@dataclass(frozen=True, slots=True)
class Linear:
    """Outputs are `base + (x @ down) @ up`, and the logistic function of that for the first `logits` of them.

    Attributes:
        down: (d, r).
        up: (r, K).
        base: (K,).
        logits: How many outputs are on the logit scale; an array of no dimension.
    """

    down: Floats
    up: Floats
    base: Floats
    logits: Ints
    kind = "linear"

    def predict(self, x: Floats) -> Floats:
        """(n, d) to (n, K)."""
        out = self.base + (x @ self.down) @ self.up
        cut = int(self.logits)
        out[:, :cut] = expit(out[:, :cut])
        return np.asarray(out)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything there is to store."""
        return asdict(self)


def linear(down: Floats, up: Floats, base: Floats, logits: int = 0) -> Linear:
    """Make one with as many logistic outputs as said."""
    return Linear(down, up, base, np.array(logits))
