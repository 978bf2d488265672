"""Recorded samples of the training split, laid out for tuning: what any policy would draw, see and pay, on many queries at once.

Rows are queries, each several times with its samples in another order, so that a
setting is judged on more than one draw. Costs are those of `runtime.replay`: the
prompt once per ask, at the cached price where the table caches and the model has
had it; recorded costs where a model has no price. (A replay rounds the prompt
tokens of an ask to a whole number; here they are the mean.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onedial.core.arm import Arm
from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.core.usage import TOKENS_PER_PRICE, Price
from onedial.policies.baselines.contract import Lesson
from onedial.policies.baselines.votes import Seen, leaders

ROWS = 800
COPIES = 8
"""Rows aimed at, and copies of a query at most."""


@dataclass(frozen=True, slots=True)
class Tape:
    """Samples in the order in which they would be drawn; arrays are (rows, sources, samples) unless said otherwise.

    Attributes:
        queries: Of the lesson.
        row: (rows,) which of them each row is.
        copies: Rows per query.
        models: Per source, its model's name.
        depth: (sources,) samples that every query of the table has.
        score: Grades.
        answer: Codes, -1 for none.
        tokens: Output tokens.
        verdict: Verifier scores.
        usd: Cost of each sample beyond the prompt.
        prompt_usd: (rows, sources) cost of sending the prompt to a model that has not had it.
        cached_usd: (rows, sources) the same to a model that has.
    """

    queries: tuple[Query, ...]
    row: Ints
    copies: int
    models: tuple[str, ...]
    depth: Ints
    score: Floats
    answer: Ints
    tokens: Floats
    verdict: Floats
    usd: Floats
    prompt_usd: Floats
    cached_usd: Floats

    def seen(self, source: int, n: int, first: int = 0) -> Seen:
        """Samples `first` to `first + n - 1` of a source."""
        kept = slice(first, first + n)
        return Seen(self.answer[:, source, kept], self.tokens[:, source, kept], self.verdict[:, source, kept])

    def ask_usd(self, source: int, n: int, first: int = 0, warm: bool = False) -> Floats:
        """(rows,) cost of asking for those samples at once.

        Args:
            source: Column.
            n: Samples.
            first: Rank of the first of them.
            warm: Whether the model has had the query before.
        """
        prompt = self.cached_usd if warm else self.prompt_usd
        return np.asarray(prompt[:, source] + self.usd[:, source, first : first + n].sum(axis=1))

    def value(self, source: int, pick: Ints) -> Floats:
        """(rows,) grade of the sample picked in each row."""
        return np.asarray(self.score[np.arange(len(self.row)), source, pick])

    def arm(self, source: int, arm: Arm, warm: bool = False) -> tuple[Floats, Floats]:
        """(rows,) grade and cost of a fixed arm of this source."""
        pick = leaders(self.seen(source, arm.n), by_verdict=arm.strategy == "best")
        return self.value(source, pick), self.ask_usd(source, arm.n, warm=warm)


def depths(lesson: Lesson) -> Ints:
    """(n_sources,) samples that may be asked for: those that every training query has, and no more than the grid is complete for."""
    deepest = dict.fromkeys(lesson.panel.sources, 0)
    for arm in lesson.grid.arms:
        deepest[arm.source] = max(deepest.get(arm.source, 0), arm.n)
    listed = np.array([deepest[source] for source in lesson.panel.sources], dtype=np.int64)
    return np.asarray(np.minimum(lesson.panel.counts.min(axis=0, initial=1 << 30), listed), dtype=np.int64)


def tape_of(lesson: Lesson, columns: Ints, copies: int | None = None) -> Tape:
    """Lay samples out.

    Args:
        lesson: Training split.
        columns: Sources of the panel, each complete.
        copies: Shuffled copies of every query; 0 is one copy in the recorded order, None as many as fit in `ROWS`.
    """
    panel, depth = lesson.panel, depths(lesson)[columns]
    n, deepest = len(panel.queries), int(depth.max())
    repeats = int(panel.counts[:, columns].max()) > 1
    copies = (int(np.clip(ROWS // max(n, 1), 1, COPIES)) if repeats else 0) if copies is None else copies
    row = np.repeat(np.arange(n), max(copies, 1))
    recorded = np.isfinite(panel.score[:, columns])
    key = np.where(recorded, np.arange(panel.score.shape[2]), np.inf)[row]
    if copies:
        key = np.where(np.isfinite(key), np.random.default_rng(lesson.seed).random(key.shape), np.inf)
    order = np.argsort(key, axis=2)[:, :, :deepest]

    def lay(values: Floats) -> Floats:
        return np.asarray(np.take_along_axis(values[:, columns][row], order, axis=2))

    usd, prompt, cached = _bill(lesson, columns)
    return Tape(
        queries=panel.queries,
        row=row,
        copies=max(copies, 1),
        models=tuple(panel.sources[j].model for j in columns),
        depth=depth,
        score=lay(panel.score),
        answer=np.take_along_axis(panel.answer[:, columns][row], order, axis=2),
        tokens=lay(panel.output_tokens),
        verdict=lay(panel.verdict),
        usd=np.take_along_axis(usd[row], order, axis=2),
        prompt_usd=prompt[row],
        cached_usd=(cached if lesson.caches else prompt)[row],
    )


def _bill(lesson: Lesson, columns: Ints) -> tuple[Floats, Floats, Floats]:
    """Cost of each sample, and of its prompt fresh and cached; by price where tokens are known, else what was recorded."""
    panel = lesson.panel
    prices = [lesson.prices.get(panel.sources[j].model) for j in columns]
    rates = np.array([_rates(price) for price in prices]) / TOKENS_PER_PRICE
    tokens, prompt = panel.output_tokens[:, columns], panel.input_tokens[:, columns]
    graded = np.isfinite(panel.score[:, columns])
    known = np.isfinite(rates[:, 0]) & np.isfinite(prompt) & (np.isfinite(tokens) | ~graded).all(axis=2)
    usd = np.where(known[:, :, None], tokens * rates[:, 2, None], panel.cost_usd[:, columns])
    fresh, cached = (np.where(known, prompt * rates[:, k], 0.0) for k in (0, 1))
    return usd, fresh, cached


def _rates(price: Price | None) -> tuple[float, float, float]:
    """USD per million tokens of a prompt, of a cached prompt and of output; NaN without a price."""
    if price is None:
        return (np.nan, np.nan, np.nan)
    cached = price.input_usd_per_mtok if price.cached_usd_per_mtok is None else price.cached_usd_per_mtok
    return price.input_usd_per_mtok, cached, price.output_usd_per_mtok
