"""Leave out the doctests of modules whose optional dependency is not installed."""

from importlib.util import find_spec

NEEDS_TORCH = [f"src/onedial/lab/{name}.py" for name in ("train", "network", "muon")]
collect_ignore = [] if find_spec("torch") else NEEDS_TORCH
