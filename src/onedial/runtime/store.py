"""Outcomes on disk, in one SQLite file: queries, and what was observed when they were asked.

One writer at a time; readers are never in its way. What an `add_` method has
returned from is on disk and survives a crash of the process and of the machine.
Parquet is in `table`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from onedial.core.arm import Source
from onedial.core.errors import TableError
from onedial.core.outcome import Outcome
from onedial.core.query import Query

APPLICATION_ID = 0x6F6E6469  # "ondi"
VERSION = 1
WAIT_FOR_WRITER_S = 30.0

_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS queries (
    query_id TEXT NOT NULL PRIMARY KEY, prompt TEXT NOT NULL, system TEXT NOT NULL, reference TEXT, dataset TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS outcomes (
    query_id TEXT NOT NULL REFERENCES queries (query_id), model TEXT NOT NULL, effort TEXT NOT NULL,
    sample_index INTEGER NOT NULL CHECK (sample_index >= 0),
    score REAL CHECK (score BETWEEN 0 AND 1), answer TEXT,
    input_tokens INTEGER, output_tokens INTEGER, cost_usd REAL, latency_s REAL,
    cached_tokens INTEGER, thinking_tokens INTEGER, verifier_score REAL, propensity REAL, label_kind TEXT,
    PRIMARY KEY (query_id, model, effort, sample_index)
) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
COMMIT;
"""

_QUERY_COLUMNS = ("query_id", "prompt", "system", "reference", "dataset")
_OUTCOME_COLUMNS = tuple(field.name for field in fields(Outcome))
_VALUES = attrgetter(*_OUTCOME_COLUMNS)
_KEY = ("query_id", "model", "effort", "sample_index")
_NO_EFFORT = ""  # a NULL in a key would be unequal to itself, and the same sample could be stored twice


class _Into(NamedTuple):
    """Where rows go; the key is the first of the columns."""

    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


_INTO_QUERIES = _Into("queries", _QUERY_COLUMNS, _QUERY_COLUMNS[:1])
_INTO_OUTCOMES = _Into("outcomes", _OUTCOME_COLUMNS, _KEY)


class Held(NamedTuple):
    """What is stored of one (query, source): how many samples, and the first index after all of them."""

    samples: int
    next_index: int


