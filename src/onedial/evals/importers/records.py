"""Rows of foreign files: CSV, JSON lines and Parquet, with the place of every value for messages.

Text that stands for a number, for truth or for nothing is understood here; what
columns mean is the importers' business.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from onedial.core.errors import TableError
from onedial.runtime.columns import COUNT, NUMBER, SHARE, Kind, misread

CSV, LINES, PARQUET = (".csv", ".tsv"), (".jsonl", ".ndjson"), (".parquet",)
KNOWN = (*CSV, *LINES, *PARQUET)
TRUTH = {"true": 1.0, "false": 0.0}
NOTHING = frozenset(("", "nan", "null", "none", "na", "n/a"))
LARGEST_FIELD = 1 << 28


class Place(NamedTuple):
    """Where a record stands: rows are counted from 1 without the header, lines with everything."""

    path: Path
    unit: str
    row: int

    def __str__(self) -> str:
        return f"{self.path}, {self.unit} {self.row}"

    def wrong(self, column: str, expected: str, found: Any) -> TableError:
        """The error for what is in a column of this record."""
        return misread(str(self.path), column, self.row, expected, found, self.unit)


class Record(NamedTuple):
    """One row."""

    place: Place
    values: Mapping[str, Any]

    def cell(self, column: str, kind: Kind) -> Any:
        """What a column holds, None where it holds nothing or is not there.

        Raises:
            TableError: It is not what the kind expects.
        """
        value = self.values.get(column)
        try:
            read = understood(kind, value)
            return None if read is None else kind.read(read)
        except (TypeError, ValueError, OverflowError):
            raise self.place.wrong(column, kind.expected, value) from None

    def needed(self, column: str, kind: Kind) -> Any:
        """The same, where nothing is an error."""
        value = self.cell(column, kind)
        if value is None:
            raise self.place.wrong(column, kind.expected, None)
        return value


@dataclass(frozen=True, slots=True)
class Records:
    """A file.

    Attributes:
        path: Of the file.
        names: Its columns; of JSON lines the keys of any record, in order of appearance.
        rows: Its records.
    """

    path: Path
    names: tuple[str, ...]
    rows: Sequence[Record]

    def require(self, *names: str) -> None:
        """Raise a TableError if a column is missing."""
        for name in names:
            if name not in self.names:
                raise TableError(f"{self.path} has no column {name!r}; it has {', '.join(self.names)}. Rename or map it.")


def read_records(path: Path) -> Records:
    """Read a CSV, JSON lines or Parquet file.

    Raises:
        TableError: It cannot be read, is of another kind, or has no rows.
    """
    rows = list(_rows(path))
    if not rows:
        raise TableError(f"{path} has no rows; expected at least one.")
    names = dict.fromkeys(name for record in rows for name in record.values) if path.suffix in LINES else rows[0].values
    return Records(path, tuple(names), rows)


def first_record(path: Path) -> Record | None:
    """The first record of a file; None for a file of another kind, and for one without rows.

    Raises:
        TableError: It cannot be read.
    """
    return next(_rows(path), None) if path.is_file() and path.suffix in KNOWN else None


def understood(kind: Kind, value: Any) -> Any:
    """A value with words read as what they stand for, as far as the kind asks for it."""
    if kind in (COUNT, NUMBER, SHARE):
        if isinstance(value, bool):
            return float(value) if kind is SHARE else value
        if not isinstance(value, str):
            return value
        word = value.strip().casefold()
        if word in NOTHING:
            return None
        return TRUTH[word] if kind is SHARE and word in TRUTH else float(word)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None if value != value else str(int(value) if value == int(value) else value)
    return None if value == "" else value


def files_in(path: Path, pattern: str) -> list[Path]:
    """The file itself, or the files below a folder whose name matches, sorted."""
    return sorted(found for found in path.rglob(pattern) if found.is_file()) if path.is_dir() else [path]


def _rows(path: Path) -> Iterator[Record]:
    for suffixes, read in _READERS.items():
        if path.suffix in suffixes:
            try:
                yield from read(path)
            except OSError as error:
                raise TableError(f"{path} cannot be read: {error.strerror}. Expected a file.") from error
            return
    raise TableError(f"{path} is of no kind that is known; expected {', '.join(KNOWN)}.")


def _csv(path: Path) -> Iterator[Record]:
    csv.field_size_limit(LARGEST_FIELD)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter="\t" if path.suffix == ".tsv" else ",", strict=True)
        row = 0
        try:
            names = next(reader, [])
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise TableError(f"{path} has two columns {twice!r}; expected different names. Rename one of them.")
            for values in reader:
                row += 1
                if len(values) != len(names):
                    said = f"{path}, row {row}: {len(values)} values under {len(names)} columns"
                    raise TableError(f"{said}; expected one each. Quote values with commas or line ends in them.")
                yield Record(Place(path, "row", row), dict(zip(names, values, strict=True)))
        except (csv.Error, UnicodeDecodeError) as error:
            raise TableError(f"{path}, row {row + 1}: not CSV in UTF-8: {error}. Correct it.") from error


def _lines(path: Path) -> Iterator[Record]:
    with path.open("rb") as file:
        for row, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                values = msgspec.json.decode(line.removeprefix(b"\xef\xbb\xbf"))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise TableError(f"{path}, line {row}: not JSON: {error}. Expected one object per line, in UTF-8.") from error
            if not isinstance(values, dict):
                raise TableError(f"{path}, line {row}: expected an object, found {line.decode()[:40]!r}.")
            yield Record(Place(path, "line", row), values)


def _parquet(path: Path) -> Iterator[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file, row = pq.ParquetFile(path), 0
        for batch in file.iter_batches(4096):
            for values in batch.to_pylist():
                row += 1
                yield Record(Place(path, "row", row), values)
    except pa.ArrowException as error:
        raise TableError(f"{path} cannot be read as Parquet: {error}") from error


_READERS: dict[tuple[str, ...], Callable[[Path], Iterator[Record]]] = {CSV: _csv, LINES: _lines, PARQUET: _parquet}
