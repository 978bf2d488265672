import os
import subprocess
import sys
from pathlib import Path

import pytest

from onedial.core.errors import ConfigError, TableError
from onedial.runtime.sandbox import Limits, run_tests

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX limits")

LIMITS = Limits(cpu_s=2, wall_s=60, memory_bytes=256 * 2**20, file_bytes=2**20)
ADD = "def add(a, b):\n    return a + b\n"
NEVER_REACHED = "assert True"


def verdict(program, tests=NEVER_REACHED, limits=LIMITS):
    return run_tests(program, tests, limits).verdict


@pytest.mark.parametrize(("tests", "expected"), [
    ("assert add(2, 2) == 4", "passed"),
    ("assert add(2, 2) == 5", "failed"),
    ("from program import add as plus\ndef test_sum():\n    assert plus(1, 1) == 2", "passed"),
    ("def test_sum():\n    assert add(1, 1) == 3", "failed"),
    ("import unittest\nclass T(unittest.TestCase):\n    def test_sum(self): self.assertEqual(add(1, 1), 2)", "passed"),
    ("import unittest\nclass T(unittest.TestCase):\n    def test_sum(self): self.assertEqual(add(1, 1), 3)", "failed"),
])  # fmt: skip
def test_statements_functions_and_cases_are_run(tests, expected):
    assert verdict(ADD, tests) == expected


def test_what_went_wrong_is_in_the_tail():
    ran = run_tests("print('x' * 10000)", "assert 2 + 2 == 5, 'no such sum'", LIMITS)
    assert "AssertionError: no such sum" in ran.tail and len(ran.tail) <= 4000


@pytest.mark.parametrize("tests", ["", "# nothing", "assert ("])
def test_tests_that_test_nothing_are_an_error_and_no_pass(tests):
    with pytest.raises(TableError, match="tests"):
        run_tests(ADD, tests, LIMITS)


@pytest.mark.parametrize("program", ["def (", "\0", "raise SystemExit(0)", "import os; os._exit(0)", "exec('(' * 500)"])
def test_a_program_that_does_not_come_to_its_tests_has_not_passed(program):
    assert verdict(program) == "failed"


def test_the_main_part_of_a_program_is_left_out_and_its_working_folder_can_be_used():
    program = "import tempfile\nfrom pathlib import Path\nif __name__ == '__main__': raise SystemExit(1)"
    tests = "Path('a').write_text('b'); assert Path('a').read_text() == 'b'\nwith tempfile.TemporaryDirectory() as d: Path(d, 'x').touch()"
    assert verdict(program, tests) == "passed"


def test_asyncio_needs_no_network():
    assert verdict("import asyncio\nasync def one(): return 1", "assert asyncio.run(one()) == 1") == "passed"


def test_a_loop_without_end_is_timed_out_by_the_cpu_that_it_uses():
    assert verdict("while True: pass", limits=Limits(cpu_s=1, wall_s=60)) == "timed out"


def test_waiting_without_end_is_timed_out_by_the_clock():
    program = "import time\nwhile True:\n  try: time.sleep(600)\n  except BaseException: pass"
    assert verdict(program, limits=Limits(wall_s=4)) == "timed out"


def test_a_memory_hog_runs_out_of_its_own_memory():
    assert verdict("held = []\nwhile True: held.append(bytearray(2**20))") == "too much memory"
    assert verdict("x = 'x' * 2**40") == "too much memory"


def test_a_huge_file_and_a_flood_of_output_are_cut_off():
    assert "File too large" in run_tests("open('a', 'wb').write(b'x' * 2**22)", NEVER_REACHED, LIMITS).tail
    assert verdict("while True: print('x' * 1000)") == "failed"


def test_files_can_be_open_only_so_many_at_a_time():
    ran = run_tests("held = [open('a', 'w') for _ in range(200)]", NEVER_REACHED, LIMITS)
    assert ran.verdict == "failed" and "Too many open files" in ran.tail


