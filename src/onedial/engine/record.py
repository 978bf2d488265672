"""What a batch leaves on disk: one JSON line per answer or failure, written whole, read again to go on."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from onedial.core.answer import Answer, Spend
from onedial.core.errors import ConfigError, TableError
from onedial.engine.plan import Plan, Planned

Line = dict[str, Any]


def answered(entry: Planned, answer: Answer, score: float | None) -> Line:
    """The line of an answer; `quality` is what the plan forecast, `score` is there where the reference is known."""
    said = {"id": entry.query.id, "arm": str(entry.arm), "text": answer.text, "answer": answer.answer, "quality": entry.quality}
    return said | ({} if score is None else {"score": score}) | _spent(answer.spend) | {"stopped": answer.stopped}


def failed(entry: Planned, spend: Spend, why: str) -> Line:
    """The line of a query that brought no answer."""
    return {"id": entry.query.id, "arm": str(entry.arm), "failed": why} | _spent(spend)


def _spent(spend: Spend) -> Line:
    usage = spend.usage
    counts = {"calls": usage.calls, "input_tokens": usage.input_tokens, "cached_tokens": usage.cached_tokens}
    counts |= {"output_tokens": usage.output_tokens, "thinking_tokens": usage.thinking_tokens}
    return {"cost_usd": spend.cost_usd, **counts, "bounded": usage.bounded, "latency_s": spend.latency_s}


class Record:
    """A file of such lines, opened to be added to.

    Attributes:
        done: Ids of the queries with an answer.
        spent_usd: All costs on the file.
        bounded: Whether one of them is an upper bound.
        scores: Mean of the scores on it, and their number.
    """

    def __init__(self, path: Path, plan: Plan) -> None:
        self.path, self._plan = path, plan.digest
        self.done: set[str] = set()
        self.spent_usd, self.bounded, self._total, self._graded = 0.0, False, 0.0, 0
        self._file: int | None = None

    @classmethod
    def open(cls, path: Path, plan: Plan) -> Record:
        """Read what there is and get ready to add to it; a last line that was cut off is removed.

        Raises:
            ConfigError: It holds answers to another plan.
            TableError: A line is malformed, or the file cannot be written.
        """
        record = cls(path, plan)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            record._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            held = path.read_bytes()
            whole = held[: held.rfind(b"\n") + 1]
            if len(whole) < len(held):
                os.ftruncate(record._file, len(whole))
        except OSError as error:
            record.close()
            raise TableError(f"{path} cannot be written: {error.strerror}. Name another file with --out.") from error
        try:
            for number, line in enumerate(whole.splitlines(), 1):
                record._take(record._read(number, line))
        except BaseException:
            record.close()
            raise
        return record

    def add(self, line: Line) -> None:
        """Write one line; when this returns, it survives a crash of the process."""
        assert self._file is not None
        os.write(self._file, msgspec.json.encode({"plan": self._plan, **line}) + b"\n")
        self._take(line)

    @property
    def scores(self) -> tuple[float, int]:
        """See above; (0, 0) without any."""
        return self._total / max(self._graded, 1), self._graded

    def close(self) -> None:
        """Close the file; twice does no harm."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _read(self, number: int, line: bytes) -> Line:
        where = f"{self.path}, line {number}"
        try:
            found = msgspec.json.decode(line, type=dict[str, Any])
            if found["plan"] != self._plan:
                raise ConfigError(f"{where}: answers another plan. Name another file with --out, or move this one away.")
            if not isinstance(found["id"], str) or not isinstance(found["cost_usd"], (int, float)):
                raise KeyError("id, cost_usd")
        except (msgspec.DecodeError, KeyError) as error:
            raise TableError(f"{where}: not an answer of a plan: {error}. Name another file with --out, or move this one away.") from error
        return found

    def _take(self, line: Line) -> None:
        self.spent_usd += float(line["cost_usd"])
        self.bounded = self.bounded or line.get("bounded") is True
        if "failed" not in line:
            self.done.add(line["id"])
        if line.get("score") is not None:
            self._total, self._graded = self._total + float(line["score"]), self._graded + 1

    def __enter__(self) -> Record:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
