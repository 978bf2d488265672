"""From one or two samples per query and source to the quality of many: coverage and plurality votes.

The mean of each query's success comes from the other results on it (`query_effects`); its own samples update a
zero-inflated Beta around that mean, whose spread is pooled over queries and held together over sources. Wrong answers
fall into classes like guests of a Chinese restaurant; how concentrated they are is learned from those that were seen twice.

Source: THEORY.md section 2; Ewens 1972 for the classes; Kazdan 2510.05197 for the spread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, gammaln, logit

from onedial.core.arm import Source
from onedial.core.outcome import Floats, Ints, known_mean
from onedial.forecasts.dispersion import KAPPAS, PI0S
from onedial.forecasts.effort_curves import MIN_LEVELS, fit_effort_curves
from onedial.forecasts.latents import log_run
from onedial.forecasts.query_effects import centred, fit_query_effects

SPREADS = tuple((kappa, pi0) for kappa in KAPPAS for pi0 in PI0S)
"""Concentrations and hopeless shares that are averaged over."""
AGREES = (0.03, 0.1, 0.25, 0.45, 0.65, 0.85, 0.97)
"""Chances that two wrong samples agree: the nodes of their concentration."""
THETAS: Floats = (1.0 - np.array(AGREES)) / np.array(AGREES)
TRUST = (0.0, 0.1, 0.25, 0.5, 1.0)
"""How much of what other sources' wrong answers say about a query may be believed."""
_STEPS = 40
_HELD = 5.0  # Queries' worth of the pooled mix in each source's own.


@dataclass(frozen=True, slots=True)
class SampleCurves:
    """What is believed of every (query, source) after its first samples.

    Attributes:
        mu: (n, S) mean success before a query's own samples.
        right: (n, S) right samples seen.
        draws: (n, S) samples seen.
        spread: (S, len(SPREADS)) weights of `SPREADS`.
        agree: (n, S, nodes) weights of `AGREES`.
    """

    mu: Floats
    right: Floats
    draws: Floats
    spread: Floats
    agree: Floats

    def coverage(self, n: int) -> Floats:
        """(n, S) chance that at least one of `n` further samples is right."""
        return self._mixed(lambda alpha, beta: 1.0 - np.exp(betaln(alpha, beta + n) - betaln(alpha, beta)))

    def vote(self, n: int) -> Floats:
        """(n, S) chance that the plurality answer of `n` further samples is right, ties shared."""
        k = np.arange(n + 1)
        log_ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        wins = self.agree @ plurality(n).T

        def quality(alpha: Floats, beta: Floats) -> Floats:
            alpha, beta = alpha[..., None], beta[..., None]
            chance = np.exp(log_ways + betaln(alpha + k, beta + n - k) - betaln(alpha, beta))
            return np.asarray((chance * wins).sum(axis=2))

        return self._mixed(quality)

    def _mixed(self, quality: Callable[[Floats, Floats], Floats]) -> Floats:
        """Average over spreads of the quality on solvable queries, given what was seen."""
        total = np.zeros(self.mu.shape)
        for (kappa, pi0), weight in zip(SPREADS, self.spread.T, strict=True):
            if (weight > 1e-3).any():
                mean = _solvable(self.mu, pi0)
                alpha, beta = mean * kappa + self.right, (1.0 - mean) * kappa + self.draws - self.right
                alive = np.log1p(-pi0) + betaln(alpha, beta) - betaln(mean * kappa, (1.0 - mean) * kappa)
                never = np.where(self.right == 0, np.log(max(pi0, 1e-300)), -np.inf)
                total += weight * np.exp(alive - np.logaddexp(alive, never)) * quality(alpha, beta)
        return total


