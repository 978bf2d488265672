"""The columns of an outcome table: what each may hold, and how its values are read.

A column that is in order is read at once; only one that is not is gone through
value by value, to say where. Files are in `table`, foreign formats in `onedial.evals.importers`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from onedial.core.errors import TableError

if TYPE_CHECKING:
    import pyarrow as pa


class Kind(NamedTuple):
    """How the values of a column are stored, read and described.

    Attributes:
        arrow: Type on disk.
        read: From a value that is not None to what it means; raises ValueError, TypeError or OverflowError.
        expected: In words.
        most: Largest value, for numbers.
    """

    arrow: str
    read: Callable[[Any], Any]
    expected: str
    most: float = math.inf


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


TEXT = Kind("string", _text, "text")
LABEL = Kind("string", _label, "text that is not empty")
COUNT = Kind("int64", _count, "a whole number that is not negative")
NUMBER = Kind("float64", _number, "a finite number that is not negative")
SHARE = Kind("float64", _share, "a number from 0 to 1", 1.0)

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
NEVER_NULL = ("query_id", "model", "sample_index")
MEASURED = ("input_tokens", "output_tokens", "cost_usd", "latency_s", "cached_tokens", "thinking_tokens")
"""Columns whose impossible values may be made absent; keys and scores never are."""


def read_column(where: str, name: str, kind: Kind, column: pa.ChunkedArray, repaired: list[str] | None) -> list[Any]:
    """The values of a column, None where there is none.

    Args:
        where: What is read, for messages.
        name: Of the column.
        kind: What it may hold.
        column: As it was found.
        repaired: Where to say what was made absent, in the columns of `MEASURED`; None makes it an error.

    Raises:
        TableError: A value is not what the kind expects; names the row, counted from 1.
    """
    values = _at_once(kind, column) if not (column.null_count and name in NEVER_NULL) else None
    return _one_by_one(where, name, kind, column.to_pylist(), repaired) if values is None else values


def read_cell(name: str, kind: Kind, value: Any) -> Any:
    """One value; None stays None except where it may not be.

    Raises:
        ValueError: It is not what the kind expects (TypeError and OverflowError likewise).
    """
    if value is None:
        if name in NEVER_NULL:
            raise ValueError
        return None
    return kind.read(value)


def misread(where: str, name: str, row: int, expected: str, found: Any, unit: str = "row", cure: str = "Correct it.") -> TableError:
    """The error for a value that is not what was expected, with what to do."""
    shown = "nothing" if found is None else repr(found)
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    return TableError(f"{where}, column {name!r}, {unit} {row}: expected {expected}, found {shown}. {cure}")


def _one_by_one(where: str, name: str, kind: Kind, values: list[Any], repaired: list[str] | None) -> list[Any]:
    read: list[Any] = []
    wrong: list[int] = []
    for row, value in enumerate(values, 1):
        try:
            read.append(read_cell(name, kind, value))
        except (TypeError, ValueError, OverflowError):
            if repaired is None or name not in MEASURED:
                cure = "Correct it, or have it made absent with `repair`." if name in MEASURED else "Correct it."
                raise misread(where, name, row, kind.expected, value, cure=cure) from None
            read.append(None)
            wrong.append(row)
    if repaired is not None and wrong:
        first = f"{values[wrong[0] - 1]!r} in row {wrong[0]}"
        repaired.append(f"{where}, column {name!r}: {len(wrong)} impossible values were made absent, the first of them {first}.")
    return read


def _at_once(kind: Kind, column: pa.ChunkedArray) -> list[Any] | None:
    """The values, or None if not all of them are certain to be in order."""
    import pyarrow as pa

    if pa.types.is_null(column.type):
        return [None] * len(column)
    if kind.arrow == "string":
        return _texts(kind, column) if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) else None
    whole = pa.types.is_integer(column.type)
    return _numbers(kind, column) if whole or (kind.arrow == "float64" and pa.types.is_floating(column.type)) else None


def _texts(kind: Kind, column: pa.ChunkedArray) -> list[Any] | None:
    """Equal texts become one object, which a table of few models and many repeated answers is the smaller for."""
    import pyarrow.compute as pc

    coded = column.combine_chunks().dictionary_encode()
    known = coded.dictionary.to_pylist()
    if kind is LABEL and "" in known:
        return None
    known.append(None)
    return [known[code] for code in pc.fill_null(coded.indices, len(known) - 1).to_numpy().tolist()]


def _numbers(kind: Kind, column: pa.ChunkedArray) -> list[Any] | None:
    import numpy as np
    import pyarrow.compute as pc

    absent = column.is_null(nan_is_null=True).to_numpy()
    numbers = pc.fill_null(column, 0).to_numpy()
    known = numbers[~absent]
    if known.size and not (known.min() >= 0 and known.max() <= kind.most and np.isfinite(known).all()):
        return None
    values: list[Any] = numbers.astype("int64" if kind.arrow == "int64" else "float64").tolist()
    for at in np.flatnonzero(absent):
        values[at] = None
    return values
