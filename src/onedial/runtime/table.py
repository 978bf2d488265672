"""Outcome tables as Parquet: a directory with `queries.parquet` and `outcomes.parquet`, for handing whole tables over.

Columns are those of `Query` and `Outcome` (a query's id is `query_id`); others
are ignored. Recording goes to the store, foreign formats to the importers of `onedial.evals`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from onedial.core.errors import TableError
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.runtime.whole import whole_file

QUERIES, OUTCOMES = "queries.parquet", "outcomes.parquet"


@dataclass(frozen=True, slots=True)
class Table:
    """Queries and their outcomes.

    Attributes:
        queries: In file order.
        outcomes: In file order.
        without_prompt: Ids of queries whose prompt is absent from the file; they
            cannot be asked or forecast, so they and their outcomes are left out.
        repaired: One sentence per column in which impossible measurements were made absent.
    """

    queries: tuple[Query, ...]
    outcomes: tuple[Outcome, ...]
    without_prompt: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()


class _Kind(NamedTuple):
    """How the values of a column are stored, read and described."""

    arrow: str
    read: Callable[[Any], Any]
    expected: str


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _label(value: Any) -> str:
    if not _text(value):
        raise ValueError
    return str(value)


def _count(value: Any) -> int | None:
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, bool) or value < 0 or value != int(value):
        raise ValueError
    return int(value)


def _number(value: Any) -> float | None:
    number = float(value)
    if isinstance(value, str) or number < 0 or math.isinf(number):
        raise ValueError
    return None if math.isnan(number) else number


def _share(value: Any) -> float | None:
    number = _number(value)
    if number is not None and number > 1:
        raise ValueError
    return number


TEXT = _Kind("string", _text, "text")
LABEL = _Kind("string", _label, "text that is not empty")
COUNT = _Kind("int64", _count, "a whole number that is not negative")
NUMBER = _Kind("float64", _number, "a finite number that is not negative")
SHARE = _Kind("float64", _share, "a number from 0 to 1")

QUERY_COLUMNS = {"query_id": LABEL, "prompt": TEXT, "system": TEXT, "reference": TEXT, "dataset": TEXT}
OUTCOME_COLUMNS = {
    "query_id": LABEL,
    "model": LABEL,
    "effort": LABEL,
    "sample_index": COUNT,
    "score": SHARE,
    "answer": TEXT,
    "input_tokens": COUNT,
    "output_tokens": COUNT,
    "cost_usd": NUMBER,
    "latency_s": NUMBER,
    "cached_tokens": COUNT,
    "thinking_tokens": COUNT,
    "verifier_score": SHARE,
    "propensity": SHARE,
    "label_kind": TEXT,
}
_NEEDED = {QUERIES: ("query_id", "prompt"), OUTCOMES: ("query_id", "model", "sample_index", "score")}
_NEVER_NULL = ("query_id", "model", "sample_index")
_MEASURED = ("input_tokens", "output_tokens", "cost_usd", "latency_s", "cached_tokens", "thinking_tokens")


def read_table(directory: Path | str, *, repair: bool = False, unprompted: str | None = None) -> Table:
    """Read a table; an absent value is None, never zero.

    Args:
        directory: Where the two files are.
        unprompted: What stands in for a prompt that is absent, for whoever only compares outcomes; None leaves such queries out.
        repair: Make impossible measurements (a negative token count, cost or latency) absent and say so in
            `repaired`, where else they are errors. Keys and scores are never repaired.

    Raises:
        TableError: Names the file, and the column and row (counted from 1) of what is malformed.
    """
    directory = Path(directory)
    repaired: list[str] | None = [] if repair else None
    listed = _columns(directory / QUERIES, QUERY_COLUMNS, repaired)
    _refuse_twice(directory / QUERIES, "query_id", listed["query_id"])
    if unprompted is not None:
        listed["prompt"] = [prompt if _asks(prompt) else unprompted for prompt in listed["prompt"]]
    rows = list(zip(*listed.values(), strict=True))
    queries = tuple(
        Query(i, prompt, system or "", reference, dataset or "") for i, prompt, system, reference, dataset in rows if _asks(prompt)
    )
    unasked = {i for i, prompt, *_ in rows if not _asks(prompt)}
    observed = _columns(directory / OUTCOMES, OUTCOME_COLUMNS, repaired)
    _refuse_strangers(directory / OUTCOMES, observed["query_id"], set(listed["query_id"]))
    keys = list(zip(*(observed[name] for name in ("query_id", "model", "effort", "sample_index")), strict=True))
    _refuse_twice(directory / OUTCOMES, "query_id, model, effort, sample_index", keys)
    order = [observed[field.name] for field in fields(Outcome)]
    outcomes = tuple(Outcome(*row) for row in zip(*order, strict=True) if row[0] not in unasked)
    return Table(queries, outcomes, tuple(i for i in listed["query_id"] if i in unasked), tuple(repaired or ()))


def write_table(directory: Path | str, queries: Iterable[Query], outcomes: Iterable[Outcome]) -> None:
    """Write a table, each file whole or not at all; files of that name are replaced."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    with whole_file(directory / QUERIES) as first, whole_file(directory / OUTCOMES) as second:
        _write(first, QUERY_COLUMNS, [(q.id, q.prompt, q.system, q.reference, q.dataset) for q in queries])
        _write(second, OUTCOME_COLUMNS, [attrgetter(*OUTCOME_COLUMNS)(outcome) for outcome in outcomes])


