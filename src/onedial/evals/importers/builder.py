"""Put queries and outcomes together as they are read, so that each stands once and all of it fits."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from onedial.core.errors import TableError
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.evals.importers.contract import Imported
from onedial.evals.importers.records import Place

Key = tuple[str, str, str | None]


class Builder:
    """A table in the making."""

    def __init__(self) -> None:
        self._queries: dict[str, tuple[Query, Place]] = {}
        self._outcomes: dict[tuple[str, str, str | None, int], tuple[Outcome, Place]] = {}
        self._next: dict[Key, int] = {}

    def query(self, query: Query, place: Place) -> None:
        """Take in a query; the same again does no harm.

        Raises:
            TableError: Another one has its id.
        """
        known, first = self._queries.setdefault(query.id, (query, place))
        if known != query:
            differing = next(n for n in ("prompt", "system", "reference", "dataset", "textless") if getattr(known, n) != getattr(query, n))
            raise TableError(f"{place}: query {query.id!r} has another {differing} than in {first}. Give different queries different ids.")

    def known(self, query_id: str) -> Query | None:
        """The query of an id, if there is one."""
        found = self._queries.get(query_id)
        return found[0] if found else None

    def outcome(self, outcome: Outcome, place: Place) -> None:
        """Take in an outcome.

        Raises:
            TableError: One of its query, model, effort and sample index is there.
        """
        key = (outcome.query_id, outcome.model, outcome.effort, outcome.sample_index)
        if key in self._outcomes:
            first = self._outcomes[key][1]
            raise TableError(f"{place}: query_id, model, effort, sample_index {key!r} stand in {first} already. Remove one of them.")
        self._outcomes[key] = outcome, place
        self._next[key[:3]] = max(self._next.get(key[:3], 0), outcome.sample_index + 1)

    def next_index(self, query_id: str, model: str, effort: str | None) -> int:
        """The first sample index after all those taken in."""
        return self._next.get((query_id, model, effort), 0)

    def imported(self, source: Path, notes: Iterable[str] = ()) -> Imported:
        """What has been taken in.

        Raises:
            TableError: No outcome has.
        """
        if not self._outcomes:
            raise TableError(f"{source} holds no outcome that could be imported. {' '.join(notes)}".rstrip())
        queries = tuple(query for query, _ in self._queries.values())
        outcomes = tuple(outcome for outcome, _ in self._outcomes.values())
        return Imported(queries, outcomes, tuple(notes))
