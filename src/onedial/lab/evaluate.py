"""Measure the embedded models: accuracy by family, difficulty, budget and model.

Running a model is handed in as a `Sampler`; writing the model card is done in
`card.py`. Cells hold plain numbers, so that they can be stored as JSON.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from onedial.lab.families import check
from onedial.lab.mix import MIX, Question, queries
from onedial.lab.tasks import LEVELS

MAX_TOKENS = 200
_MIX_SEED = 9_000  # No other reader of the mix uses this one.


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote after a budget token, and how many tokens that took."""

    text: str
    tokens: int


Sampler = Callable[[str, int, int], Sequence[Completion]]
"""From (prompt, level, n) to `n` independent completions at temperature 1."""


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


def answer_in(text: str) -> str:
    """Return what follows `<ans>`; a completion without it has no answer.

    >>> answer_in("#1 3 <ans> 3 <eos>")
    '3'
    """
    _, marker, answer = text.partition("<ans>")
    return answer.replace("<eos>", "").strip() if marker else ""


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
    """Sample every question at every level and grade the answers exactly."""
    return [_measure_cell(model, seed, sampler, cell, asked, level, samples) for cell, asked in questions.items() for level in levels]


def _measure_cell(
    model: str,
    seed: int,
    sampler: Sampler,
    cell: tuple[str, int],
    asked: list[Question],
    level: int,
    samples: int,
) -> Cell:
    shares, majorities, tokens = [], [], []
    for question in asked:
        prompt = question.example.prompt
        completions = sampler(prompt, level, samples)
        answers = [answer_in(completion.text) for completion in completions]
        shares.append(fmean(check(prompt, answer) for answer in answers))
        majorities.append(check(prompt, max(answers, key=answers.count)))
        tokens.append(fmean(completion.tokens for completion in completions))
    return Cell(
        model=model,
        seed=seed,
        family=cell[0],
        difficulty=cell[1],
        level=level,
        accuracy=round(fmean(shares), 4),
        error=round(stdev(shares) / len(shares) ** 0.5, 4) if len(shares) > 1 else 0.0,
        majority=round(fmean(majorities), 4),
        tokens=round(fmean(tokens), 2),
        questions=len(asked),
    )
