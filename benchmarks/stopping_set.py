"""A frozen set of synthetic queries, each an answer distribution from which 64 samples are drawn. Stop rules are compared elsewhere.

One synthetic query is one recorded (query, source) cell whose answers can be told
apart: its recorded counts, plus half a sample shared out like all answers that the
table's sources gave to that query, are the parameters of a Dirichlet distribution
from which the query's answer distribution is drawn (a Bayesian bootstrap, held a
little to the pool). Samples are independent draws from it. Everything is seeded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path

import numpy as np

from onedial.core.arm import Source
from onedial.core.errors import TableError
from onedial.core.outcome import Floats, Ints, Outcome, Panel
from onedial.core.query import Query
from onedial.evals.bench.telltale import telltale_sources
from onedial.runtime.table import read_table

MOST, LEAST, FOLDS = 64, 8, 4
CELLS, COPIES, POOLED = 425, 4, 0.5
"""Cells of one table at most, synthetic queries of each, and samples' worth of the pool's answers in them."""
AGREE, ANSWERED = 0.95, 0.5
"""Right samples of a source that must have one answer, and wrong ones that must have any."""
RECORDED = 16
"""Samples of a training query that a forecast is fitted on."""

Cells = dict[Source, dict[str, list[Outcome]]]


@dataclass(frozen=True)
class FrozenSet:
    """Synthetic queries, one per row.

    Attributes:
        names: Of the tables.
        queries: Original queries, by table.
        table: (n,) which table.
        query: (n,) id of the original query.
        source: (n,) who answers.
        fold: (n,) of the original query.
        code: (n, MOST) answers in the order in which they are drawn; -1 for none.
        right: (n, MOST) whether each is right.
    """

    names: tuple[str, ...]
    queries: tuple[tuple[Query, ...], ...]
    table: Ints
    query: tuple[str, ...]
    source: tuple[Source, ...]
    fold: Ints
    code: Ints
    right: Floats

    @property
    def group(self) -> Ints:
        """(n,) a number per original query."""
        return np.asarray(np.unique([f"{t}:{q}" for t, q in zip(self.table, self.query, strict=True)], return_inverse=True)[1].ravel())

    @property
    def digest(self) -> str:
        """Identifies all samples."""
        return blake2b(self.code.tobytes() + self.right.tobytes(), digest_size=6).hexdigest()

    def outcomes(self, rows: Ints, names: Sequence[tuple[str, Source]]) -> list[Outcome]:
        """The first samples of some rows, each under a name of its own."""
        return [
            Outcome(q, s.model, s.effort, k, float(self.right[i, k]), _text(self.code[i, k]), 1, 1, cost_usd=1.0)
            for i, (q, s) in zip(rows, names, strict=True)
            for k in range(RECORDED)
        ]

    def panel(self, table: int, fold: int) -> Panel:
        """Training samples of one table: one synthetic query per cell."""
        first: dict[tuple[str, Source], int] = {}
        for i in np.flatnonzero((self.table == table) & (self.fold != fold)):
            first.setdefault((self.query[i], self.source[i]), int(i))
        used = {q for q, _ in first}
        queries = [q for q in self.queries[table] if q.id in used]
        return Panel.of(queries, self.outcomes(np.array(list(first.values())), list(first)))


def _text(code: int) -> str | None:
    return None if code < 0 else str(code)


def frozen_set(folders: Sequence[Path], seed: int) -> FrozenSet:
    """Draw it; tables without a cell that qualifies are left out."""
    parts, tables, names = [], [], []
    for folder in folders:
        read = read_table(folder, repair=True)
        cells = eligible([o for o in read.outcomes if o.score is not None])
        if cells:
            parts.append(_synthetic(cells, len(names), np.random.default_rng([seed, len(names)]), seed))
            names.append(folder.name)
            tables.append(tuple(read.queries))
    if not parts:
        raise TableError(f"no cell of {', '.join(f.name for f in folders)} has {LEAST} samples whose answers can be told apart.")
    query, source = ([x for part in parts for x in part[k]] for k in (0, 1))
    table, fold, code, right = (np.concatenate(columns) for columns in zip(*(part[2] for part in parts), strict=True))
    size = len(query)
    return FrozenSet(
        tuple(names), tuple(tables), table, tuple(query), tuple(source), fold, code.reshape(size, MOST), right.reshape(size, MOST)
    )


def _synthetic(cells: Cells, table: int, rng: np.random.Generator, seed: int) -> tuple[list[str], list[Source], tuple[Ints | Floats, ...]]:
    listed = sorted(((q, s) for s, own in cells.items() for q in own), key=str)
    order = np.repeat(rng.permutation(len(listed))[:CELLS], COPIES)
    pool, correct, fold = _pooled(cells), _correct(cells), _folds({q for q, _ in listed}, seed)
    query, source, code, right = [], [], [], []
    for q, s in (listed[i] for i in order):
        counts = Counter(o.answer for o in cells[s][q])
        answers = sorted(set(pool[q]) | set(counts), key=str)
        whole = max(sum(pool[q].values()), 1)
        p = rng.dirichlet([counts[a] + POOLED * pool[q][a] / whole for a in answers])
        drawn = rng.choice(len(answers), size=MOST, p=p)
        query.append(q)
        source.append(s)
        code.append(np.where(np.array([a is None for a in answers])[drawn], -1, drawn))
        right.append(np.array([a in correct[q] for a in answers])[drawn].astype(float))
    return query, source, (np.full(len(query), table), np.array([fold[q] for q in query]), np.concatenate(code), np.concatenate(right))


def _pooled(cells: Cells) -> dict[str, Counter[str | None]]:
    found: dict[str, Counter[str | None]] = {}
    for own in cells.values():
        for q, rows in own.items():
            found.setdefault(q, Counter()).update(o.answer for o in rows if o.answer is not None)
    return found


def _correct(cells: Cells) -> dict[str, set[str | None]]:
    found: dict[str, set[str | None]] = {}
    for own in cells.values():
        for q, rows in own.items():
            found.setdefault(q, set()).update(o.answer for o in rows if o.score == 1.0 and o.answer is not None)
    return found


def _folds(ids: set[str], seed: int) -> dict[str, int]:
    ranked = sorted(ids, key=lambda q: blake2b(f"{seed}-{q}".encode(), digest_size=8).digest())
    return {q: i % FOLDS for i, q in enumerate(ranked)}


def eligible(outcomes: Sequence[Outcome]) -> Cells:
    """Cells of at least `LEAST` samples, all right or wrong, of sources that can be voted on and do not give scores away."""
    telltale, by_source = telltale_sources(outcomes), dict[Source, dict[str, list[Outcome]]]()
    for o in outcomes:
        if o.source not in telltale:
            by_source.setdefault(o.source, {}).setdefault(o.query_id, []).append(o)
    whole = {s: {q: c for q, c in own.items() if len(c) >= LEAST and all(o.score in (0.0, 1.0) for o in c)} for s, own in by_source.items()}
    return {s: own for s, own in whole.items() if own and _votable(own)}


def _votable(own: dict[str, list[Outcome]]) -> bool:
    """Whether right samples of a query have one answer, and wrong ones mostly an answer at all."""
    right = [[o.answer for o in rows if o.score == 1.0] for rows in own.values()]
    wrong = [o.answer is not None for rows in own.values() for o in rows if o.score == 0.0]
    neighbours = [(a, b) for answers in right for a, b in pairwise(answers)]
    alike = sum(a == b and a is not None for a, b in neighbours) >= AGREE * len(neighbours)
    return bool(neighbours) and alike and (not wrong or float(np.mean(wrong)) >= ANSWERED)
