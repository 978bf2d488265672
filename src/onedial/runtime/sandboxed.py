"""What runs inside the sandbox: it binds itself, runs a program and then its tests, and reports. How it is started is in `sandbox.py`.

Run as a script by a bare interpreter, so nothing of onedial is imported here.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any, NoReturn

NOBODY = 65534
READABLE = ("/dev/null", "/dev/urandom", "/usr/share/zoneinfo")
REFUSED = (
    "ctypes.", "os.exec", "os.fork", "os.kill", "os.posix_spawn", "os.system", "pty.spawn", "resource.", "signal.pthread_kill",
    "socket.", "subprocess.", "syslog.",
)  # fmt: skip
"""Beginnings of audit events that are refused whatever their arguments; local socket pairs, which asyncio needs, are let through."""

READING = ("os.listdir", "os.scandir")
CHANGING = (
    "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.removexattr", "os.rename", "os.rmdir", "os.setxattr", "os.symlink",
    "os.truncate", "os.utime", "shutil.rmtree", "sqlite3.connect",
)  # fmt: skip
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def main() -> NoReturn:
    """Do the job that is on standard input, and write what came of it to the descriptor that the job names."""
    with open(0, encoding="utf-8", closefd=False) as standard_input:
        job = json.load(standard_input)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    say = _reporter(job["report"], job["token"])
    shed_privileges()
    limit(job["limits"])
    sys.addaudithook(guard(os.getcwd(), [os.path.realpath(place) for place in sys.path]))
    say("ready")
    verdict = examine(job["program"], job["tests"])
    say(verdict)
    os._exit(0 if verdict == "passed" else 1)


def _reporter(descriptor: int, token: str, write: Callable[[int, bytes], int] = os.write) -> Callable[[str], None]:
    """Lines made beforehand: where memory has run out there is none for making them."""
    lines = {word: f"{token} {word}\n".encode() for word in ("ready", "passed", "failed", "memory")}

    def say(word: str) -> None:
        write(descriptor, lines[word])

    return say


def shed_privileges() -> None:
    """Stop being root, if `nobody` could read the standard library and the working folder."""
    if os.geteuid() != 0:
        return
    os.setgroups([])
    if _nobody_could_run(os.getegid()):
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def _nobody_could_run(group: int) -> bool:
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        for place in (os.path.dirname(os.__file__), "."):
            os.listdir(place)
    except PermissionError:
        return False
    finally:
        os.seteuid(0)
        os.setegid(group)
    return True


def limit(limits: dict[str, list[int]]) -> None:
    """Bind this process, soft and hard, and never above what it is bound to already."""
    for name, (soft, hard) in limits.items():
        kind = getattr(resource, name)
        most = resource.getrlimit(kind)[1]
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(kind, (soft, hard))


def guard(folder: str, library: list[str]) -> Callable[[str, tuple[Any, ...]], None]:
    """Make the hook that refuses the network, other processes, and files outside the folder; the library may be read."""
    realpath, fsdecode = os.path.realpath, os.fsdecode

    def within(path: Any, places: tuple[str, ...]) -> bool:
        if isinstance(path, int) or path is None:
            return True
        real = realpath(fsdecode(path))
        return any(real == place or real.startswith(place + "/") for place in places)

    own, readable = (realpath(folder), os.devnull), (realpath(folder), *library, *READABLE)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            allowed = within(args[0], own if args[2] & WRITES else readable)
        elif event in READING:
            allowed = within(args[0], readable)
        elif event in CHANGING:
            allowed = all(within(arg, own) for arg in args if isinstance(arg, str | bytes | os.PathLike))
        elif event == "socket.__new__":
            allowed = args[1] == socket.AF_UNIX
        else:
            allowed = not event.startswith(REFUSED)
        if not allowed:
            raise PermissionError(f"the sandbox refuses {event}{args[:1]}")

    return hook


def examine(program: str, tests: str) -> str:
    """Run a program and its tests; `passed` only if both come to their end."""
    module = types.ModuleType("program")
    sys.modules["program"] = module
    try:
        exec(compile(program, "program.py", "exec"), module.__dict__)
        run_tests(tests, dict(module.__dict__))
        sys.stdout.flush()
    except MemoryError:
        return "memory"
    except BaseException:  # also an exit: it must not keep the tests from being run
        traceback.print_exc()
        return "failed"
    return "passed"


def run_tests(tests: str, names: dict[str, Any]) -> None:
    """Run tests beside the names of a program: the statements, then every function `test_*` and every `unittest.TestCase` of theirs."""
    before = dict(names)
    exec(compile(tests, "tests.py", "exec"), names)
    new = {name: found for name, found in names.items() if before.get(name) is not found}
    for name, found in new.items():
        if name.startswith("test_") and isinstance(found, types.FunctionType):
            found()
    if "unittest" in sys.modules:
        _run_cases(list(new.values()))


def _run_cases(new: list[Any]) -> None:
    import unittest

    cases = [one for one in new if isinstance(one, type) and issubclass(one, unittest.TestCase) and one.__module__ != "unittest.case"]
    suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromTestCase(case) for case in cases)
    result = unittest.TestResult()
    suite.run(result)
    for _, told in (*result.errors, *result.failures):
        print(told)  # noqa: T201
    if not result.wasSuccessful():
        raise AssertionError(f"{len(result.errors) + len(result.failures)} of {result.testsRun} test cases failed")


if __name__ == "__main__":
    main()
