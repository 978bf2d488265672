"""What is loaded when: importing onedial must stay quick, and serving must not load what only fitting and reporting need."""

import os
import subprocess
import sys

import pytest

HEAVY = {"torch", "sklearn", "aiohttp", "starlette", "matplotlib", "pyarrow"}
FITTING = HEAVY - {"aiohttp", "pyarrow"}


def loaded(statement):
    """Top-level modules in a fresh interpreter after one statement."""
    script = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", script], env=found, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def test_importing_onedial_loads_nothing_heavy():
    assert loaded("import onedial") & HEAVY == set()


@pytest.mark.parametrize("room", ["core", "metrics", "verifiers", "strategies", "forecasts", "policies"])
def test_a_pure_room_loads_nothing_heavy(room):
    assert loaded(every_module_of(room)) & HEAVY == set()


@pytest.mark.parametrize("room", ["engine", "evals", "runtime"])
def test_fitting_and_drawing_are_loaded_only_when_they_are_done(room):
    assert loaded(every_module_of(room)) & FITTING == set()


def every_module_of(room):
    """A statement that imports a room and all modules in it."""
    each = "importlib.import_module(f'{r.__name__}.{m.name}')"
    return f"import importlib, pkgutil, onedial.{room} as r; [{each} for m in pkgutil.iter_modules(r.__path__)]"
