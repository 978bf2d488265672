"""Outcomes: what was observed, one row per sample, and the same as dense arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from onedial.core.arm import Source
from onedial.core.query import Query

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One recorded sample. Absent values are None, never zero.

    Attributes:
        score: Quality in [0, 1], or None if not graded.
        answer: Canonical answer for voting, or None if none could be extracted.
        cost_usd: Cost of this sample alone, the prompt included as if asked for alone.
        propensity: Probability with which the logging policy chose this, if it was chosen.
        label_kind: How the score was made: `reference`, `checker`, `feedback`, ...
    """

    query_id: str
    model: str
    effort: str | None
    sample_index: int
    score: float | None
    answer: str | None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    latency_s: float | None = None
    cached_tokens: int | None = None
    thinking_tokens: int | None = None
    verifier_score: float | None = None
    propensity: float | None = None
    label_kind: str | None = None

    @property
    def source(self) -> Source:
        """The model and effort it came from."""
        return _source(self.model, self.effort)


@lru_cache(maxsize=4096)
def _source(model: str, effort: str | None) -> Source:
    """One object per source: tables hold hundreds of thousands of outcomes of a few dozen."""
    return Source(model, effort)


@dataclass(frozen=True)
class Panel:
    """Outcomes as dense arrays over (query, source, sample); NaN or -1 where there is none.

    Attributes:
        queries: The queries, in row order.
        sources: The (model, effort) pairs, in column order.
        score: float (n_queries, n_sources, n_samples), NaN where missing.
        answer: int (same shape), a code per distinct answer *within the query*; -1 for none.
        output_tokens: float (same shape), NaN where unknown.
        input_tokens: float (n_queries, n_sources), mean prompt tokens, NaN where unknown.
        verdict: float (same shape as score), verifier score, NaN where none.
        cost_usd: float (same shape as score), NaN where unknown.
        latency_s: float (same shape as score), NaN where unknown.
        answers: Per query, the text of each answer code.
    """

    queries: tuple[Query, ...]
    sources: tuple[Source, ...]
    score: Floats
    answer: Ints
    output_tokens: Floats
    input_tokens: Floats
    verdict: Floats
    cost_usd: Floats
    latency_s: Floats
    answers: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, queries: Sequence[Query], outcomes: Iterable[Outcome], sources: Sequence[Source] | None = None) -> Panel:
        """Arrange outcomes; those of queries or sources not listed are left out.

        Args:
            queries: Row order.
            outcomes: Any order; samples are placed in order of `sample_index`, gaps closed.
            sources: Column order; by default every source seen, sorted by model and effort.
        """
        rows = {query.id: i for i, query in enumerate(queries)}
        wanted = None if sources is None else set(sources)
        kept = [o for o in outcomes if o.query_id in rows and (wanted is None or o.source in wanted)]
        columns = tuple(sources) if sources is not None else tuple(sorted({o.source for o in kept}, key=str))
        column = {source: j for j, source in enumerate(columns)}
        i = np.array([rows[o.query_id] for o in kept], dtype=np.int64)
        j = np.array([column[o.source] for o in kept], dtype=np.int64)
        order, k = _ranks(i * len(columns) + j, np.array([o.sample_index for o in kept], dtype=np.int64))
        shape = (len(queries), len(columns), int(k.max(initial=-1)) + 1)

        def placed(name: str) -> Floats:
            array = np.full(shape, np.nan)
            array[i, j, k] = np.array([*map(attrgetter(name), kept)], dtype=float)  # None becomes NaN
            return array

        codes, texts = np.full(len(kept), -1, dtype=np.int64), [dict[str, int]() for _ in queries]
        for at in order.tolist():
            if (answer := kept[at].answer) is not None:
                known = texts[rows[kept[at].query_id]]
                codes[at] = known.setdefault(answer, len(known))
        coded = np.full(shape, -1, dtype=np.int64)
        coded[i, j, k] = codes
        return cls(
            queries=tuple(queries),
            sources=columns,
            score=placed("score"),
            answer=coded,
            output_tokens=placed("output_tokens"),
            input_tokens=known_mean(placed("input_tokens")),
            verdict=placed("verifier_score"),
            cost_usd=placed("cost_usd"),
            latency_s=placed("latency_s"),
            answers=tuple(tuple(text) for text in texts),
        )

    def rows(self, index: Sequence[int] | Ints) -> Panel:
        """The panel of a subset of its queries, in the order given."""
        index = np.asarray(index, dtype=np.int64)
        return Panel(
            queries=tuple(self.queries[i] for i in index),
            sources=self.sources,
            score=self.score[index],
            answer=self.answer[index],
            output_tokens=self.output_tokens[index],
            input_tokens=self.input_tokens[index],
            verdict=self.verdict[index],
            cost_usd=self.cost_usd[index],
            latency_s=self.latency_s[index],
            answers=tuple(self.answers[i] for i in index),
        )

    def only(self, sources: Sequence[Source]) -> Panel:
        """The panel of some of its sources, in the order given; answer codes stay as they are."""
        index = [self.sources.index(source) for source in sources]
        kept = {name: getattr(self, name)[:, index] for name in _PER_SOURCE}
        return Panel(queries=self.queries, sources=tuple(sources), answers=self.answers, **kept)

    @property
    def counts(self) -> Ints:
        """Graded samples per (query, source)."""
        return np.asarray(np.isfinite(self.score).sum(axis=2), dtype=np.int64)


def _ranks(cell: Ints, index: Ints) -> tuple[Ints, Ints]:
    """Order outcomes by the first appearance of their cell, then by sample index; and the rank of each within its cell."""
    _, first, member = np.unique(cell, return_index=True, return_inverse=True)
    order = np.lexsort((index, first[member]))
    begins = np.flatnonzero(np.diff(cell[order], prepend=-1))
    rank = np.empty(len(cell), dtype=np.int64)
    rank[order] = np.arange(len(cell)) - np.repeat(begins, np.diff(begins, append=len(cell)))
    return order, rank


_PER_SOURCE = ("score", "answer", "output_tokens", "input_tokens", "verdict", "cost_usd", "latency_s")


def known_mean(values: Floats, axis: int | tuple[int, ...] = -1, otherwise: float = np.nan) -> Floats:
    """Mean over what is not NaN; `otherwise` where there is nothing.

    >>> known_mean(np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]]), otherwise=0.0).tolist()
    [2.0, 0.0]
    """
    known = np.isfinite(values)
    total, count = np.where(known, values, 0.0).sum(axis=axis), known.sum(axis=axis)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), otherwise))
