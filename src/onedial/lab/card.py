"""Write the model card of the embedded models, from a measurement.

Numbers come from `measure.py`; nothing is computed here but means over cells.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from onedial.lab.evaluate import Cell
from onedial.lab.families import FAMILIES
from onedial.lab.measure import Measurement, Run
from onedial.lab.mix import MIX
from onedial.lab.price import FLOP_PER_S, USD_PER_HOUR, price_of
from onedial.lab.shape import SHAPES
from onedial.lab.tasks import LEVELS

_FAMILIES = {
    "arith": ("operations modulo 10", "one step spoils all that follow: going through every step decides"),
    "swap": ("swaps of two of five cups", "composing permutations, which no short thought can do"),
    "path": ("roads to follow", "a walk always finds out whether a place can be reached; a glance guesses"),
    "subset": ("numbers to choose from", "hard to find, easy to check: sampling with the exact checker helps"),
    "facts": ("hops over given facts", "look up, then look up again"),
}

_INTRODUCTION = """\
Llama-style language models of a hundred thousand to a few million parameters, trained from nothing on generated
questions. They make what onedial decides about cheap to see: how much a larger model, longer thought, a vote or a
checker is worth on a question. They are for demonstrations, tests and experiments, and know nothing but the five
families below.

A completion is a budget token, `<think0>` to `<think3>` (the efforts `0` to `3`), thoughts of that length, `<ans>`, the
answer, `<eos>`."""

_DATA = """\
Every question is generated, with an exact checker and thoughts for each of the four levels; there is no text by people
in the training data. Training, fitting and reporting draw from random streams that differ by name, and a hash of the
prompt decides to which split of the frozen mix it belongs. The very shortest questions (one operation, one swap) are so
few that training has met them; the hardest are longer than any in training."""

_LIMITS = """\
- What holds for these models need not hold for large ones: they show the method, not its worth elsewhere.
- Learning is abrupt. A model trained a little less can be at chance on a family that it now solves, and seeds differ.
- A budget level was trained with its own format of thought. A longer format is not always the easier one to learn, so
  accuracy need not rise from level to level.
- Judging a proposed answer and trying again after an attempt were trained too; these tables do not measure them.
- Text outside the five families gives nonsense, with the same confidence."""


def render(measurement: Measurement) -> str:
    """Write the card as Markdown."""
    runs = sorted(measurement.runs, key=lambda run: (run.parameters, run.seed))
    sections = [
        ("The embedded models", _INTRODUCTION),
        ("Models", _models(runs)),
        ("Data", f"{_DATA}\n\n{_families()}"),
        ("Training", _training(runs)),
        ("How accuracy was measured", _method(measurement)),
        ("Accuracy by family", _summary(runs, measurement.cells, lambda cell: cell.accuracy)),
        ("Accuracy of the most frequent answer", _summary(runs, measurement.cells, lambda cell: cell.majority)),
        ("Tokens generated", _summary(runs, measurement.cells, lambda cell: cell.tokens)),
        ("Accuracy by difficulty", _details(runs, measurement.cells)),
        ("Limits", _LIMITS),
    ]
    first, *rest = (f"{title}\n\n{text}" for title, text in sections)
    return "\n\n".join([f"# {first}", *(f"## {section}" for section in rest)]) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table.

    >>> print(table(["a", "b"], [["1", "2"]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("|" + "|".join(line) + "|" if line[0] == "---" else "| " + " | ".join(line) + " |" for line in lines)


def _models(runs: Sequence[Run]) -> str:
    rows = []
    for name, run in {run.model: run for run in runs}.items():
        shape = SHAPES[name]
        size = f"{shape.width} x {shape.layers}, {shape.ff}"
        price = f"{price_of(shape).output_usd_per_mtok:.2g}"
        rows.append([name, f"{run.parameters:,}", size, f"{run.file_bytes / 1e6:.2f} MB", price])
    note = (
        f"Prices are 2 x parameters operations per token at {FLOP_PER_S:.0e} operations a second and {USD_PER_HOUR} USD an hour. "
        "Weights are in half precision; context 256, vocabulary 320."
    )
    return table(["model", "parameters", "width x layers, feed-forward", "file", "USD per million tokens"], rows) + f"\n\n{note}"


def _families() -> str:
    rows = [
        [family, f"{min(asked)}-{max(asked)} {_FAMILIES[family][0]}", str(max(FAMILIES[family].difficulties)), _FAMILIES[family][1]]
        for family, asked in MIX.items()
    ]
    return table(["family", "difficulty", "trained up to", "what it shows"], rows)


def _training(runs: Sequence[Run]) -> str:
    rows = []
    for run in runs:
        data, settings = run.metadata, json.loads(run.metadata.get("settings", "{}"))
        start = "a smaller model" if data.get("grown") == "true" else "nothing"
        rates = f"{settings.get('lr_matrix', '?')} / {settings.get('lr_rest', '?')}"
        tokens, minutes = int(data.get("tokens", 0)) / 1e6, float(data.get("cpu_s", 0)) / 60
        rows.append([run.model, str(run.seed), f"{tokens:.0f} M", start, rates, f"{minutes:.0f}", data.get("recipe", "?")])
    return table(["model", "seed", "tokens seen", "started from", "rates: matrices / rest", "CPU-minutes", "recipe"], rows)


def _method(measurement: Measurement) -> str:
    largest = max((cell.error for cell in measurement.cells), default=0.0)
    return (
        f"{measurement.per_cell} held-out questions of every family and difficulty, {measurement.samples} samples each at temperature 1, "
        "graded exactly. Entries are levels 0/1/2/3; 1 stands for all from .995. Standard errors, with questions as the independent units, "
        f"are at most {largest:.2f} for a family and difficulty."
    )


def _summary(runs: Sequence[Run], cells: Sequence[Cell], value: Callable[[Cell], float]) -> str:
    """Average over difficulties: one row per family, one column per run."""
    rows = [[family, *(_levels([c for c in cells if c.family == family], run, value) for run in runs)] for family in MIX]
    return table(["family", *map(_title, runs)], rows)


def _details(runs: Sequence[Run], cells: Sequence[Cell]) -> str:
    """Write one table per family, one row per difficulty."""
    parts = []
    for family, difficulties in MIX.items():
        rows = []
        for difficulty in difficulties:
            of_row = [c for c in cells if (c.family, c.difficulty) == (family, difficulty)]
            rows.append([str(difficulty), *(_levels(of_row, run, lambda cell: cell.accuracy) for run in runs)])
        parts.append(f"### {family}\n\n" + table([_FAMILIES[family][0], *map(_title, runs)], rows))
    return "\n\n".join(parts)


def _levels(cells: Iterable[Cell], run: Run, value: Callable[[Cell], float]) -> str:
    """Average a run's cells at each level: `.12/.50/1/1`."""
    mine = [cell for cell in cells if (cell.model, cell.seed) == (run.model, run.seed)]
    by_level = [[value(cell) for cell in mine if cell.level == level] for level in range(LEVELS)]
    return "/".join(_short(fmean(values)) if values else "-" for values in by_level)


def _short(number: float) -> str:
    """Write two decimals without the leading zero, or no decimals from 1 on."""
    return f"{number:.0f}" if number >= 0.995 else f"{number:.2f}".removeprefix("0")


def _title(run: Run) -> str:
    return f"{run.model}, seed {run.seed}"
