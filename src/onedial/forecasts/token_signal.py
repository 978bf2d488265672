"""What the tokens of a sample say about it: whether it is right, and how hard its query is.

A model that is wrong, or that finds a query hard, mostly thinks longer. Per source the
log tokens of a sample, less what was forecast, are normal with a mean that depends
on the state of the query (see `latents.at_nodes`) and on whether the sample is right.
Samples of one source on one query share a part of what is left. Sources lean on
each other: with few queries their coefficients are drawn towards the pool's.

Spreads come of a regression of tokens on outcomes; means, which decide, of what
they foretell: they make recorded scores as likely as they can be made given
tokens, held towards tokens that say nothing.

Source: THEORY.md section 2, "tokens are lognormal, correlated with difficulty"; "the first cheap sample is the best feature";
Lasserre, Bishop, Minka 2006 (generative models fitted to what they are asked).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from onedial.core.outcome import Floats, Ints, known_mean

PRIOR_QUERIES = 12.0
"""Weight, in queries, of the pool's coefficients against a source's own."""
SD_LEAST = 0.15
"""Tokens are never trusted more than this, in natural logs."""
MOST_ROWS = 800
"""Samples of a source that means are fitted to, at most: they are four numbers per source."""
MOST_OTHERS = 12
"""Other sources that the tokens of one are to foretell, at most."""
PULL = np.array([4.0, 0.1, 4.0, 4.0])
"""How strongly a source's means, in standard deviations, are held to the pool's, in observations: the shift of right samples, the level
(hardly: a level that is off would make every sample look right, or wrong), the slope and the place of the last state."""
POOL_PULL = 4.0 * PULL
"""How strongly the pool's are held to zero, likewise."""
BALANCE = 20.0
"""How strongly what is believed after the tokens is held to what was before, on average over samples: evidence moves both ways."""
FAR = 3.0
"""Standard scores beyond this count as this."""
_STEPS = 25
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

    def with_columns(self, other: TokenSignal) -> TokenSignal:
        """The signal with the sources of another one after its own."""
        own: dict[str, Any] = {
            name: np.concatenate((getattr(self, name), getattr(other, name))) for name in ("right", "state", "shared", "own")
        }
        return replace(self, **own)

    def columns(self, index: Sequence[int] | Ints) -> TokenSignal:
        """The signal of a subset of the sources."""
        keep = np.asarray(index, dtype=np.int64)
        return TokenSignal(self.right[keep], self.state[keep], self.shared[keep], self.own[keep], self.together)


def fit_token_signal(residual: Floats, right: Floats, states: Floats, success: Floats, weights: Floats, seed: int = 0) -> TokenSignal:
    """Find how far tokens spread, and the means at which they foretell success best.

    Args:
        residual: (n, S, k) log tokens less forecast log tokens; NaN where unknown.
        right: (n, S, k) score of each sample in [0, 1]; NaN where unknown.
        states: (n, T) chance of each state of each query, given its outcomes.
        success: (n, S, T) forecast success in each state, outcomes unseen.
        weights: (n, T) forecast chance of each state, outcomes unseen.
        seed: Of the queries taken where there are many.
    """
    rough = _regressed(residual, right, states)
    deviation = np.sqrt(rough.shared + rough.own)
    rng = np.random.default_rng([seed, len(states)])
    rows, sample = _drawn(residual.shape[0], residual.shape[2], rng)
    others = np.sort(rng.permutation(len(deviation))[:MOST_OTHERS])
    z, rate = residual[rows, :, sample] / deviation, known_mean(right, axis=2)[rows]
    told = _Told(z, right[rows, :, sample], success[rows], weights[rows], rate[:, others], success[rows][:, others])
    every = range(len(deviation))
    pool = _best(told, every, np.zeros(4), POOL_PULL)
    own = np.array([_best(told, [source], pool, PULL) for source in every])
    state = _state_means(own[:, 1:]) * deviation[:, None]
    return replace(rough, right=own[:, 0] * deviation, state=state)


