"""Whole outcome tables in and out of the store; the formats are in `runtime.table` and `evals.importers`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from onedial.core.errors import TableError
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.runtime.store import Store
from onedial.runtime.table import write_table


@dataclass(frozen=True, slots=True)
class Taken:
    """What a table held, and what of it was new to the store.

    Attributes:
        queries: All of them.
        outcomes: Theirs.
        new_queries: How many were not stored yet.
        new_outcomes: Likewise.
        models: Every model with outcomes.
    """

    queries: int
    outcomes: int
    new_queries: int
    new_outcomes: int
    models: tuple[str, ...]


class Handed(NamedTuple):
    """How much was written."""

    queries: int
    outcomes: int


def take_in(queries: Sequence[Query], outcomes: Sequence[Outcome], store_path: Path) -> Taken:
    """Add a table to the store, all of it or nothing; what is there already, the same in all, is left as it is.

    Raises:
        TableError: The store holds something else under the same key.
    """
    with Store.open(store_path) as store:
        new_queries, new_outcomes = store.add_table(queries, outcomes)
    models = tuple(sorted({outcome.model for outcome in outcomes}))
    return Taken(len(queries), len(outcomes), new_queries, new_outcomes, models)


def hand_over(store_path: Path, folder: Path) -> Handed:
    """Write everything in the store as a table.

    Raises:
        TableError: There is no store.
    """
    if not store_path.exists():
        raise TableError(f"there are no outcomes to hand over: {store_path} does not exist. Run `onedial collect`, or `onedial import`.")
    with Store.open(store_path) as store:
        queries, outcomes = store.queries(), store.outcomes()
    write_table(folder, queries, outcomes)
    return Handed(len(queries), len(outcomes))
