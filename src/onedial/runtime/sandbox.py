"""Run a Python program with its unit tests under limits. What runs inside is in `sandboxed.py`; who asks for it, and why, is elsewhere.

For programs that a model wrote and that may go wrong in every way; not a wall against somebody who wants to get out.

Held by the kernel (on Linux; other systems may not hold all of it): CPU seconds, address space, the size of each file written and of
the output, open files; and, unless the sandbox has to stay root, no second process or thread. A program that takes too long on the
clock is killed with its whole process group. It has no environment, no site packages, no standard input, and a working folder of its
own, removed afterwards. Started by root it becomes `nobody`, unless `nobody` could not read this Python's standard library; then it
stays root, and root is exempt from the limit on processes.

Held only by an audit hook in the interpreter, which ordinary Python cannot take off, but code that corrupts memory, or that finds a
function without an audit event, gets around: sockets (all but local pairs), starting processes, sending signals, foreign functions,
reading files outside the folder and the standard library, and changing anything outside the folder.

Not prevented: many files that are small, together filling a disk; a program that passes by searching the interpreter for its tests or
for the token of the report, since all run in one (ending early does not pass); use of one core until the limit. There are no namespaces
and no filter of system calls.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from onedial.core.errors import ConfigError, TableError

Verdict = Literal["passed", "failed", "timed out", "too much memory"]

INSIDE = Path(__file__).with_name("sandboxed.py")
NOBODY = 65534
TAIL_BYTES = 4000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use; all are at least 1.

    Attributes:
        cpu_s: Seconds of one core.
        wall_s: Seconds on the clock, from the start of the interpreter; also for programs that only wait.
        memory_bytes: Address space, the interpreter's own included.
        file_bytes: Size of each file, and of the output.
        open_files: Descriptors, the standard ones included.
    """

    cpu_s: int = 10
    wall_s: float = 30.0
    memory_bytes: int = 512 * 2**20
    file_bytes: int = 10 * 2**20
    open_files: int = 64

    def __post_init__(self) -> None:
        low = [name for name in self.__slots__ if getattr(self, name) < 1]
        if low:
            raise ConfigError(f"limit {low[0]} is {getattr(self, low[0])}; expected at least 1.")

    def of_kernel(self) -> dict[str, tuple[int, int]]:
        """Soft and hard limits by the names of `resource`; CPU time is noticed at the soft one."""
        both = {"RLIMIT_AS": self.memory_bytes, "RLIMIT_FSIZE": self.file_bytes, "RLIMIT_NOFILE": self.open_files}
        fixed = {"RLIMIT_CPU": (self.cpu_s, self.cpu_s + int(self.wall_s) + 1), "RLIMIT_NPROC": (0, 0), "RLIMIT_CORE": (0, 0)}
        return {**fixed, **{name: (most, most) for name, most in both.items()}}


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program fared, and the end of what it and its tests printed (at most `TAIL_BYTES`)."""

    verdict: Verdict
    tail: str


def run_tests(program: str, tests: str, limits: Limits | None = None, python: str = sys.executable) -> Ran:
    """Run a program, then its tests beside its names; blocks until they end or are ended.

    Args:
        program: Python; a module named `program`, so that its `__main__` part does not run.
        tests: Python that raises where something is wrong. Functions named `test_*` and cases of `unittest` are called.
        limits: What may be used.
        python: The interpreter.

    Raises:
        TableError: The tests are not Python, or there are none.
        ConfigError: This system cannot run it.
    """
    refuse_unfit_tests(tests)
    if os.name != "posix":
        raise ConfigError(f"tests are run under POSIX limits, which this system ({os.name}) does not have. Use Linux, or a container.")
    bounds = limits or Limits()
    with (
        tempfile.TemporaryDirectory(prefix="onedial-", ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile() as job,
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as report,
    ):
        token = secrets.token_hex()
        asked = {"program": program, "tests": tests, "limits": bounds.of_kernel(), "report": report.fileno(), "token": token}
        job.write(json.dumps(asked).encode())
        job.seek(0)
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        status = _ended(python, folder, (job, output, report), bounds.wall_s)
        _make_removable(folder)
        return _judged(status, _said(report, token), _tail(output))


def refuse_unfit_tests(tests: str) -> None:
    """See whether there are tests at all.

    Raises:
        TableError: They are not Python, or there are none.
    """
    try:
        found = ast.parse(tests).body
    except (SyntaxError, ValueError) as error:
        raise TableError(f"the tests are not Python: {error}. Correct them; no program could pass.") from None
    if not found:
        raise TableError("there are no tests; expected Python that raises where something is wrong. Without any, every program would pass.")


def _ended(python: str, folder: str, files: tuple[IO[bytes], IO[bytes], IO[bytes]], wall_s: float) -> int | None:
    """Run it to its end and return how it ended, as `Popen.returncode` does; None if the time was up."""
    job, output, report = files
    command = [python, "-I", "-S", "-B", "-X", "utf8", str(INSIDE)]
    process = subprocess.Popen(
        command,
        stdin=job,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env={},
        pass_fds=(report.fileno(),),
        start_new_session=True,
    )
    try:
        return process.wait(wall_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _judged(status: int | None, said: list[str], tail: str) -> Ran:
    if "ready" not in said:
        ended = "did not get ready in time" if status is None else f"ended with status {status} before it was ready"
        raise ConfigError(f"the sandbox {ended}: {tail or 'it printed nothing'}. Check that this Python runs with -I -S; raise the limits.")
    if status is None or status == -signal.SIGXCPU:
        return Ran("timed out", tail)
    if "memory" in said or status == -signal.SIGKILL:  # the kernel kills where the machine itself has no memory left
        return Ran("too much memory", tail)
    return Ran("passed" if status == 0 and "passed" in said else "failed", tail)


def _said(report: IO[bytes], token: str) -> list[str]:
    """The words reported with the token, which a program does not have."""
    report.seek(0)
    lines = (line.split() for line in report.read(TAIL_BYTES).decode(errors="replace").splitlines())
    return [line[1] for line in lines if len(line) == 2 and line[0] == token]


def _tail(output: IO[bytes]) -> str:
    output.seek(max(0, output.seek(0, os.SEEK_END) - TAIL_BYTES))
    return output.read().decode(errors="replace")


def _make_removable(folder: str) -> None:
    """Undo what a program did to the permissions of its own folders."""
    for here, folders, _ in os.walk(folder):
        for path in (os.path.join(here, name) for name in folders):
            if not os.path.islink(path):
                os.chmod(path, 0o700)