def fit_sample_curves(right: Floats, answer: Ints, sources: Sequence[Source], tokens: Floats | None = None) -> SampleCurves:
    """Learn from a few samples per query.

    Args:
        right: (n, S, f) 1 or 0 per sample; NaN where there is none.
        answer: (n, S, f) answer codes within the query; -1 for none.
        sources: Column order.
        tokens: (S,) mean tokens of each source, if known: levels of a model are then held to a curve.
    """
    draws = np.isfinite(right).sum(axis=2).astype(float)
    got = np.nansum(right, axis=2)
    mu = _at_means(fit_query_effects(known_mean(right, otherwise=0.0), draws, sources).success, _arm_means(got, draws, tokens, sources))
    return SampleCurves(mu, got, draws, _spread(mu, got, draws), fit_agreement(right, answer))


def _arm_means(right: Floats, draws: Floats, tokens: Floats | None, sources: Sequence[Source]) -> Floats:
    """(S,) mean success of each source over the queries, held to its model's curve where there are levels enough."""
    rate = right / np.where(draws > 0, draws, np.nan)
    mean, count = known_mean(rate, axis=0, otherwise=0.5), np.maximum((draws > 0).sum(axis=0), 1)
    if len(sources) < MIN_LEVELS:
        return mean
    spread = draws > 1
    within = known_mean(np.where(spread, rate * (1.0 - rate) / np.maximum(draws - 1.0, 1.0), np.nan), axis=0)
    noise = np.where(np.isfinite(within), within, 0.5 * mean * (1.0 - mean)) / count
    tokens = np.full(len(sources), np.nan) if tokens is None else tokens
    return fit_effort_curves(sources, mean, noise, tokens).smoothed(sources, noise, tokens)


def _at_means(mu: Floats, means: Floats) -> Floats:
    """Shift each column in logits to its mean."""
    return np.clip(np.stack([centred(logit(column), mean) for column, mean in zip(mu.T, means, strict=True)], axis=1), 1e-3, 1.0 - 1e-3)


def _solvable(mu: Floats, pi0: float) -> Floats:
    """Mean success on queries that are not hopeless."""
    return np.clip(mu / (1.0 - pi0), 1e-3, 1.0 - 1e-3)


def _spread(mu: Floats, right: Floats, draws: Floats) -> Floats:
    """(S, spreads) weights; where nothing was seen twice, every concentration counts alike and nothing is hopeless."""
    if draws.max() < 2:
        known = np.array([float(pi0 == 0.0) for _, pi0 in SPREADS])
        return np.tile(known / known.sum(), (mu.shape[1], 1))
    runs = [log_run(right, draws, _solvable(mu, pi0), np.array(kappa), np.array(pi0)).sum(axis=0) for kappa, pi0 in SPREADS]
    log = np.stack(runs, axis=1)
    return _weights(log + np.log(_mixed(log)))


def _mixed(log: Floats) -> Floats:
    """Weights of a mixture by EM, (cases, nodes) log likelihoods to (nodes,)."""
    weights = np.full(log.shape[1], 1.0 / log.shape[1])
    scaled = np.exp(log - log.max(axis=1, keepdims=True))
    for _ in range(_STEPS):
        share = scaled * weights
        share /= share.sum(axis=1, keepdims=True)
        weights = (share.sum(axis=0) + 0.1) / (len(log) + 0.1 * log.shape[1])
    return np.asarray(weights)


def fit_agreement(right: Floats, answer: Ints) -> Floats:
    """(n, S, nodes) weights of `AGREES` per query and source.

    A source's own mix is learned from its pairs of wrong samples, held to that of all; how much a query's other sources
    are believed is chosen by how well they forecast pairs. With one sample per query the pairs are between sources.
    """
    same, apart = _pairs(right, answer)
    nodes = np.log(np.array(AGREES)), np.log1p(-np.array(AGREES))
    if not (same + apart).any():
        return _between(right, answer, nodes)
    log = same[..., None] * nodes[0] + apart[..., None] * nodes[1]
    paired = (same + apart) > 0
    pooled = _mixed(log[paired])
    own = np.stack([_held(log[:, s][paired[:, s]], pooled) for s in range(log.shape[1])])
    others = log.sum(axis=1, keepdims=True) - log
    best = max(TRUST, key=lambda t: _forecast_quality(own, t * others, log, paired))
    return _weights(np.log(own) + best * others + log)


