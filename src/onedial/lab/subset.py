"""Subset sums: hard to find, easy to check, so sampling is what helps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from random import Random

from onedial.lab.tasks import Example, pick

_WORDINGS = (
    "numbers : {numbers} . pick some that sum to {target} .",
    "from {numbers} choose numbers with sum {target} .",
    "which of {numbers} add up to {target} ?",
)
_NUMBERS = re.compile(r"(?:numbers :|from|which of) ((?:\d+ )+)")
_TARGET = re.compile(r"(?:sum to|sum|add up to) (\d+) [.?]")
_LARGEST = 25


class Subset:
    """Pick two to four of up to eight numbers so that they sum to a target."""

    name = "subset"
    difficulties = range(3, 9)

    def generate(self, rng: Random, difficulty: int) -> Example:
        """Make a list of `difficulty` numbers with at least one solution."""
        numbers = rng.sample(range(1, _LARGEST + 1), difficulty)
        subsets = [tuple(numbers[i] for i in chosen) for chosen in _choices(difficulty)]
        solution = subsets[pick(rng, 0, len(subsets) - 1)]
        while sum(solution) > 99:
            solution = subsets[pick(rng, 0, len(subsets) - 1)]
        target = sum(solution)
        near = [s for s in subsets if 0 < abs(sum(s) - target) <= 8 and sum(s) <= 99]
        rng.shuffle(near)
        failures = [f"{add_up(s)} no" for s in near[:4]]
        success = f"{add_up(solution)} ok"
        wrong = near[0] if near and rng.random() < 0.75 else _stray(rng, numbers, solution)
        return Example(
            family=self.name,
            difficulty=difficulty,
            prompt=_WORDINGS[pick(rng, 0, 2)].format(numbers=" ".join(map(str, numbers)), target=target),
            answer=" ".join(map(str, solution)),
            thoughts=(
                "",
                add_up(solution),
                " ".join([*failures[: pick(rng, 0, 1)], success]),
                " ".join([*failures[: pick(rng, 0, 4)], success]),
            ),
            wrong=" ".join(map(str, wrong)),
            wrong_thought=add_up(wrong),
        )

    def owns(self, prompt: str) -> bool:
        """Say whether `prompt` is one of this family's questions."""
        return _TARGET.search(prompt) is not None and _NUMBERS.search(prompt) is not None

    def check(self, prompt: str, answer: str) -> bool:
        """Check membership, no number twice, and the sum."""
        asked, words = self.asked(prompt), answer.split()
        if asked is None or not words:
            return False
        numbers, target = asked
        if len(set(words)) < len(words) or not set(words) <= numbers:
            return False
        return sum(map(int, words)) == target

    def asked(self, prompt: str) -> tuple[frozenset[str], int] | None:
        """The numbers to pick from, as they are written, and the sum; None where they are not there."""
        numbers, target = _NUMBERS.search(prompt), _TARGET.search(prompt)
        return (frozenset(numbers[1].split()), int(target[1])) if numbers and target else None

    def verify(self, prompt: str, answer: str) -> bool | None:
        """Check the answer; adding up is far cheaper than searching."""
        return self.check(prompt, answer)

    def examine(self, example: Example, proposal: str) -> tuple[str, str, str, str]:
        """Add up what is proposed; the level makes no difference above zero."""
        thought = add_up([int(word) for word in proposal.split()])
        return ("", thought, thought, thought)


def add_up(numbers: Sequence[int]) -> str:
    """Write a running sum.

    >>> add_up([3, 17, 5])
    '3 + 17 = 20 + 5 = 25'
    """
    text, total = str(numbers[0]), numbers[0]
    for number in numbers[1:]:
        total += number
        text += f" + {number} = {total}"
    return text


@lru_cache
def _choices(count: int) -> tuple[tuple[int, ...], ...]:
    sizes = range(2, min(4, count - 1) + 1)
    return tuple(chosen for size in sizes for chosen in combinations(range(count), size))


def _stray(rng: Random, numbers: Sequence[int], solution: tuple[int, ...]) -> tuple[int, ...]:
    """Change one picked number to one that is not in the list."""
    place = pick(rng, 0, len(solution) - 1)
    stray = next(n for k in range(1, 99) if (n := solution[place] + k) not in numbers)
    return (*solution[:place], stray, *solution[place + 1 :])
