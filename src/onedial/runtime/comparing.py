"""Equalities that may take long, in a process of their own that is ended when the time is up.

Algebra can run for ever, and its package keeps time only on a main thread. The process compares one pair after the other and ends
with its parent; a thread that waits for it leaves the event loop alone. What is compared is in `onedial.verifiers.equal`.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import weakref
from selectors import EVENT_READ, DefaultSelector
from typing import Any

import msgspec

from onedial.core import errors
from onedial.core.errors import OnedialError
from onedial.verifiers.equal.registry import named_equal

START_S = 60.0
"""Seconds for the process to start and load its package, which is slow the first time."""
MOST_S = 20.0
"""Seconds for one comparison; the equality itself gives up sooner where it can."""


class Apart:
    """An equality by name, compared in a process apart; None where that takes too long or the process dies.

    It can be called from several threads, which take turns.
    """

    def __init__(self, name: str, most_s: float = MOST_S) -> None:
        """Nothing is started before the first comparison.

        Args:
            name: Key of `EQUALS`.
            most_s: Seconds for one comparison.

        Raises:
            ConfigError: No equality has this name, or a package that it needs is not installed.
        """
        named_equal(name)
        self._name, self._most_s, self._turn = name, most_s, threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, answer: str, reference: str) -> bool | None:
        """Compare as the equality does.

        Raises:
            TableError: The reference cannot be read.
        """
        with self._turn:
            try:
                told = self._told([answer, reference])
            except (OSError, EOFError, TimeoutError):
                self.close()
                return None
        if "error" in told:
            raise getattr(errors, told["error"], OnedialError)(told["message"])
        same: bool | None = told["same"]
        return same

    def close(self) -> None:
        """End the process; the next comparison starts another."""
        if self._process is not None:
            _end(self._process)
            self._process = None

    def _told(self, pair: list[str]) -> Any:
        if self._process is None:
            self._process = _started(self._name)
            weakref.finalize(self, _end, self._process)
            _line(self._process, START_S)
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(pair) + b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(_line(self._process, self._most_s))


def _started(name: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(place for place in sys.path if place)
    command = [sys.executable, "-m", "onedial.runtime.comparing", name]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path})


def _line(process: subprocess.Popen[bytes], most_s: float) -> bytes:
    """The next line; it comes whole, so that the first byte is waited for and no more."""
    assert process.stdout is not None
    with DefaultSelector() as ready:
        ready.register(process.stdout, EVENT_READ)
        if not ready.select(most_s):
            raise TimeoutError
    line = process.stdout.readline()
    if not line:
        raise EOFError
    return line


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what it was not told in time
                pipe.close()


def serve(name: str) -> None:
    """Compare the pairs on standard input, one per line, until it ends."""
    equal, out = named_equal(name), os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a package prints goes elsewhere
    with contextlib.suppress(Exception):
        equal("1", "1")  # loads what is slow to load
    out.write(b"ready\n")
    for line in sys.stdin.buffer:
        answer, reference = msgspec.json.decode(line, type=tuple[str, str])
        try:
            told: dict[str, Any] = {"same": equal(answer, reference)}
        except OnedialError as error:
            told = {"error": type(error).__name__, "message": str(error)}
        out.write(msgspec.json.encode(told) + b"\n")


if __name__ == "__main__":
    serve(sys.argv[1])
