"""Prompts from a JSON Lines file: one object per line with `prompt`, and perhaps `id`, `system`, `reference`, `dataset`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from onedial.core.errors import QueryError, TableError, unknown
from onedial.core.query import Query
from onedial.runtime.whole import whole_file

KEYS = ("id", "prompt", "system", "reference", "dataset")


def read_prompts(path: Path | str) -> list[Query]:
    """Read the queries of a file, in order; one without an id gets a digest of its prompt. Blank lines are skipped.

    Raises:
        TableError: Names the file and the line: not JSON, an unknown or missing key, a value that is not text,
            an id used twice. A file without any prompt is an error too.
    """
    path = Path(path)
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines()
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}. Expected a file of JSON lines.") from error
    queries: list[Query] = []
    lines_of: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        query = _query(f"{path}, line {number}", line)
        if query.id in lines_of:
            raise TableError(
                f"{path}, line {number}: id {query.id!r} stands in line {lines_of[query.id]} already. Give each prompt its own id."
            )
        lines_of[query.id] = number
        queries.append(query)
    if not queries:
        raise TableError(f'{path} holds no prompt; expected lines like {{"prompt": "2+2?", "reference": "4"}}.')
    return queries


def write_prompts(path: Path | str, queries: Iterable[Query]) -> None:
    """Write queries so that `read_prompts` reads them back; absent values are left out.

    Raises:
        QueryError: A query without text.
    """
    lines = [_line(query) for query in queries]
    with whole_file(Path(path)) as partial:
        partial.write_bytes(b"".join(line + b"\n" for line in lines))


def _line(query: Query) -> bytes:
    if query.textless:
        raise QueryError(f"query {query.id!r} has no text, only recorded outcomes; a file of prompts cannot hold it. Leave it out.")
    return msgspec.json.encode({key: value for key in KEYS if (value := getattr(query, key))})


def _query(where: str, line: bytes) -> Query:
    try:
        record = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TableError(f"{where}: not JSON: {error}. Expected one object per line, in UTF-8.") from error
    if not isinstance(record, dict):
        raise TableError(f'{where}: expected an object like {{"prompt": "2+2?"}}, found {line.decode()[:40]}')
    for key, value in record.items():
        if key not in KEYS:
            raise TableError(f"{where}: {unknown('key', key, KEYS)}")
        if not isinstance(value, str) and not (value is None and key != "prompt"):
            raise TableError(f"{where}: {key!r} is {value!r}; expected text in quotes.")
    if "prompt" not in record:
        raise TableError(f'{where}: there is no \'prompt\'; expected an object like {{"prompt": "2+2?"}}.')
    given = {key: value for key, value in record.items() if value is not None}
    try:
        return Query(**given) if given.get("id") else Query.of(**{key: value for key, value in given.items() if key != "id"})
    except QueryError as error:
        raise TableError(f"{where}: {error}") from error
