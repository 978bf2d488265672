"""What the tokens of a sample say about it: whether it is right, and how hard its query is.

A model that is wrong, or that finds a query hard, mostly thinks longer. Per source the
log tokens of a sample, less what was forecast, are normal with a mean that depends
on the state of the query (see `latents.at_nodes`) and on whether the sample is right.
Samples of one source on one query share a part of what is left. Sources lean on
each other: with few queries their coefficients are drawn towards the pool's.

Source: THEORY.md section 2, "tokens are lognormal, correlated with difficulty"; "the first cheap sample is the best feature".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onedial.core.outcome import Floats, Ints

PRIOR_QUERIES = 12.0
"""Weight, in queries, of the pool's coefficients against a source's own."""
SD_LEAST = 0.15
"""Tokens are never trusted more than this, in natural logs."""
CUTS = (-0.6745, 0.0, 0.6745)
"""Where standard scores are cut into bins when looking ahead: quartiles of the normal."""


@dataclass(frozen=True, slots=True)
class TokenSignal:
    """How tokens depend on being right and on the query; arrays are (S,) but for `state`.

    Attributes:
        right: Shift of the mean log tokens when the sample is right; negative where wrong samples are longer.
        state: (S, states) mean log tokens, less the forecast, of a wrong sample in each state of the query.
        shared: Variance that samples of one query share.
        own: Variance of each sample beside it.
        together: Correlation of what is left between sources on one query, in [0, 1]: their lengths tell one story, not many.
    """

    right: Floats
    state: Floats
    shared: Floats
    own: Floats
    together: float = 0.0

    @classmethod
    def none(cls, sources: int, states: int) -> TokenSignal:
        """Tokens that say nothing."""
        return cls(np.zeros(sources), np.zeros((sources, states)), np.ones(sources), np.ones(sources))

    def columns(self, index: Sequence[int] | Ints) -> TokenSignal:
        """The signal of a subset of the sources."""
        keep = np.asarray(index, dtype=np.int64)
        return TokenSignal(self.right[keep], self.state[keep], self.shared[keep], self.own[keep], self.together)


def fit_token_signal(residual: Floats, right: Floats, states: Floats) -> TokenSignal:
    """Regress token residuals on correctness and state.

    Args:
        residual: (n, S, k) log tokens less forecast log tokens; NaN where unknown.
        right: (n, S, k) score of each sample in [0, 1]; NaN where unknown.
        states: (n, T) chance of each state of each query, given its outcomes.
    """
    known = np.isfinite(residual) & np.isfinite(right)
    count = np.maximum(known.sum(axis=2), 1)
    seen = known.any(axis=2).astype(float)
    z = np.where(known, residual, 0.0).sum(axis=2) / count
    r = np.where(known, right, 0.0).sum(axis=2) / count
    flat = np.broadcast_to(states, (r.shape[1], *states.shape))
    design = np.concatenate((r.T[..., None], flat), axis=2)
    gram = np.einsum("sni,snj,ns->sij", design, design, seen)
    moment = np.einsum("sni,ns,ns->si", design, z, seen)
    pool = np.linalg.solve(gram.sum(axis=0) + np.eye(gram.shape[1]), moment.sum(axis=0))
    scale = PRIOR_QUERIES * gram.sum(axis=0) / max(seen.sum(), 1.0) + 1e-6 * np.eye(gram.shape[1])
    coefficient = np.linalg.solve(gram + scale, (moment + scale @ pool)[..., None])[..., 0]
    mean = coefficient[:, 0][None, :, None] * np.where(known, right, 0.0) + (states @ coefficient[:, 1:].T)[..., None]
    left = np.where(known, residual - mean, 0.0)
    own = _within(left, known)
    between = (np.where(seen > 0, left.sum(axis=2) / count, 0.0) ** 2).sum(axis=0) / np.maximum(seen.sum(axis=0), 1.0)
    share = (seen / count).sum(axis=0) / np.maximum(seen.sum(axis=0), 1.0)
    shared = np.maximum(between - own * share, SD_LEAST**2 / 2)
    own = np.maximum(own, SD_LEAST**2 / 2)
    score = np.where(seen > 0, left.sum(axis=2) / count, 0.0) / np.sqrt(shared + own / count)
    return TokenSignal(coefficient[:, 0], coefficient[:, 1:], shared, own, _together(score, seen))


def _within(left: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """(S,) variance among samples of one query and source; half of the whole variance where nothing repeats."""
    count = known.sum(axis=2)
    centre = left.sum(axis=2) / np.maximum(count, 1)
    squares = (np.where(known, left - centre[..., None], 0.0) ** 2).sum(axis=(0, 2))
    freedom = np.maximum(count - 1, 0).sum(axis=0)
    whole = (left**2).sum(axis=(0, 2)) / np.maximum(count.sum(axis=0), 1)
    return np.asarray(np.where(freedom >= 20, squares / np.maximum(freedom, 1), whole / 2))


def _together(score: Floats, seen: Floats) -> float:
    """Mean correlation of standard scores between sources on one query, at least 0."""
    pairs = seen.sum(axis=1) ** 2 - seen.sum(axis=1)
    if not pairs.sum():
        return 0.0
    products = score.sum(axis=1) ** 2 - (score**2).sum(axis=1)
    return float(np.clip(products.sum() / pairs.sum() / max((score**2).sum() / seen.sum(), 1e-12), 0.0, 1.0))
