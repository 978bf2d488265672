"""Put a dial together: from `onedial.toml` where there is one, else from the embedded models."""

from __future__ import annotations

from pathlib import Path

from onedial.core.answer import Candidate
from onedial.core.errors import ConfigError
from onedial.core.query import Query
from onedial.engine.dial import Dial, Grader, Settings
from onedial.runtime.pool import Pool
from onedial.strategies.draw import Reading
from onedial.verifiers.extract import named_extractor, words
from onedial.verifiers.verifier import VERIFIERS, Verifier

CONFIG = Path("onedial.toml")
DATA = Path("onedial-data")


def load(config: Path | str | None = None, data: Path | str | None = None, seed: int = 0) -> Dial:
    """Open a dial.

    Args:
        config: A configuration file; by default `onedial.toml` here if it exists, else the embedded models.
        data: Folder of outcomes and fit; by default what the configuration says, else `onedial-data`.
        seed: Of splits and coins, and of the embedded models' samples.

    Raises:
        ConfigError: The configuration is missing or wrong.
    """
    path = Path(config) if config is not None else CONFIG
    if config is not None and not path.exists():
        raise ConfigError(f"there is no configuration file {path}. Write one, or leave it out to use the embedded models.")
    return configured(path, data, seed) if path.exists() else embedded(data, seed)


def embedded(data: Path | str | None = None, seed: int = 0) -> Dial:
    """A dial on the embedded models, graded by their exact checker."""
    from onedial.lab.checker import lab_checker
    from onedial.lab.client import LabClient

    settings = Settings(Reading(words, lab_checker), grader("lab"), label_kind="exact", seed=seed)
    return Dial(Pool([LabClient(seed=seed)]), Path(data or DATA), settings)
