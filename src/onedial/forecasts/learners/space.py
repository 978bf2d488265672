"""A latent space of text: words weighted by rarity, pressed into a few hundred coordinates; the shape of the query is appended.

Learned from texts alone, never from outcomes, so one space serves every fold.

Source: Deerwester et al. 1990 (latent semantic analysis); Halko et al. 0909.4061 (randomised range finder).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from onedial.core.outcome import Floats
from onedial.forecasts.sketch import Sketch

COORDINATES = 256
FOLDED = 8192
"""Columns that n-grams are folded into; axes over all of them would be large to keep."""
SHAPE_NORM = 0.5
"""Typical norm of the shape part; that of the words is 1."""
_SPARE = 8  # More directions than are kept, so that the last ones are found well.


@dataclass(frozen=True, slots=True)
class Space:
    """A fitted space.

    Attributes:
        rarity: (FOLDED,) weight of each folded n-gram: inverse document frequency.
        axes: (FOLDED, q) float32, orthonormal columns.
        centre: Of the shape.
        scale: Of the shape.
    """

    rarity: Floats
    axes: npt.NDArray[np.float32]
    centre: Floats
    scale: Floats

    def place(self, x: Sketch) -> Floats:
        """(n, q + shape + embedding) coordinates."""
        words = np.asarray(_weighted(x, self.rarity) @ self.axes, dtype=float)
        shape = np.clip((x.shape - self.centre) / self.scale, -3.0, 3.0) * (SHAPE_NORM / np.sqrt(x.shape.shape[1]))
        norm = np.maximum(np.linalg.norm(x.embedding, axis=1, keepdims=True), 1e-9)
        return np.concatenate((words, shape, x.embedding / norm), axis=1)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything there is to store."""
        return asdict(self)


def fit_space(x: Sketch, seed: int, coordinates: int = COORDINATES) -> Space:
    """Learn weights and axes from texts; few texts give few coordinates."""
    n = len(x)
    seen = np.bincount(x.codes % FOLDED, minlength=FOLDED)
    rarity = np.log((1.0 + n) / (1.0 + seen)) + 1.0
    words = _weighted(x, rarity)
    q = max(min(coordinates, n // 4), 1)
    start = np.random.default_rng([seed, 2]).standard_normal((FOLDED, q + _SPARE)).astype(np.float32)
    base = words.T @ (words @ start)
    base = words.T @ (words @ np.linalg.qr(base)[0])
    base = np.linalg.qr(base)[0]
    _, _, turned = np.linalg.svd(words @ base, full_matrices=False)
    axes = (base @ turned.T)[:, :q]
    return Space(rarity, np.asarray(axes, dtype=np.float32), x.shape.mean(axis=0), x.shape.std(axis=0) + 1e-6)


def _weighted(x: Sketch, rarity: Floats) -> Any:
    """(n, FOLDED) sparse rows of norm 1; a row of nothing stays nothing."""
    codes = x.codes % FOLDED
    values = x.counts * rarity[codes]
    norm = np.sqrt(np.bincount(x.row, weights=values**2, minlength=len(x)))
    values = (values / np.repeat(np.maximum(norm, 1e-9), np.diff(x.indptr))).astype(np.float32)
    return sparse.csr_array((values, codes, x.indptr), shape=(len(x), FOLDED))
