"""What was left out, as estimates with their noise: the quality of n samples from the samples that no prediction saw.

The square of a truth is estimated without bias from two disjoint subsets of n samples,
which gives the noise of the estimate itself. Where fewer than 2 n samples were left out, the noise is expected from how success
is spread over queries (coverage) or from resampling with replacement (votes), and the cell is marked as not exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln
from scipy.stats import binom

from onedial.core.outcome import Floats, Ints, Panel
from onedial.core.usage import TOKENS_PER_PRICE, Price
from onedial.policies.grid import pass_at_k

DRAWS = 64
RESAMPLES = 16
STEPS = 60
NODES = (np.arange(40) + 0.5) / 40.0


@dataclass(frozen=True, slots=True)
class Truth:
    """Estimated quality of one sample count.

    Attributes:
        quality: (n, S); NaN where too few samples were left out.
        noise: (n, S) variance of that estimate.
        exact: (n, S) whether `noise` is without bias.
    """

    quality: Floats
    noise: Floats
    exact: np.typing.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Halves:
    """The samples of a panel in a random order, cut into those that may be seen and the rest.

    Attributes:
        right: (n, S, f) 1 or 0 of the samples seen; NaN for none.
        answer: (n, S, f) their answers.
        cost: (n, S, f) their cost in USD, the prompt not included where it is known apart.
        tokens: (n, S, f) their output tokens; NaN where unknown.
        held_right: The same of the rest.
        held_answer: The same of the rest.
        held_cost: The same of the rest.
        prompt: (n, S) cost of one prompt; 0 where it is part of every sample's cost.
    """

    right: Floats
    answer: Ints
    cost: Floats
    tokens: Floats
    held_right: Floats
    held_answer: Ints
    held_cost: Floats
    prompt: Floats


def cut(panel: Panel, prices: Mapping[str, Price], seen: int, rng: np.random.Generator) -> Halves:
    """Shuffle each (query, source)'s samples and let the first `seen` of them be seen. A score of at least 0.5 is right."""
    graded = np.isfinite(panel.score)
    order = np.argsort(np.where(graded, rng.random(panel.score.shape), 2.0), axis=2)
    score = np.take_along_axis(panel.score, order, axis=2)
    right = np.where(np.isfinite(score), (score >= 0.5).astype(float), np.nan)
    answer = np.take_along_axis(panel.answer, order, axis=2)
    prompt, cost = sample_costs(panel, prices)
    cost = np.take_along_axis(cost, order, axis=2)
    tokens = np.take_along_axis(panel.output_tokens, order, axis=2)
    first, rest = (..., slice(None, seen)), (..., slice(seen, None))
    return Halves(right[first], answer[first], cost[first], tokens[first], right[rest], answer[rest], cost[rest], prompt)


def sample_costs(panel: Panel, prices: Mapping[str, Price]) -> tuple[Floats, Floats]:
    """(n, S) cost of the prompt and (n, S, samples) of what each sample adds; recorded costs hold the prompt already."""
    prompt, cost = np.zeros(panel.score.shape[:2]), panel.cost_usd.copy()
    for j, source in enumerate(panel.sources):
        price = prices.get(source.model)
        if price is not None:
            prompt[:, j] = panel.input_tokens[:, j] * price.input_usd_per_mtok / TOKENS_PER_PRICE
            cost[:, j] = panel.output_tokens[:, j] * price.output_usd_per_mtok / TOKENS_PER_PRICE
    return prompt, cost


def coverage_truth(right: Floats, n: int) -> Truth:
    """Chance that at least one of `n` samples is right.

    Args:
        right: (n_queries, S, samples) 1 or 0; NaN for none.
        n: Samples.
    """
    m, c = np.isfinite(right).sum(axis=2), np.nansum(right, axis=2).astype(np.int64)
    quality = np.where(m >= n, 1.0 - _none_right(m, c, n), np.nan)
    exact = m >= 2 * n
    square = np.where(exact, 1.0 - 2.0 * _none_right(m, c, n) + _none_right(m, c, 2 * n), np.nan)
    noise = np.where(exact, quality**2 - square, np.nan)
    for j, size in sorted({(int(j), int(m[i, j])) for i, j in zip(*np.nonzero((m >= n) & ~exact), strict=True)}):
        rows = np.flatnonzero(m[:, j] == size)
        noise[rows, j] = _expected_noise(size, c[rows, j], n)
    return Truth(quality, noise, exact)


