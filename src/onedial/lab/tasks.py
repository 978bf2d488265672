"""What a task is, and the two question forms that every task shares.

A task makes examples of a chosen difficulty and judges answers from the text
of the prompt alone. The five families live in a file each; `families.py`
lists them. Mixing, packing and training do not live here.

A completion of a prompt is one budget token `<think0>` to `<think3>`, the
thoughts of that level, `<ans>`, the answer, `<eos>`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

LEVELS = 4

_PROPOSAL = re.compile(r"proposed answer (.*?) \. is it right \?")


@dataclass(frozen=True, slots=True)
class Example:
    """One question with everything needed to teach and to grade it.

    Attributes:
        family: Name of the task that made it.
        difficulty: Number of steps, roads or numbers; countable in the text.
        prompt: The question, white-space separated words.
        answer: A right answer; some families accept others too.
        thoughts: What to think at each budget level, shortest first; the
            first is empty.
        wrong: A plausible wrong answer.
        wrong_thought: Thoughts that lead to `wrong`.
        looks: Look-ups into the prompt, as (key, value) texts; empty where
            the family needs none.
    """

    family: str
    difficulty: int
    prompt: str
    answer: str
    thoughts: tuple[str, str, str, str]
    wrong: str
    wrong_thought: str
    looks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Lesson:
    """One way to go on from a prompt: more question, then the completion."""

    question: str
    thought: str
    answer: str


class Task(Protocol):
    """A family of questions with a dial for difficulty."""

    name: str
    difficulties: range

    def generate(self, rng: Random, difficulty: int) -> Example:
        """Make one example, using `rng` and nothing else."""
        ...

    def owns(self, prompt: str) -> bool:
        """Say whether `prompt` is one of this family's questions."""
        ...

    def check(self, prompt: str, answer: str) -> bool:
        """Judge `answer` exactly, from the text of `prompt` alone."""
        ...

    def verify(self, prompt: str, answer: str) -> bool | None:
        """Judge `answer` where that is cheaper than solving, else None."""
        ...

    def examine(self, example: Example, proposal: str) -> tuple[str, str, str, str]:
        """Think about whether `proposal` is right, at each level."""
        ...


def solve(example: Example, level: int) -> Lesson:
    """Answer the question itself, thinking at `level`."""
    return Lesson("", example.thoughts[level], example.answer)


def check_form(task: Task, example: Example, rng: Random, level: int) -> Lesson:
    """Ask whether a proposed answer is right; every second one is wrong."""
    right = rng.random() < 0.5
    proposal = example.answer if right else example.wrong
    thought = task.examine(example, proposal)[level]
    return Lesson(check_question(proposal), thought, "yes" if right else "no")


def revise_form(example: Example, rng: Random, level: int) -> Lesson:
    """Show an attempt, right or wrong, and ask for the answer again."""
    right = rng.random() < 0.5
    answer = example.answer if right else example.wrong
    thought = example.thoughts[rng.randrange(LEVELS)] if right else example.wrong_thought
    attempt = f"{thought} so {answer}" if thought and rng.random() < 0.5 else answer
    return Lesson(revise_question(attempt), example.thoughts[level], example.answer)


def check_question(proposal: str) -> str:
    """Word the question whether `proposal` is right, to follow a prompt."""
    return f"proposed answer {proposal} . is it right ?"


def revise_question(attempt: str) -> str:
    """Word the request for a second try, to follow a prompt."""
    return f"attempt : {attempt} . answer again ?"


def proposal_in(prompt: str) -> str | None:
    """Return the answer that a check question proposes, or None.

    >>> proposal_in("what is it ? proposed answer 3 17 . is it right ?")
    '3 17'
    """
    found = _PROPOSAL.search(prompt)
    return found.group(1) if found else None


def stepped(values: Sequence[str], stride: int) -> str:
    """Write every `stride`-th value behind its step token.

    >>> stepped(["4", "7", "1"], 2)
    '#2 7'
    """
    return " ".join(f"#{i} {values[i - 1]}" for i in range(stride, len(values) + 1, stride))


def pick(rng: Random, low: int, high: int) -> int:
    """Draw an integer from `low` to `high`, both included, quickly."""
    return low + int(rng.random() * (high - low + 1))


def other(rng: Random, choices: Sequence[str], than: str) -> str:
    """Draw one of `choices` that differs from `than`."""
    while True:
        chosen = choices[int(rng.random() * len(choices))]
        if chosen != than:
            return chosen
