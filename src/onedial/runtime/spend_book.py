"""What every gateway key has spent in every period, in one SQLite file. Totals only: what is reserved lives in memory, in `ledger`.

Settling notes a total and goes on; a thread writes the latest totals together.
What `kept` has been awaited for survives a kill of the process. One process has the file at a time.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path

from onedial.core.errors import TableError
from onedial.core.usage import Usage

APPLICATION_ID = 0x6F6E6462  # "ondb"
VERSION = 1
WAIT_FOR_OTHER_S = 5.0
RETRY_S = 1.0

_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS spent (
    key TEXT NOT NULL, period TEXT NOT NULL, cost_usd REAL NOT NULL,
    calls INTEGER NOT NULL, input_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL, thinking_tokens INTEGER NOT NULL, bounded INTEGER NOT NULL,
    PRIMARY KEY (key, period)
) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
COMMIT;
"""
_WRITE = "INSERT OR REPLACE INTO spent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_READ = "SELECT * FROM spent WHERE key = ? AND period = ?"

log = logging.getLogger("onedial.spend_book")
_Total = tuple[Usage, float]
_Waiter = tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class SpendBook:
    """Totals by (key, period). Open it with `SpendBook.open`, and close it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db, self._changed = connection, threading.Condition()
        self._pending: dict[tuple[str, str], _Total] = {}
        self._waiting: list[_Waiter] = []
        self._writing = self._closed = False
        self._writer = threading.Thread(target=self._write, name="spend-book", daemon=True)
        self._writer.start()

    @classmethod
    def open(cls, path: Path) -> SpendBook:
        """Open a book, made if there is no file, for this process alone.

        Raises:
            TableError: The file is something else, a newer onedial wrote it, or another process has it.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=WAIT_FOR_OTHER_S, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise TableError(f"{path} cannot be opened to keep what keys spend: {error}. Let onedial write there.") from error
        try:
            _prepare(path, connection)
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    def read(self, key: str, period: str) -> _Total:
        """Usage and cost in USD of a key in a period, as they were last on disk; nothing where it is not there."""
        with self._changed:
            row = self._db.execute(_READ, (key, period)).fetchone()
        return (Usage(), 0.0) if row is None else (Usage(row[3], row[4], row[5], row[6], row[7], bool(row[8])), row[2])

    def note(self, key: str, period: str, usage: Usage, cost_usd: float) -> None:
        """Have a total written; a later one of the same key and period replaces it."""
        with self._changed:
            self._pending[key, period] = (usage, cost_usd)
            self._changed.notify()

    async def kept(self) -> None:
        """Wait until what has been noted so far is on disk, or could not be written and is in the log."""
        with self._changed:
            if self._closed or not (self._pending or self._writing):
                return
            loop = asyncio.get_running_loop()
            future: asyncio.Future[None] = loop.create_future()
            self._waiting.append((loop, future))
        await future

    def close(self) -> None:
        """Write what is noted, and close the file; twice does no harm."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._writer.join()
        self._db.close()

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._closed)
                if not self._pending:
                    return
                batch, self._pending, self._writing = self._pending, {}, True
                waiting, self._waiting = self._waiting, []
            written = self._write_batch(batch)
            with self._changed:
                self._writing = False
                self._pending = self._pending if written else batch | self._pending
                if not (written and self._pending):  # all is written, or nothing can be
                    waiting, self._waiting = waiting + self._waiting, []
                _let_go(waiting)
                if not written and (self._closed or self._changed.wait_for(lambda: self._closed, RETRY_S)):
                    return

    def _write_batch(self, batch: dict[tuple[str, str], _Total]) -> bool:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(_WRITE, [(*at, cost_usd, *astuple(usage)) for at, (usage, cost_usd) in batch.items()])
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            log.error("what keys have spent cannot be written (%s); it is kept in memory and tried again.", error)
            return False
        return True


def _let_go(waiting: list[_Waiter]) -> None:
    for loop, future in waiting:
        with suppress(RuntimeError):  # its loop has ended
            loop.call_soon_threadsafe(_resolve, future)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _prepare(path: Path, connection: sqlite3.Connection) -> None:
    """Take the file for this process, check what it is before anything is written, then set it up."""
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        looks = ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema")
        application, version, tables = (connection.execute(sql).fetchone()[0] for sql in looks)
        if application != APPLICATION_ID and (tables or application):
            raise TableError(f"{path} is a database of another program, not what keys have spent. Move it away.")
        if version > VERSION:
            raise TableError(f"{path} is of version {version}; this onedial reads up to {VERSION}. Upgrade onedial.")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)
    except sqlite3.OperationalError as error:
        raise TableError(
            f"{path}: {error}. Another `onedial serve` may have it: end that one, or give this one a --data of its own."
        ) from error
    except sqlite3.Error as error:
        raise TableError(f"{path} does not hold what keys have spent: {error}. Move it away.") from error
