"""A table made ready for the bench: which sources and queries are complete enough, what they cost, and in which unit.

Scores decide nothing here, except that sources whose answers give them away are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from hashlib import blake2b
from typing import Literal

from onedial.core.arm import Source
from onedial.core.errors import TableError
from onedial.core.model import Effort, Model
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.core.usage import Price
from onedial.engine.recorded import Recorded
from onedial.evals.bench.prices import find_price
from onedial.evals.bench.telltale import telltale_sources

COVERED = 0.95
"""Share of the queries on which a source must be graded and priced to be kept."""
PER_TOKEN = 1e-6
Basis = Literal["usd", "tokens", "calls"]


@dataclass(frozen=True, slots=True)
class BenchTable:
    """Queries on which every source kept has a graded and priced sample.

    Attributes:
        name: Of the table.
        queries: Those kept, in table order.
        outcomes: Theirs, of the sources kept; costs in the unit of `basis`.
        models: With prices, to forecast costs by.
        prices: Of the models whose price explains their recorded costs; others cost what was recorded, per sample.
        basis: `usd`, or where no cost is recorded `tokens` (millions of output tokens) or `calls` (samples).
        n_total: Queries in the table.
        notes: What was left out or assumed, one sentence each.
    """

    name: str
    queries: tuple[Query, ...]
    outcomes: tuple[Outcome, ...]
    models: Mapping[str, Model]
    prices: Mapping[str, Price]
    basis: Basis
    n_total: int
    notes: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources kept, sorted."""
        return tuple(sorted({o.source for o in self.outcomes}, key=str))

    def recorded(self, queries: Sequence[Query]) -> Recorded:
        """The outcomes of some of its queries."""
        return replace(Recorded.of(queries, self.outcomes, self.models), prices=self.prices)

    @property
    def digest(self) -> str:
        """Identifies everything in it."""
        found = blake2b(digest_size=12)
        for part in (self.queries, self.outcomes, sorted(self.prices.items(), key=str), self.basis):
            found.update(repr(part).encode())
        return found.hexdigest()


def bench_table(
    name: str,
    queries: Sequence[Query],
    outcomes: Iterable[Outcome],
    *,
    arms: Sequence[str] = (),
    most: int | None = None,
    seed: int = 0,
    telltale: Mapping[Source, str] | None = None,
) -> BenchTable:
    """Keep what is complete enough to compare on.

    Args:
        name: Of the table.
        queries: All of it.
        outcomes: All of them.
        arms: Keep sources whose id contains, or matches as a glob, one of these; all if empty.
        most: Queries at most, chosen by a hash of their id and the seed; None is all.
        seed: Of that hash.
        telltale: Sources known to give their score away, beside those that are found here.

    Raises:
        TableError: Fewer than two sources, or no query, are left.
    """
    graded = [o for o in outcomes if o.score is not None and _matches(o.source, arms)]
    telltale = telltale_sources(graded) | dict(telltale or {})
    wanted = [o for o in graded if o.source not in telltale]
    told = _told(telltale)
    if len({o.source for o in wanted}) < 2 <= len({o.source for o in graded}):
        raise TableError(f"{name}: fewer than 2 sources are left. {' '.join(told)} Record all answers, or none.")
    basis = _basis(wanted)
    priced = [o for o in (_in(basis, o) for o in wanted) if o.cost_usd is not None]
    sources, ids = _complete({(o.query_id, o.source) for o in priced}, len(queries), name)
    chosen = _capped([query for query in queries if query.id in ids], most, seed)
    known, kept_sources = {query.id for query in chosen}, set(sources)
    kept = tuple(o for o in priced if o.query_id in known and o.source in kept_sources)
    models, prices = _models(kept)
    notes = (*told, *_left_out(queries, ids, wanted, sources), *_priced(basis, models, prices))
    if len(chosen) < len(ids):
        notes = (*notes, f"{len(chosen):,} of {len(ids):,} complete queries were taken, by a seeded hash.")
    return BenchTable(name, tuple(chosen), kept, models, prices, basis, len(queries), notes)


def pooled_table(name: str, parts: Sequence[tuple[str, Sequence[Query], Sequence[Outcome]]]) -> tuple[list[Query], list[Outcome]]:
    """Put tables together as one: sources common to all, ids prefixed, the table's name the data set of its queries.

    Raises:
        TableError: They have no source in common.
    """
    common = set.intersection(*({o.source for o in outcomes if o.score is not None} for _, _, outcomes in parts))
    if not common:
        raise TableError(f"{name}: these tables have no model and effort in common, so they cannot be pooled.")
    queries = [replace(q, id=f"{part}:{q.id}", dataset=part) for part, listed, _ in parts for q in listed]
    outcomes = [replace(o, query_id=f"{part}:{o.query_id}") for part, _, rows in parts for o in rows if o.source in common]
    return queries, outcomes