def _drawn(n: int, k: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Which query and which of its samples each row is: every first sample, then every second one, as many as may be."""
    order = rng.permutation(n)
    rows = np.concatenate([order for _ in range(k)])[:MOST_ROWS]
    return rows, np.repeat(np.arange(k), n)[: len(rows)]


def _state_means(levels: Floats) -> Floats:
    """(..., 4) mean in each state of a level, a slope over the residual difficulties, and the place of "beyond every source"."""
    level, slope, beyond = np.moveaxis(levels, -1, 0)
    return np.asarray(np.stack((level - slope, level, level + slope, level + beyond), axis=-1))


@dataclass(frozen=True, slots=True)
class _Told:
    """Samples, their queries, and what was forecast of them.

    Attributes:
        z: (n, S) standard scores of tokens.
        score: (n, S) scores of the same samples.
        success: (n, S, T) forecast success.
        weights: (n, T) forecast states.
        rate: (n, O) mean scores of some sources on the query.
        others: (n, O, T) forecast success of those.
    """

    z: Floats
    score: Floats
    success: Floats
    weights: Floats
    rate: Floats
    others: Floats

    def log_likelihood(self, source: int, means: Floats) -> float:
        """Of scores given the tokens of a sample of one source: its own, and the mean of all others; less what is out of balance."""
        seen = np.isfinite(self.z[:, source]) & np.isfinite(self.score[:, source])
        if not seen.any():
            return 0.0
        z, success, weights = self.z[seen, source, None], self.success[seen, source], self.weights[seen]
        state = _state_means(means[1:])
        if_right, if_wrong = (np.exp(-0.5 * np.clip(z - state - shift, -FAR, FAR) ** 2) for shift in (means[0], 0.0))
        yes = weights * success * if_right
        whole = np.maximum(yes + weights * (1.0 - success) * if_wrong, 1e-300)
        now = whole / whole.sum(axis=1, keepdims=True)
        own = _clipped(yes.sum(axis=1) / whole.sum(axis=1))
        every = _clipped(np.matmul(self.others[seen], now[..., None])[..., 0])
        tilt = np.append(
            (every - np.matmul(self.others[seen], weights[..., None])[..., 0]).mean(axis=0), (own - (weights * success).sum(axis=1)).mean()
        )
        told = _log(own, self.score[seen, source]).sum() + _log(every, self.rate[seen]).sum() / every.shape[1]
        return float(told - BALANCE * len(own) * (tilt[-1] ** 2 + (tilt[:-1] ** 2).mean()))


def _clipped(p: Floats) -> Floats:
    return np.asarray(np.clip(p, 1e-6, 1.0 - 1e-6))


def _log(p: Floats, score: Floats) -> Floats:
    """Log likelihood of scores, 0 where there is none."""
    return np.where(np.isfinite(score), score * np.log(p) + (1.0 - score) * np.log1p(-p), 0.0)


def _best(told: _Told, sources: Sequence[int], centre: Floats, pull: Floats) -> Floats:
    """(4,) the shift of right samples and the means of states, in standard deviations, that foretell best, held to a centre."""
    from scipy.optimize import minimize

    def loss(means: Floats) -> float:
        return 0.5 * float((pull * (means - centre) ** 2).sum()) - sum(told.log_likelihood(source, means) for source in sources)

    return np.asarray(minimize(loss, centre, method="L-BFGS-B", options={"maxiter": _STEPS}).x)


def _regressed(residual: Floats, right: Floats, states: Floats) -> TokenSignal:
    known = np.isfinite(residual) & np.isfinite(right)
    count = np.maximum(known.sum(axis=2), 1)
    seen = known.any(axis=2).astype(float)
    z = np.where(known, residual, 0.0).sum(axis=2) / count
    r = np.where(known, right, 0.0).sum(axis=2) / count
    coefficient = _coefficients(np.concatenate((r.T[..., None], np.broadcast_to(states, (r.shape[1], *states.shape))), axis=2), z, seen)
    mean = coefficient[:, 0][None, :, None] * np.where(known, right, 0.0) + (states @ coefficient[:, 1:].T)[..., None]
    left = np.where(known, residual - mean, 0.0)
    own = _within(left, known)
    between = (np.where(seen > 0, left.sum(axis=2) / count, 0.0) ** 2).sum(axis=0) / np.maximum(seen.sum(axis=0), 1.0)
    share = (seen / count).sum(axis=0) / np.maximum(seen.sum(axis=0), 1.0)
    shared, own = np.maximum(between - own * share, SD_LEAST**2 / 2), np.maximum(own, SD_LEAST**2 / 2)
    score = np.where(seen > 0, left.sum(axis=2) / count, 0.0) / np.sqrt(shared + own / count)
    return TokenSignal(coefficient[:, 0], coefficient[:, 1:], shared, own, _together(score, seen))


def _coefficients(design: Floats, z: Floats, seen: Floats) -> Floats:
    """(S, 1 + T) least squares per source, drawn towards the pool's; design (S, n, 1 + T), the rest (n, S)."""
    gram = np.einsum("sni,snj,ns->sij", design, design, seen)
    moment = np.einsum("sni,ns,ns->si", design, z, seen)
    eye, queries = np.eye(gram.shape[1]), max(float(seen.sum()), 1.0)
    pool = np.linalg.solve(gram.sum(axis=0) + PRIOR_QUERIES * eye, moment.sum(axis=0))
    scale = PRIOR_QUERIES * (gram.sum(axis=0) / queries + eye / len(eye)) / 2  # states that hardly occur stay with the pool too
    return np.asarray(np.linalg.solve(gram + scale, (moment + scale @ pool)[..., None])[..., 0])


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
