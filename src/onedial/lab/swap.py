"""The cup game: composing permutations, which no short thought can do."""

from __future__ import annotations

import re
from random import Random

from onedial.lab.tasks import Example, other, pick, stepped

CUPS = "ABCDE"
_WORDINGS = (
    "a ball is under cup {start} . swap {steps} . where is the ball ?",
    "cups A B C D E , ball at {start} . swap {steps} . which cup ?",
    "the ball is at {start} . we swap cups {steps} . find the ball .",
)
_START = re.compile(r"(?:under cup|ball at|is at) ([A-E])\b")
_STEP = re.compile(r"#\d+ ([A-E]) ([A-E])")


class Swap:
    """Follow a ball through up to twelve swaps of two of five cups."""

    name = "swap"
    difficulties = range(1, 13)

    def generate(self, rng: Random, difficulty: int) -> Example:
        """Make a game of `difficulty` swaps."""
        start = CUPS[pick(rng, 0, 4)]
        steps = [_draw(rng) for _ in range(difficulty)]
        places = _run(start, steps)
        slip = pick(rng, 0, difficulty - 1)
        bad = other(rng, CUPS, places[slip])
        wrong = [*places[:slip], bad, *_run(bad, steps[slip + 1 :])]
        written = [f"#{i} {one} {two}" for i, (one, two) in enumerate(steps, 1)]
        copied = " ".join(f"{step} {place}" for step, place in zip(written, places, strict=True))
        wording = _WORDINGS[pick(rng, 0, 2)]
        return Example(
            family=self.name,
            difficulty=difficulty,
            prompt=wording.format(start=start, steps=" ".join(written)),
            answer=places[-1],
            thoughts=("", stepped(places, 2), stepped(places, 1), copied),
            wrong=wrong[-1],
            wrong_thought=stepped(wrong, 1),
        )

    def owns(self, prompt: str) -> bool:
        """Say whether `prompt` is one of this family's questions."""
        return " ball " in prompt

    def check(self, prompt: str, answer: str) -> bool:
        """Play the game in `prompt` and compare."""
        return self.states(prompt)[-1:] == [answer.strip()]

    def states(self, prompt: str) -> list[str]:
        """Where the ball is after every swap of the game in `prompt`; empty where there is none."""
        start = _START.search(prompt)
        return _run(start.group(1), _STEP.findall(prompt.split(" attempt : ")[0])) if start else []

    def verify(self, prompt: str, answer: str) -> bool | None:
        """Return None: checking a game costs as much as playing it."""
        return None

    def examine(self, example: Example, proposal: str) -> tuple[str, str, str, str]:
        """Play it again."""
        return example.thoughts


def _draw(rng: Random) -> tuple[str, str]:
    one = CUPS[pick(rng, 0, 4)]
    return one, other(rng, CUPS, one)


def _run(place: str, steps: list[tuple[str, str]]) -> list[str]:
    places = []
    for one, two in steps:
        place = two if place == one else one if place == two else place
        places.append(place)
    return places
