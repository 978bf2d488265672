"""Chains of modular arithmetic: one long thought is what helps."""

from __future__ import annotations

import re
from random import Random

from onedial.lab.tasks import Example, pick, stepped

MODULUS = 10
_ARGUMENTS = {"plus": range(1, 10), "minus": range(1, 10), "times": (3, 7, 9)}
_WORDINGS = (
    "compute modulo 10 : start with {start} . {steps} . what is the result ?",
    "modulo 10 , begin at {start} and do {steps} . what do you get ?",
    "take {start} . {steps} . give the result modulo 10 .",
)
_START = re.compile(r"(?:start with|begin at|take) (\d+)")
_STEP = re.compile(r"#\d+ (plus|minus|times) (\d+)")


class Arith:
    """Apply up to twelve operations to a digit; the answer is a digit.

    Every operation is a bijection on the digits, so answers are uniform and
    one slip always spoils the answer.
    """

    name = "arith"
    difficulties = range(1, 13)

    def generate(self, rng: Random, difficulty: int) -> Example:
        """Make a chain of `difficulty` operations."""
        start = pick(rng, 0, 9)
        steps = [_draw(rng) for _ in range(difficulty)]
        values = _run(start, steps)
        slip = pick(rng, 0, difficulty - 1)
        bad = (values[slip] + pick(rng, 1, 9)) % MODULUS
        wrong = [*values[:slip], bad, *_run(bad, steps[slip + 1 :])]
        texts = [str(value) for value in values]
        written = [f"#{i} {word} {n}" for i, (word, n) in enumerate(steps, 1)]
        copied = " ".join(f"{step} {text}" for step, text in zip(written, texts, strict=True))
        wording = _WORDINGS[pick(rng, 0, 2)]
        return Example(
            family=self.name,
            difficulty=difficulty,
            prompt=wording.format(start=start, steps=" ".join(written)),
            answer=texts[-1],
            thoughts=("", stepped(texts, 2), stepped(texts, 1), copied),
            wrong=str(wrong[-1]),
            wrong_thought=stepped([str(value) for value in wrong], 1),
        )

    def owns(self, prompt: str) -> bool:
        """Say whether `prompt` is one of this family's questions."""
        return "modulo 10" in prompt

    def check(self, prompt: str, answer: str) -> bool:
        """Compute the chain in `prompt` and compare."""
        return self.states(prompt)[-1:] == [answer.strip()]

    def states(self, prompt: str) -> list[str]:
        """What the chain in `prompt` comes to after every step; empty where there is none."""
        start = _START.search(prompt)
        steps = [(word, int(n)) for word, n in _STEP.findall(prompt.split(" attempt : ")[0])]
        return [str(value) for value in _run(int(start.group(1)), steps)] if start else []

    def verify(self, prompt: str, answer: str) -> bool | None:
        """Return None: checking a chain costs as much as computing it."""
        return None

    def examine(self, example: Example, proposal: str) -> tuple[str, str, str, str]:
        """Compute it again."""
        return example.thoughts


def _draw(rng: Random) -> tuple[str, int]:
    word = ("plus", "minus", "times")[pick(rng, 0, 2)]
    arguments = _ARGUMENTS[word]
    return word, arguments[pick(rng, 0, len(arguments) - 1)]


def _run(value: int, steps: list[tuple[str, int]]) -> list[int]:
    values = []
    for word, n in steps:
        value = (value + n if word == "plus" else value - n if word == "minus" else value * n) % 10
        values.append(value)
    return values