def _none_right(m: Ints, c: Ints, n: int) -> Floats:
    """Chance that none of n out of m samples, c of them right, is right; drawn without replacement."""
    wrong = m - c
    able = np.maximum(wrong, n)
    log = gammaln(able + 1) - gammaln(able - n + 1) - gammaln(np.maximum(m, n) + 1) + gammaln(np.maximum(m, n) - n + 1)
    return np.asarray(np.where(wrong >= n, np.exp(log), 0.0))


def _expected_noise(m: int, counts: Ints, n: int) -> Floats:
    """(queries,) variance of the estimate from m samples, given the right ones, with chances spread as all counts suggest."""
    every = np.arange(m + 1)
    chance = binom.pmf(every[None, :], m, NODES[:, None])
    value = np.array([pass_at_k(m, int(k), n) for k in every])
    variance = chance @ value**2 - (chance @ value) ** 2
    seen, weights = chance[:, counts].T, np.full(len(NODES), 1.0 / len(NODES))
    for _ in range(STEPS):
        share = seen * weights
        share /= share.sum(axis=1, keepdims=True)
        weights = share.mean(axis=0)
    return np.asarray(share @ variance)


def vote_truth(right: Floats, answer: Ints, n: int, rng: np.random.Generator) -> Truth:
    """Chance that the plurality answer of `n` samples is right; ties are shared, and no answer never wins.

    Args:
        right: (n_queries, S, samples) 1 or 0; NaN for none.
        answer: (n_queries, S, samples) answer codes; -1 for none.
        n: Samples.
        rng: Source of the subsets.
    """
    m = np.isfinite(right).sum(axis=2)
    quality, noise = np.full(m.shape, np.nan), np.full(m.shape, np.nan)
    for i, j in zip(*np.nonzero(m >= n), strict=True):
        known = np.isfinite(right[i, j])
        quality[i, j], noise[i, j] = _vote_cell(right[i, j][known], answer[i, j][known], n, rng)
    return Truth(quality, noise, m >= 2 * n)


def _vote_cell(right: Floats, answer: Ints, n: int, rng: np.random.Generator) -> tuple[float, float]:
    if np.ptp(right) == 0:
        return float(right[0]), 0.0
    m = right.size
    order = _orders(rng, DRAWS, m)
    first = _votes(right[order[:, :n]], answer[order[:, :n]])
    if m >= 2 * n:
        second = _votes(right[order[:, n : 2 * n]], answer[order[:, n : 2 * n]])
        mean = 0.5 * (first.mean() + second.mean())
        return float(mean), float(mean**2 - (first * second).mean())
    again = rng.integers(0, m, (RESAMPLES, m))
    inner = np.stack([again[:, o] for o in _orders(rng, 8, m)[:, :n]], axis=1).reshape(-1, n)
    found = _votes(right[inner], answer[inner]).reshape(RESAMPLES, 8)
    chance = found.var(axis=1, ddof=1).mean() / 8 if n < m else 0.0
    return float(first.mean()), float(max(found.mean(axis=1).var(ddof=1) - chance, 0.0)) * m / (m - 1)


def _orders(rng: np.random.Generator, draws: int, m: int) -> Ints:
    return np.argsort(rng.random((draws, m)), axis=1)


def _votes(right: Floats, answer: Ints) -> Floats:
    """(draws,) share of the leading answers that is right, (draws, n) samples of each vote."""
    same = answer[:, :, None] == answer[:, None, :]
    support = np.where(answer >= 0, same.sum(axis=2), 1e-6)
    leads = support >= support.max(axis=1, keepdims=True)
    each = leads / np.maximum(same.sum(axis=2), 1)
    return np.asarray((each * right).sum(axis=1) / each.sum(axis=1))