def _matches(source: Source, patterns: Sequence[str]) -> bool:
    return not patterns or any(pattern in str(source) or fnmatch(str(source), pattern) for pattern in patterns)


def _basis(outcomes: Sequence[Outcome]) -> Basis:
    if any(o.cost_usd is not None for o in outcomes):
        return "usd"
    return "tokens" if any(o.output_tokens is not None for o in outcomes) else "calls"


def _in(basis: Basis, outcome: Outcome) -> Outcome:
    if basis == "usd":
        return outcome
    tokens = outcome.output_tokens
    return replace(outcome, cost_usd=1.0 if basis == "calls" else None if tokens is None else PER_TOKEN * tokens)


def _complete(cells: set[tuple[str, Source]], n_queries: int, name: str) -> tuple[list[Source], set[str]]:
    """The sources covered well enough, and the queries that all of them cover."""
    by_source: dict[Source, set[str]] = {}
    for query_id, source in cells:
        by_source.setdefault(source, set()).add(query_id)
    kept = sorted((s for s, ids in by_source.items() if len(ids) >= COVERED * n_queries), key=lambda s: (len(by_source[s]), str(s)))
    if len(kept) < 2:
        raise TableError(
            f"{name}: {len(kept)} of {len(by_source)} sources are graded and priced on {100 * COVERED:.0f} % of its {n_queries} queries; "
            "comparing needs 2. Leave incomplete queries out, or add outcomes."
        )
    ids = set.intersection(*(by_source[s] for s in kept))
    while len(kept) > 2 and len(ids) < COVERED**2 * n_queries:
        kept = kept[1:]
        ids = set.intersection(*(by_source[s] for s in kept))
    if not ids:
        raise TableError(f"{name}: no query has outcomes of all {len(kept)} sources; leave some out with --arms.")
    return sorted(kept, key=str), ids


def _capped(queries: list[Query], most: int | None, seed: int) -> list[Query]:
    if most is None or len(queries) <= most:
        return queries
    first = set(sorted((blake2b(f"{seed}-{q.id}".encode(), digest_size=8).digest(), q.id) for q in queries)[:most])
    ids = {query_id for _, query_id in first}
    return [q for q in queries if q.id in ids]


def _models(outcomes: Sequence[Outcome]) -> tuple[dict[str, Model], dict[str, Price]]:
    by_model: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_model.setdefault(outcome.model, []).append(outcome)
    models, prices = {}, {}
    for name, rows in sorted(by_model.items()):
        found = find_price(rows)
        efforts = tuple(Effort(label) for label in sorted({o.effort for o in rows if o.effort is not None}))
        longest = max((o.output_tokens or 0 for o in rows), default=0)
        models[name] = Model(name, found.price, efforts, capabilities=frozenset({"n"}), max_output_tokens=max(longest, 1))
        if found.exact:
            prices[name] = found.price
    return models, prices


def _told(telltale: Mapping[Source, str]) -> list[str]:
    """A sentence for every way in which answers give their score away."""
    ways = {way: sorted(str(source) for source in telltale if telltale[source] == way) for way in sorted(set(telltale.values()))}
    return [
        f"The answers of {len(names)} sources give their score away, and these were left out: they {way}: {_few(names)}."
        for way, names in ways.items()
    ]


def _left_out(queries: Sequence[Query], ids: set[str], outcomes: Sequence[Outcome], sources: Sequence[Source]) -> list[str]:
    graded, notes = {o.source for o in outcomes}, []
    if len(ids) < len(queries):
        notes.append(f"{len(queries) - len(ids):,} of {len(queries):,} queries lack an outcome of some source, and were left out.")
    if gone := sorted(map(str, graded - set(sources))):
        notes.append(f"{len(gone)} of {len(graded)} sources are not graded and priced on enough queries, and were left out: {_few(gone)}.")
    return notes


def _priced(basis: Basis, models: Mapping[str, Model], prices: Mapping[str, Price]) -> list[str]:
    if basis == "calls":
        return ["Neither costs nor tokens are recorded: every sample costs 1, so that only calls are counted."]
    if basis == "tokens":
        return ["No costs are recorded: output tokens are counted instead, in millions."]
    rest = [name for name in models if name not in prices]
    billed = "a price explains the recorded costs, so that an ask for several samples pays for its prompt once"
    said = f"For {len(prices)} of {len(models)} models {billed}; the others cost what was recorded per sample: {_few(rest)}."
    return [said] if rest else []


def _few(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
