"""Measure weights files on held-out questions, and keep the numbers as JSON so that the card can be redrawn.

What is measured is the runtime that users get, client and all.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from onedial.core.arm import Source
from onedial.core.ask import Completion, Failure, Sample
from onedial.core.errors import ModelError, TableError
from onedial.core.query import Query
from onedial.lab import weights
from onedial.lab.client import LabClient
from onedial.lab.evaluate import Cell, Sampler, held_out, measure
from onedial.runtime.whole import whole_file


@dataclass(frozen=True, slots=True)
class Run:
    """One trained model, and what its training wrote down.

    Attributes:
        model: Name of its shape.
        seed: Seed of its training.
        parameters: Their number, the tied embedding counted once.
        file_bytes: Size of the weights file.
        metadata: As in the weights file.
    """

    model: str
    seed: int
    parameters: int
    file_bytes: int
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class Measurement:
    """Accuracy of some models, with all that a model card says of them."""

    per_cell: int
    samples: int
    runs: tuple[Run, ...]
    cells: tuple[Cell, ...]


def measure_files(paths: Sequence[Path], per_cell: int = 25, samples: int = 8) -> Measurement:
    """Measure weights files on every family, difficulty and budget level.

    Args:
        paths: The files.
        per_cell: Questions per family and difficulty.
        samples: Completions per question and level, at temperature 1.

    Raises:
        ConfigError: A file is missing or malformed.
    """
    questions = held_out(per_cell)
    runs, cells = [], list[Cell]()
    for path in paths:
        run = describe(path)
        runs.append(run)
        cells += measure(run.model, run.seed, file_sampler(path), questions, samples)
    return Measurement(per_cell, samples, tuple(runs), tuple(cells))


def describe(path: Path) -> Run:
    """Read what a weights file says of itself."""
    loaded = weights.load(path)
    seed = int(loaded.metadata.get("seed", 0))
    return Run(loaded.shape.name, seed, loaded.shape.parameters, path.stat().st_size, loaded.metadata)


def file_sampler(path: Path) -> Sampler:
    """Sample from a weights file; all prompts decode together."""

    async def sample(asks: Sequence[tuple[str, int]], n: int) -> list[tuple[Completion, ...]]:
        client = LabClient([path.stem], folder=path.parent)
        try:
            return await asyncio.gather(*(_completions(client, path.stem, prompt, level, n) for prompt, level in asks))
        finally:
            await client.aclose()

    return lambda asks, n: asyncio.run(sample(asks, n))


async def _completions(client: LabClient, name: str, prompt: str, level: int, n: int) -> tuple[Completion, ...]:
    query = Query.of(prompt)
    reply = await client.sample(Sample(query.id, Source(name, str(level)), query.messages, n))
    if isinstance(reply, Failure):
        raise ModelError(reply.message)
    return reply.completions


def save(measurement: Measurement, path: Path) -> None:
    """Write a measurement as JSON."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(asdict(measurement), indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> Measurement:
    """Read a measurement back.

    Raises:
        TableError: The file is missing or is not a measurement.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        runs, cells = (Run(**run) for run in content["runs"]), (Cell(**cell) for cell in content["cells"])
        return Measurement(content["per_cell"], content["samples"], tuple(runs), tuple(cells))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TableError(f"{path} is not a measurement of embedded models ({error!r}). Measure again to make one.") from error
