"""Outcome tables as Parquet: a directory with `queries.parquet` and `outcomes.parquet`, for handing whole tables over.

Columns are those of `Query` and `Outcome` (a query's id is `query_id`); others
are ignored. Recording goes to the store, foreign formats to the importers of `onedial.evals`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from onedial.core.errors import TableError
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.runtime.columns import OUTCOME_COLUMNS, QUERY_COLUMNS, Kind, read_column
from onedial.runtime.whole import whole_file

QUERIES, OUTCOMES = "queries.parquet", "outcomes.parquet"


@dataclass(frozen=True, slots=True)
class Table:
    """Queries and their outcomes.

    Attributes:
        queries: In file order.
        outcomes: In file order.
        without_prompt: Ids of the queries whose prompt is absent: outcomes of theirs replay and compare, but nothing can be
            asked, and a forecast sees no difference between them.
        repaired: One sentence per column in which impossible measurements were made absent.
    """

    queries: tuple[Query, ...]
    outcomes: tuple[Outcome, ...]
    without_prompt: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()


_KEY = ("query_id", "model", "effort", "sample_index")
_NEEDED = {QUERIES: ("query_id",), OUTCOMES: ("query_id", "model", "sample_index", "score")}


def read_table(directory: Path | str, *, repair: bool = False) -> Table:
    """Read a table; an absent value is None, never zero. A query whose prompt is absent or blank is kept, without text.

    Args:
        directory: Where the two files are.
        repair: Make impossible measurements (a negative token count, cost or latency) absent and say so in
            `repaired`, where else they are errors. Keys and scores are never repaired.

    Raises:
        TableError: Names the file, and the column and row (counted from 1) of what is malformed.
    """
    directory = Path(directory)
    repaired: list[str] | None = [] if repair else None
    listed = _columns(directory / QUERIES, QUERY_COLUMNS, repaired)
    _refuse_twice(directory / QUERIES, "query_id", listed["query_id"])
    queries = tuple(_query(*row) for row in zip(*listed.values(), strict=True))
    observed = _columns(directory / OUTCOMES, OUTCOME_COLUMNS, repaired)
    _refuse_strangers(directory / OUTCOMES, observed["query_id"], {query.id for query in queries})
    keys = list(zip(*(observed[name] for name in _KEY), strict=True))
    _refuse_twice(directory / OUTCOMES, ", ".join(_KEY), keys)
    outcomes = tuple(map(Outcome, *(observed[field.name] for field in fields(Outcome))))
    return Table(queries, outcomes, tuple(query.id for query in queries if query.textless), tuple(repaired or ()))


def write_table(directory: Path | str, queries: Iterable[Query], outcomes: Iterable[Outcome]) -> None:
    """Write a table whole or not at all; files of that name are replaced, once both are written."""
    directory = Path(directory)
    made = not directory.exists()
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with whole_file(directory / QUERIES) as first, whole_file(directory / OUTCOMES) as second:
            _write(first, QUERY_COLUMNS, [(q.id, q.prompt or None, q.system, q.reference, q.dataset) for q in queries])
            _write(second, OUTCOME_COLUMNS, [attrgetter(*OUTCOME_COLUMNS)(outcome) for outcome in outcomes])
    except BaseException:
        if made:
            directory.rmdir()
        raise


def _query(query_id: str, prompt: str | None, system: str | None, reference: str | None, dataset: str | None) -> Query:
    if prompt is None or not prompt.strip():
        return Query.without_text(query_id, reference, dataset or "")
    return Query(query_id, prompt, system or "", reference, dataset or "")


def _columns(path: Path, kinds: dict[str, Kind], repaired: list[str] | None) -> dict[str, list[Any]]:
    """The known columns of a file, checked or repaired; one that the file lacks is all None."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise TableError(f"{path} is not there; expected a directory that holds {QUERIES} and {OUTCOMES}.")
    try:
        names = pq.read_schema(path).names
        missing = [name for name in _NEEDED[path.name] if name not in names]
        if missing:
            raise TableError(f"{path} has no column {missing[0]!r}; it has {', '.join(names)}. Rename or add it.")
        table = pq.read_table(path, columns=[name for name in kinds if name in names])
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"{path} cannot be read as Parquet: {error}") from error
    absent = [None] * table.num_rows
    return {n: read_column(str(path), n, kind, table[n], repaired) if n in names else absent for n, kind in kinds.items()}


def _refuse_twice(path: Path, name: str, keys: Sequence[Any]) -> None:
    if len(set(keys)) == len(keys):
        return
    first: dict[Any, int] = {}
    for row, key in enumerate(keys, 1):
        if key in first:
            raise TableError(f"{path}, column {name!r}, row {row}: {key!r} stands in row {first[key]} already. Remove one of them.")
        first[key] = row


def _refuse_strangers(path: Path, ids: Sequence[str], known: set[str]) -> None:
    if known.issuperset(ids):
        return
    row, query_id = next((row, query_id) for row, query_id in enumerate(ids, 1) if query_id not in known)
    raise TableError(f"{path}, column 'query_id', row {row}: {query_id!r} is not in {QUERIES}. Add the query, or remove the row.")


def _write(path: Path, kinds: dict[str, Kind], rows: list[tuple[Any, ...]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = list(zip(*rows, strict=True)) or [()] * len(kinds)
    arrays = {name: pa.array(column, pa.type_for_alias(kind.arrow)) for (name, kind), column in zip(kinds.items(), columns, strict=True)}
    pq.write_table(pa.table(arrays), path, compression="zstd")
