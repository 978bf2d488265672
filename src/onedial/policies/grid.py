"""Every fixed arm on every query: expected quality and cost, from recorded samples.

A recorded table holds N samples per (query, model, effort). An arm that draws n
of them is worth its mean over subsets of size n, drawn without replacement: exact
where that is cheap, else by seeded random subsets. The comparators of every experiment are chosen here,
on whatever split they are given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from onedial.core.arm import Arm
from onedial.core.errors import ConfigError, TableError, unknown
from onedial.core.outcome import Floats, Ints, Panel, known_mean
from onedial.core.usage import TOKENS_PER_PRICE, Price


@dataclass(frozen=True, slots=True)
class Grid:
    """Fixed arms evaluated on queries.

    Attributes:
        arms: Column order.
        quality: (n_queries, n_arms) expected quality in [0, 1]; NaN where too few samples are recorded.
        cost_usd: (n_queries, n_arms) expected cost; NaN where unknown.
    """

    arms: tuple[Arm, ...]
    quality: Floats
    cost_usd: Floats

    def rows(self, index: Sequence[int] | Ints) -> Grid:
        """The grid of a subset of its queries."""
        return Grid(self.arms, self.quality[index], self.cost_usd[index])

    def columns(self, index: Sequence[int] | Ints) -> Grid:
        """The grid of a subset of its arms."""
        return Grid(tuple(self.arms[int(j)] for j in index), self.quality[:, index], self.cost_usd[:, index])

    def complete(self) -> Grid:
        """The grid of the arms that have a quality and a cost for every query.

        Raises:
            TableError: There is no such arm.
        """
        known = np.isfinite(self.quality).all(axis=0) & np.isfinite(self.cost_usd).all(axis=0)
        if not known.any():
            raise TableError("no arm has graded samples and a cost for every query; collect what is missing, or leave those queries out.")
        return self.columns(np.flatnonzero(known))


@dataclass(frozen=True, slots=True)
class Cell:
    """The graded samples of one (query, source): score, answer code (-1 for none) and verifier score, each (n,)."""

    score: Floats
    answer: Ints
    verdict: Floats


Evaluator = Callable[[Cell, int, np.random.Generator, int], float]


def direct_quality(cell: Cell, n: int, rng: np.random.Generator, n_draws: int) -> float:
    """Quality of one sample: the mean score."""
    return float(cell.score.mean())


def vote_quality(cell: Cell, n: int, rng: np.random.Generator, n_draws: int) -> float:
    """Quality of the plurality answer among n samples; ties are shared, samples without an answer do not vote.

    Where nobody has an answer, the quality is that of a sample without one. Exact
    where every outcome is worth the same and where there are at most `n_draws` subsets; else over that many random ones.
    """
    codes, member = np.unique(cell.answer, return_inverse=True)
    ballots = np.eye(codes.size)[member]
    value = (ballots * cell.score[:, None]).sum(axis=0) / ballots.sum(axis=0)
    if n == 1 or np.ptp(value) == 0:
        return float(cell.score.mean())
    votes = ballots[_subsets(cell.score.size, n, rng, n_draws)].sum(axis=1)
    votes[:, codes < 0] *= 1e-6  # an absent answer wins only where there is no other
    leads = votes >= votes.max(axis=1, keepdims=True) - 1e-9
    return float(((leads * value).sum(axis=1) / leads.sum(axis=1)).mean())


def _subsets(size: int, n: int, rng: np.random.Generator, n_draws: int) -> Ints:
    """Every subset of n of `size` where there are at most `n_draws` of them, else so many random ones, one per row."""
    if math.comb(size, n) <= n_draws:
        return np.array(list(combinations(range(size), n)), dtype=np.int64)
    return np.argsort(rng.random((n_draws, size)), axis=1)[:, :n]


def best_quality(cell: Cell, n: int, rng: np.random.Generator, n_draws: int) -> float:
    """Quality of the plurality answer among those of n samples that the verifier scores highest; an absent score is the lowest.

    How many of the n samples share the highest score is counted exactly; the
    plurality among them is `vote_quality`, which is a single sample's where scores do not tie
    and a vote where the verifier has no opinion.
    """
    level = np.where(np.isfinite(cell.verdict), cell.verdict, -np.inf)
    total, below, ways = 0.0, 0, math.comb(level.size, n)
    for top in np.unique(level):
        here = level == top
        tied = Cell(cell.score[here], cell.answer[here], cell.verdict[here])
        for k in range(max(1, n - below), min(n, tied.score.size) + 1):
            p = math.comb(tied.score.size, k) * math.comb(below, n - k) / ways
            total += p * vote_quality(tied, k, rng, n_draws)
        below += tied.score.size
    return total


EVALUATORS: dict[str, Evaluator] = {"direct": direct_quality, "vote": vote_quality, "best": best_quality}


def pass_at_k(n: int, n_right: int, k: int) -> float:
    """Chance that at least one of k samples is right, unbiased from n samples of which `n_right` are.

    Source: Chen 2107.03374, equation 1.

    >>> pass_at_k(4, 1, 2)
    0.5
    """
    if k > n:
        return float("nan")
    return 1.0 - math.comb(n - n_right, k) / math.comb(n, k)


def fixed_arms(
    panel: Panel,
    prices: Mapping[str, Price],
    rng: np.random.Generator,
    *,
    votes: Sequence[int] = (1, 2, 4, 8),
    strategies: Sequence[str] = ("direct", "vote"),
    n_draws: int = 128,
) -> Grid:
    """Evaluate the whole grid source x strategy x n with one setting for all queries.

    Args:
        panel: Recorded samples.
        prices: Per model; a model without one is charged the recorded cost per sample, prompt each time.
        rng: Source of the subsets.
        votes: Sample counts, each at least 1; 1 is the direct arm, whatever the strategy.
        strategies: Keys of `EVALUATORS`; `direct` stands for n = 1.
        n_draws: Random subsets per cell and count, where the expectation is not exact.

    Raises:
        ConfigError: A strategy that cannot be evaluated from independent samples.
    """
    for name in strategies:
        if name not in EVALUATORS:
            raise ConfigError(f"{unknown('strategy', name, EVALUATORS)} Strategies that react to replies replay from traces.")
    kinds = [("direct", 1)] * ("direct" in strategies)
    kinds += [(name, n) for name in strategies if name != "direct" for n in votes if n > 1]
    arms = tuple(Arm(source, name, n) for source in panel.sources for name, n in kinds)
    shape = (len(panel.queries), len(panel.sources), len(kinds))
    quality, cost = np.full(shape, np.nan), np.full(shape, np.nan)
    sizes = np.array([n for _, n in kinds], dtype=np.int64)
    for j, source in enumerate(panel.sources):
        cost[:, j, :] = asked_together(panel, j, prices.get(source.model), sizes)
        for i in range(shape[0]):
            quality[i, j] = _row(panel, i, j, kinds, rng, n_draws)
    flat = (shape[0], shape[1] * shape[2])
    return Grid(arms, quality.reshape(flat), cost.reshape(flat))


def _row(panel: Panel, i: int, j: int, kinds: Sequence[tuple[str, int]], rng: np.random.Generator, n_draws: int) -> list[float]:
    graded = np.isfinite(panel.score[i, j])
    cell = Cell(panel.score[i, j][graded], panel.answer[i, j][graded], panel.verdict[i, j][graded])
    return [EVALUATORS[name](cell, n, rng, n_draws) if n <= cell.score.size else float("nan") for name, n in kinds]


def asked_together(panel: Panel, source: int, price: Price | None, sizes: Ints) -> Floats:
    """Cost of asking for n samples at once: the prompt billed once, every output token billed.

    Args:
        panel: Recorded samples.
        source: Column of the panel.
        price: Of the model; None charges the recorded cost of each sample, prompt included.
        sizes: (k,) sample counts.

    Returns:
        (n_queries, k) in USD; NaN where tokens (or costs) are unknown.

    Source: THEORY.md section 5, "cost".
    """
    if price is None:
        return known_mean(panel.cost_usd[:, source])[:, None] * sizes
    output = known_mean(panel.output_tokens[:, source])[:, None] * sizes * price.output_usd_per_mtok
    prompt = panel.input_tokens[:, source][:, None] * price.input_usd_per_mtok
    total: Floats = (prompt + output) / TOKENS_PER_PRICE
    return total


def best_fixed(train: Grid, target: float) -> int | None:
    """Find the cheapest arm whose mean training quality meets the target; None if none does.

    Args:
        train: A complete grid.
        target: Mean quality.
    """
    quality, cost = train.quality.mean(axis=0), train.cost_usd.mean(axis=0)
    able = np.flatnonzero(quality >= target - 1e-12)
    return int(able[cost[able].argmin()]) if able.size else None


def most_accurate(train: Grid) -> int:
    """The arm of the highest mean training quality, the cheapest of them if several."""
    quality, cost = train.quality.mean(axis=0), train.cost_usd.mean(axis=0)
    return int(np.lexsort((cost, -quality))[0])


def halves(panel: Panel, rng: np.random.Generator) -> tuple[Panel, Panel]:
    """Split the samples of every (query, source) into two random halves; of an odd number the first gets one more."""
    key = np.where(np.isfinite(panel.score), rng.random(panel.score.shape), 2.0)
    order = np.argsort(key, axis=2)
    return _samples(panel, order[:, :, 0::2]), _samples(panel, order[:, :, 1::2])


def _samples(panel: Panel, order: Ints) -> Panel:
    def take(values: Floats) -> Floats:
        return np.take_along_axis(values, order, axis=2)

    return Panel(
        queries=panel.queries,
        sources=panel.sources,
        score=take(panel.score),
        answer=np.take_along_axis(panel.answer, order, axis=2),
        output_tokens=take(panel.output_tokens),
        input_tokens=panel.input_tokens,
        verdict=take(panel.verdict),
        cost_usd=take(panel.cost_usd),
        latency_s=take(panel.latency_s),
        answers=panel.answers,
    )