def _columns(path: Path, kinds: dict[str, _Kind], repaired: list[str] | None) -> dict[str, list[Any]]:
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
    return {n: _checked(path, n, kind, table[n].to_pylist(), repaired) if n in names else absent for n, kind in kinds.items()}


def _checked(path: Path, name: str, kind: _Kind, values: list[Any], repaired: list[str] | None) -> list[Any]:
    """The values of a column, read; what cannot be is an error, or absent where repairing is allowed."""
    read: list[Any] = []
    wrong: list[int] = []
    for row, value in enumerate(values, 1):
        try:
            read.append(_cell(name, kind, value))
        except (TypeError, ValueError, OverflowError):
            if repaired is None or name not in _MEASURED:
                found = "nothing" if value is None else repr(value)
                raise TableError(f"{path}, column {name!r}, row {row}: expected {kind.expected}, found {found}. Correct it.") from None
            read.append(None)
            wrong.append(row)
    if repaired is not None and wrong:
        first = f"{values[wrong[0] - 1]!r} in row {wrong[0]}"
        repaired.append(f"{path}, column {name!r}: {len(wrong)} impossible values were made absent, the first of them {first}.")
    return read


def _cell(name: str, kind: _Kind, value: Any) -> Any:
    if value is None:
        if name in _NEVER_NULL:
            raise ValueError
        return None
    return kind.read(value)


def _asks(prompt: str | None) -> bool:
    return prompt is not None and bool(prompt.strip())


def _refuse_twice(path: Path, name: str, keys: Sequence[Any]) -> None:
    if len(set(keys)) == len(keys):
        return
    first: dict[Any, int] = {}
    for row, key in enumerate(keys, 1):
        if key in first:
            raise TableError(f"{path}, column {name!r}, row {row}: {key!r} stands in row {first[key]} already. Remove one of them.")
        first[key] = row


def _refuse_strangers(path: Path, ids: Sequence[str], known: set[str]) -> None:
    for row, query_id in enumerate(ids, 1):
        if query_id not in known:
            raise TableError(f"{path}, column 'query_id', row {row}: {query_id!r} is not in {QUERIES}. Add the query, or remove the row.")


def _write(path: Path, kinds: dict[str, _Kind], rows: list[tuple[Any, ...]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = list(zip(*rows, strict=True)) or [()] * len(kinds)
    arrays = {name: pa.array(column, pa.type_for_alias(kind.arrow)) for (name, kind), column in zip(kinds.items(), columns, strict=True)}
    pq.write_table(pa.table(arrays), path, compression="zstd")