class Store:
    """An outcome store. Open it with `Store.open`; usable from several threads, one at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path | str) -> Store:
        """Open a store, made if there is no file.

        Raises:
            TableError: The file is not an outcome store, or a newer onedial wrote it.
        """
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=WAIT_FOR_WRITER_S, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise TableError(
                f"{path} cannot be opened as an outcome store: {error}. Give the path of a file that may be written."
            ) from error
        try:
            _prepare(path, connection)
        except BaseException:
            connection.close()
            raise
        return cls(path, connection)

    def add_queries(self, queries: Iterable[Query]) -> int:
        """Store queries; one that is there already is left as it is.

        Returns:
            How many were new.

        Raises:
            TableError: A query of the same id but with other text, reference or data set is stored; nothing is added then.
        """
        return self._add([(_INTO_QUERIES, _query_rows(queries))])[0]

    def add_outcomes(self, outcomes: Iterable[Outcome]) -> int:
        """Store outcomes in one transaction; one that is there already, the same in all, is left as it is.

        Returns:
            How many were new. When this returns, they are on disk.

        Raises:
            TableError: An outcome of the same key but with other content is stored, a query is not stored, or an effort
                is the empty text; nothing is added then.
        """
        return self._add([(_INTO_OUTCOMES, [_row(outcome) for outcome in outcomes])])[0]

    def add_table(self, queries: Iterable[Query], outcomes: Iterable[Outcome]) -> tuple[int, int]:
        """`add_queries` and `add_outcomes` in one transaction: all of it, or nothing.

        Returns:
            How many queries and how many outcomes were new.

        Raises:
            TableError: As those do; nothing is added then.
        """
        added = self._add([(_INTO_QUERIES, _query_rows(queries)), (_INTO_OUTCOMES, [_row(outcome) for outcome in outcomes])])
        return added[0], added[1]

    def queries(self) -> list[Query]:
        """Every query, in the order in which they were added."""
        rows = self._read("SELECT query_id, prompt, system, reference, dataset FROM queries ORDER BY rowid")
        return [Query(*row) if row[1] else Query.without_text(row[0], *row[3:]) for row in rows]

    def outcomes(self) -> list[Outcome]:
        """Every outcome, ordered by query, model, effort and sample index."""
        rows = self._read(f"SELECT {', '.join(_OUTCOME_COLUMNS)} FROM outcomes ORDER BY {', '.join(_KEY)}")
        return [Outcome(row[0], row[1], None if row[2] == _NO_EFFORT else row[2], *row[3:]) for row in rows]

    def counts(self) -> dict[tuple[str, Source], Held]:
        """What is stored, by (query id, source)."""
        rows = self._read("SELECT query_id, model, effort, count(*), max(sample_index) + 1 FROM outcomes GROUP BY query_id, model, effort")
        return {(query, Source(model, effort or None)): Held(samples, after) for query, model, effort, samples, after in rows}

    def close(self) -> None:
        """Close the file; twice does no harm."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _read(self, sql: str) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql).fetchall()

    def _add(self, batches: Sequence[tuple[_Into, list[tuple[Any, ...]]]]) -> list[int]:
        """Insert every batch in one transaction; returns how many rows of each were new."""
        if not any(rows for _, rows in batches):
            return [0] * len(batches)
        with self._lock, _Transaction(self.path, self._db):
            return [self._insert(into, rows) for into, rows in batches]

    def _insert(self, into: _Into, rows: list[tuple[Any, ...]]) -> int:
        places = ", ".join("?" for _ in into.columns)
        before = self._db.total_changes
        self._db.executemany(f"INSERT INTO {into.table} ({', '.join(into.columns)}) VALUES ({places}) ON CONFLICT DO NOTHING", rows)
        added = self._db.total_changes - before
        if added < len(rows):
            self._refuse_others(into, rows)
        return added

    def _refuse_others(self, into: _Into, rows: list[tuple[Any, ...]]) -> None:
        """Raise if a row stored under the key of one of `rows` differs from it."""
        select = f"SELECT {', '.join(into.columns)} FROM {into.table} WHERE {' AND '.join(f'{name} = ?' for name in into.key)}"
        for row in rows:
            stored = self._db.execute(select, row[: len(into.key)]).fetchone()
            differing = [name for name, old, new in zip(into.columns, stored, row, strict=True) if old != new]
            if differing:
                where = ", ".join(f"{name} {value!r}" for name, value in zip(into.key, row, strict=False))
                raise TableError(
                    f"{self.path}: {where} is stored in {into.table} already, with another {differing[0]}. "
                    "What was observed is not overwritten: use another id or sample index, or another store."
                )


class _Transaction:
    """All or nothing, and the only writer from its start."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path, self._db = path, connection

    def __enter__(self) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise TableError(f"{self._path}: {error}. Another process may be writing to this store: wait for it, or end it.") from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self._db.execute("COMMIT")
            return
        with suppress(sqlite3.Error):
            self._db.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error):
            raise TableError(f"{self._path}: {_reason(error)}") from error


def _prepare(path: Path, connection: sqlite3.Connection) -> None:
    """Check what the file is before anything is written to it, then set it up."""
    looks = ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema")
    try:
        application, version, tables = (connection.execute(sql).fetchone()[0] for sql in looks)
    except sqlite3.Error as error:
        raise TableError(
            f"{path} is not an outcome store: {error}. Give the path of a store, or of a file that is not there yet."
        ) from error
    if application != APPLICATION_ID and (tables or application):
        raise TableError(f"{path} is a database of another program, not an outcome store. Give another path.")
    if version > VERSION:
        raise TableError(f"{path} is an outcome store of version {version}; this onedial reads up to {VERSION}. Upgrade onedial.")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    if not tables:
        connection.executescript(_SCHEMA)


def _query_rows(queries: Iterable[Query]) -> list[tuple[Any, ...]]:
    """A query without text is stored with the empty prompt, which no other query has."""
    return [(q.id, q.prompt, q.system, q.reference, q.dataset) for q in queries]


def _row(outcome: Outcome) -> tuple[Any, ...]:
    if outcome.effort == _NO_EFFORT:
        raise TableError(f"an outcome of query {outcome.query_id!r} has the empty text for its effort; expected a label, or none at all.")
    row: tuple[Any, ...] = _VALUES(outcome)
    return (*row[:2], outcome.effort or _NO_EFFORT, *row[3:])


def _reason(error: sqlite3.Error) -> str:
    if "FOREIGN KEY" in str(error):
        return "an outcome belongs to a query that is not stored. Add its queries first."
    return f"{error}. Nothing of this batch was stored."
