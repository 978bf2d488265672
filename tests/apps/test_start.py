"""How the command starts and ends, in processes of its own."""

import os
import subprocess
import sys

import onedial

HEAVY = {"sklearn", "matplotlib", "pyarrow", "torch", "scipy", "aiohttp"}
MAIN = "from onedial.apps.cli import main; main()"


def start(script, *arguments, **options):
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], env=found, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def test_help_lists_the_commands_and_loads_nothing_heavy():
    told = f"import atexit, sys; atexit.register(lambda: print('LOADED', *sys.modules)); {MAIN}"
    out, errors = start(told, "--help").communicate()
    text, _, modules = out.partition("LOADED")
    assert {name.partition(".")[0] for name in modules.split()} & HEAVY == set(), errors
    commands = ("ask", "plan", "run", "collect", "import", "export", "fit", "promise", "report", "bench", "arms", "doctor", "lab")
    assert [c for c in commands if f" {c} " not in text] == []


def test_a_reader_that_leaves_is_no_error(tmp_path):
    process = start(MAIN, "--data", str(tmp_path), "arms")
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait()


def test_the_version_is_that_of_the_package():
    out, _ = start(MAIN, "--version").communicate()
    assert out == f"onedial {onedial.__version__}\n"
