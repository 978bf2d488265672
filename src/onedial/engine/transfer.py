"""Whole outcome tables in and out of the store; the formats are in `runtime`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from onedial.core.errors import TableError
from onedial.runtime.store import Store
from onedial.runtime.table import read_table, write_table


@dataclass(frozen=True, slots=True)
class Taken:
    """What a table held, and what of it was new to the store.

    Attributes:
        queries: Queries with a prompt.
        outcomes: Their outcomes.
        new_queries: How many were not stored yet.
        new_outcomes: Likewise.
        models: Every model with outcomes.
        without_prompt: Queries left out, with their outcomes, for want of a prompt.
        repaired: One sentence per column in which impossible measurements were made absent.
    """

    queries: int
    outcomes: int
    new_queries: int
    new_outcomes: int
    models: tuple[str, ...]
    without_prompt: int
    repaired: tuple[str, ...]


class Handed(NamedTuple):
    """How much was written."""

    queries: int
    outcomes: int


def take_in(folder: Path, store_path: Path, *, repair: bool = False) -> Taken:
    """Add a table to the store; what is there already, the same in all, is left as it is.

    Raises:
        TableError: The table is malformed, or the store holds something else under the same key; no outcome is added then.
    """
    table = read_table(folder, repair=repair)
    with Store.open(store_path) as store:
        new_queries = store.add_queries(table.queries)
        new_outcomes = store.add_outcomes(table.outcomes)
    models = tuple(sorted({outcome.model for outcome in table.outcomes}))
    return Taken(len(table.queries), len(table.outcomes), new_queries, new_outcomes, models, len(table.without_prompt), table.repaired)


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