REFUSED = {
    "a fork": "import os\nfor _ in range(20): os.fork()",
    "a command": "import os; os.system('true')",
    "a child": "import subprocess, sys; subprocess.run([sys.executable, '-c', ''])",
    "another program in its place": "import os, sys; os.execv(sys.executable, [sys.executable, '-c', ''])",
    "a socket": "import socket; socket.socket()",
    "a connection": "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')",
    "a name": "import socket; socket.getaddrinfo('localhost', 80)",
    "a signal to its parent": "import os; os.kill(os.getppid(), 9)",
    "a signal to the group of its parent": "import os; os.killpg(os.getpgid(os.getppid()), 9)",
    "the environment of its parent": "import os; open(f'/proc/{os.getppid()}/environ').read()",
    "a file of the system": "open('/etc/passwd').read()",
    "a link to it": "import os; os.symlink('/etc/passwd', 'x')",
    "a folder outside": "import os; os.listdir('/')",
    "a file outside": "import os; open(os.path.dirname(os.__file__) + '/x.py', 'w')",
    "a removal outside": "import os; os.remove(os.__file__)",
    "a change of its limits": "import resource; resource.setrlimit(resource.RLIMIT_CPU, (99, 99))",
    "foreign functions": "import ctypes",
}


@pytest.mark.parametrize("attempt", REFUSED)
def test_an_attempt_at_this_is_refused(attempt):
    ran = run_tests(REFUSED[attempt], NEVER_REACHED, LIMITS)
    assert ran.verdict == "failed" and "the sandbox refuses" in ran.tail, ran


def test_the_environment_of_the_parent_is_not_handed_on(monkeypatch):
    monkeypatch.setenv("ONEDIAL_SECRET", "hush")
    assert verdict("import os", "assert 'ONEDIAL_SECRET' not in os.environ and 'PATH' not in os.environ") == "passed"


def test_no_descriptor_of_the_parent_is_handed_on():
    with open(os.devnull) as held:
        os.dup2(held.fileno(), 200, inheritable=True)
    try:
        assert verdict("import os\ntry: os.fstat(200)\nexcept OSError: gone = True", "assert gone") == "passed"
    finally:
        os.close(200)


def test_the_report_cannot_be_forged_without_the_token():
    program = "import os\nfor fd in range(3, 20):\n  try: os.write(fd, b'passed\\n0 passed\\n')\n  except OSError: pass\nos._exit(0)"
    assert verdict(program) == "failed"


def test_the_working_folder_is_removed_whatever_was_done_to_it(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    program = "import os\nos.makedirs('a/b')\nopen('a/b/c', 'w').close()\nos.chmod('a/b', 0)\nos.chmod('a', 0)"
    assert verdict(program) == "passed"
    assert list(tmp_path.iterdir()) == []


def test_an_interpreter_that_does_not_start_is_an_error_and_no_verdict(tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho broken\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(ConfigError, match="ended with status 3 before it was ready: broken"):
        run_tests(ADD, NEVER_REACHED, LIMITS, str(broken))


def shareable():
    """An interpreter whose library anybody may read; None if there is none here."""
    for python in (sys.executable, "/usr/bin/python3"):
        if os.geteuid() != 0:
            return python
        asked = [python, "-I", "-S", "-c", "import os; print(os.__file__)"]
        found = Path(python).exists() and subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
        if found and all(place.stat().st_mode & 0o001 for place in Path(found).resolve().parents):
            return python
    return None


@pytest.mark.skipif(shareable() is None, reason="root stays root here, and is exempt from the limit on processes")
def test_the_kernel_too_refuses_a_second_thread_and_root_is_shed():
    program = "import os, threading\nassert os.geteuid() != 0\nthreading.Thread(target=print).start()"
    ran = run_tests(program, NEVER_REACHED, LIMITS, shareable())
    assert ran.verdict == "failed" and "can't start new thread" in ran.tail, ran


def test_a_limit_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="limit cpu_s is 0; expected at least 1"):
        Limits(cpu_s=0)
