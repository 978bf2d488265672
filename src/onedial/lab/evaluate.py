"""Measure the embedded models: accuracy by family, difficulty, budget and model.

Running a model is handed in as a `Sampler`; `measure.py` has the one for
weights files, `card.py` writes the tables. Cells hold plain numbers, so that
they can be stored as JSON.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from onedial.core.ask import Completion
from onedial.lab.families import check
from onedial.lab.mix import MIX, Question, queries
from onedial.lab.tasks import LEVELS

_MIX_SEED = 9_000  # No other reader of the mix uses this one.

Sampler = Callable[[Sequence[tuple[str, int]], int], Sequence[Sequence[Completion]]]
"""From many (prompt, level) and n to `n` independent completions of each at temperature 1."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One entry of an accuracy table.

    Attributes:
        accuracy: Share of right answers among single samples.
        error: Standard error of `accuracy`; questions are the independent units.
        majority: Share of questions on which the most frequent answer is right.
        tokens: Mean number of generated tokens.
        questions: Number of questions measured.
    """

    model: str
    seed: int
    family: str
    difficulty: int
    level: int
    accuracy: float
    error: float
    majority: float
    tokens: float
    questions: int


def held_out(per_cell: int) -> dict[tuple[str, int], list[Question]]:
    """Take `per_cell` questions of the test split for every family and difficulty."""
    cells: dict[tuple[str, int], list[Question]] = defaultdict(list)
    wanted = sum(map(len, MIX.values())) * per_cell
    count = wanted
    while sum(map(len, cells.values())) < wanted:
        count *= 2
        cells.clear()
        for question in queries(count, _MIX_SEED, "test"):
            cell = cells[question.example.family, question.example.difficulty]
            if len(cell) < per_cell:
                cell.append(question)
    return dict(sorted(cells.items()))


def measure(
    model: str,
    seed: int,
    sampler: Sampler,
    questions: dict[tuple[str, int], list[Question]],
    samples: int = 16,
    levels: Iterable[int] = range(LEVELS),
) -> list[Cell]:
    """Sample every question at every level, all in one call of `sampler`, and grade the answers exactly."""
    asked = [(cell, level, question) for cell, group in questions.items() for question in group for level in levels]
    drawn = sampler([(question.example.prompt, level) for _, level, question in asked], samples)
    grades: dict[tuple[str, int, int], list[tuple[float, float, float]]] = defaultdict(list)
    for (cell, level, question), completions in zip(asked, drawn, strict=True):
        grades[(*cell, level)].append(_grade(question.example.prompt, completions))
    return [_cell(model, seed, key, graded) for key, graded in sorted(grades.items())]


def _grade(prompt: str, completions: Sequence[Completion]) -> tuple[float, float, float]:
    """Return the share of right answers, whether the most frequent one is right, and the mean tokens."""
    answers = [completion.text for completion in completions]
    share = fmean(check(prompt, answer) for answer in answers)
    majority = check(prompt, max(answers, key=answers.count))
    return share, float(majority), fmean(completion.output_tokens or 0 for completion in completions)


def _cell(model: str, seed: int, key: tuple[str, int, int], graded: list[tuple[float, float, float]]) -> Cell:
    shares, majorities, tokens = zip(*graded, strict=True)
    return Cell(
        model=model,
        seed=seed,
        family=key[0],
        difficulty=key[1],
        level=key[2],
        accuracy=round(fmean(shares), 4),
        error=round(stdev(shares) / len(shares) ** 0.5, 4) if len(shares) > 1 else 0.0,
        majority=round(fmean(majorities), 4),
        tokens=round(fmean(tokens), 2),
        questions=len(graded),
    )
