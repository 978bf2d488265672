"""Logistic regressions of success on every n-gram, weighted by rarity: what rare words say, which a few hundred coordinates cannot hold.

With few queries the coordinates of `space` say more, with thousands both together. Outputs that are no success rates get their mean.

Source: Spärck Jones 1972 (rarity); Genkin, Lewis, Madigan 2007 (logistic regression of text, held to zero).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from onedial.core.outcome import Floats, Ints, known_mean
from onedial.forecasts.learners.contract import Recipe, inner_split
from onedial.forecasts.learners.logistic import base_logits, cross_entropy, filled_with_zero

STRENGTHS = (3.0, 1.5, 0.8, 0.4)
LEAST = 2
"""Queries that an n-gram must be in, to count."""
_STEPS = 25


@dataclass(frozen=True, slots=True)
class Words:
    """A weight per n-gram and source.

    Attributes:
        codes: (m,) columns of the n-grams that count, rising.
        rarity: (m,) weight of each: inverse document frequency.
        weights: (m, S) float32.
        base: (K,) logits for the first S outputs, means for the others.
    """

    codes: Ints
    rarity: Floats
    weights: npt.NDArray[np.float32]
    base: Floats
    kind = "words"

    def predict(self, x: Any) -> Floats:
        """(n, GRAMS) sparse log counts to (n, K)."""
        out = np.tile(self.base, (x.shape[0], 1))
        cut = self.weights.shape[1]
        out[:, :cut] = expit(out[:, :cut] + _weighted(x, self.codes, self.rarity) @ self.weights)
        return out

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything there is to store."""
        return asdict(self)


def fit_words(x: Any, y: Floats, rates: int, seed: int) -> Words:
    """Fit to (n, GRAMS) sparse log counts; how strongly weights are held to zero is chosen on a split of the rows."""
    n = x.shape[0]
    seen = np.bincount(x.indices, minlength=x.shape[1])
    codes = np.flatnonzero(seen >= LEAST)
    rarity = np.log((1.0 + n) / (1.0 + seen[codes])) + 1.0
    words, rate = _weighted(x, codes, rarity), y[:, :rates]
    fit, held = inner_split(n, seed)
    path = _path(words[fit], rate[fit], STRENGTHS)
    losses = [cross_entropy(expit(words[held] @ weights + base), rate[held]) for weights, base in path]
    weights, base = _path(words, rate, STRENGTHS[: int(np.argmin(losses)) + 1])[-1]
    rest = known_mean(y[:, rates:], axis=0, otherwise=0.0)
    return Words(codes, rarity, np.asarray(weights, dtype=np.float32), np.concatenate((base, rest)))


def _weighted(x: Any, codes: Ints, rarity: Floats) -> Any:
    """(n, m) sparse rows of norm 1; a row of nothing stays nothing."""
    from scipy import sparse

    own = x[:, codes]
    values = own.data * rarity[own.indices]
    row = np.repeat(np.arange(own.shape[0]), np.diff(own.indptr))
    norm = np.sqrt(np.bincount(row, weights=values**2, minlength=own.shape[0]))
    return sparse.csr_array((values / np.maximum(norm, 1e-9)[row], own.indices, own.indptr), shape=own.shape)


def _path(words: Any, rate: Floats, strengths: tuple[float, ...]) -> list[tuple[Floats, Floats]]:
    """Weights (m, S) and intercepts (S,), from held tightly to loosely, each starting at the one before."""
    from scipy.optimize import minimize

    known, target, turned = np.isfinite(rate), filled_with_zero(rate), words.T.tocsr()
    flat, found = np.concatenate((np.zeros((words.shape[1], rate.shape[1])), base_logits(rate)[None])).ravel(), []
    for strength in strengths:

        def loss(flat: Floats, strength: float = strength) -> tuple[float, Floats]:
            both = flat.reshape(-1, rate.shape[1])
            out = words @ both[:-1] + both[-1]
            off = np.where(known, expit(out) - target, 0.0)
            value = np.where(known, np.logaddexp(0.0, out) - target * out, 0.0).sum() + 0.5 * strength * (both[:-1] ** 2).sum()
            return float(value), np.concatenate((turned @ off + strength * both[:-1], off.sum(axis=0)[None])).ravel()

        flat = minimize(loss, flat, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
        both = flat.reshape(-1, rate.shape[1])
        found.append((both[:-1], both[-1]))
    return found


RECIPE = Recipe("words", "Genkin, Lewis, Madigan 2007", fit_words, sees="words")