def _held(log: Floats, pooled: Floats) -> Floats:
    """A source's own mix: one step of EM from the pooled mix, which counts as `_HELD` cases."""
    share = np.exp(log - log.max(axis=1, keepdims=True)) * pooled if len(log) else np.zeros((0, len(pooled)))
    share = share / np.maximum(share.sum(axis=1, keepdims=True), 1e-300)
    return np.asarray((share.sum(axis=0) + _HELD * pooled) / (len(log) + _HELD))


def _forecast_quality(own: Floats, others: Floats, log: Floats, paired: npt.NDArray[np.bool_]) -> float:
    weights = _weights(np.log(own) + others)
    return float(np.log(np.maximum((weights * np.exp(log)).sum(axis=2)[paired], 1e-300)).sum())


def _between(right: Floats, answer: Ints, nodes: tuple[Floats, Floats]) -> Floats:
    """From the agreement of different sources, where no source was asked twice: a source agrees with itself at least as often."""
    n, s, _ = right.shape
    same, apart = _pairs(right.reshape(n, 1, -1), answer.reshape(n, 1, -1))
    total = np.maximum(same + apart, 1.0)
    weight = np.sqrt(total) / total  # pairs of m answers hold about m, not m^2 / 2, independent facts
    log = (same * weight)[..., None] * nodes[0] + (apart * weight)[..., None] * nodes[1]
    between = _weights(np.log(_mixed(log[:, 0])) + log)
    above = np.triu(np.ones((len(AGREES), len(AGREES))))
    return np.broadcast_to(between @ (above / above.sum(axis=1, keepdims=True)), (n, s, len(AGREES))).copy()


def _pairs(right: Floats, answer: Ints) -> tuple[Floats, Floats]:
    """(n, S) pairs of wrong samples that agree, and that differ; a wrong sample without an answer agrees with none."""
    wrong = right < 0.5
    both = wrong[..., :, None] & wrong[..., None, :]
    alike = (answer[..., :, None] == answer[..., None, :]) & (answer[..., :, None] >= 0)
    upper = np.triu(np.ones(both.shape[-2:], dtype=bool), 1)
    return (both & alike & upper).sum(axis=(2, 3)).astype(float), (both & ~alike & upper).sum(axis=(2, 3)).astype(float)


def _weights(log: Floats) -> Floats:
    weight = np.exp(log - log.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


@lru_cache(maxsize=64)
def plurality(n: int) -> Floats:
    """(n + 1, nodes) chance that the right answer wins a vote of `n` with k votes of its own, ties shared.

    >>> bool(np.allclose(plurality(2)[1], 0.5))
    True
    """
    table = np.zeros((n + 1, len(THETAS)))
    for k in range(1, n + 1):
        for parts in _partitions(n - k, n - k):
            tied = 1.0 + sum(size == k for size in parts)
            if not parts or max(parts) <= k:
                table[k] += np.exp(_log_ewens(parts)) / (tied if parts and max(parts) == k else 1.0)
    return table


def _log_ewens(parts: tuple[int, ...]) -> Floats:
    """(nodes,) log probability that guests sit at tables of these sizes, in any order."""
    sizes = np.array(parts, dtype=np.int64)
    many = np.unique(sizes, return_counts=True)[1] if sizes.size else np.zeros(0)
    total = int(sizes.sum())
    rising = gammaln(THETAS + total) - gammaln(THETAS)
    ways = gammaln(total + 1) - np.log(np.maximum(sizes, 1)).sum() - gammaln(many + 1).sum()
    return np.asarray(len(parts) * np.log(THETAS) - rising + ways)


def _partitions(total: int, largest: int) -> Iterator[tuple[int, ...]]:
    if total == 0:
        yield ()
    for part in range(min(total, largest), 0, -1):
        for rest in _partitions(total - part, part):
            yield (part, *rest)
