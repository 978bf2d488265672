"""Reachability on one-way roads: a walk always finds out, a glance guesses."""

from __future__ import annotations

import re
from random import Random

from onedial.lab.tasks import Example, pick

PLACES = tuple("ABCDEFGHIJKLMNOPQRSTUVWX")
_WORDINGS = (
    "roads : {roads} ? {start} {end} :",
    "roads : {roads} can i go from {start} to {end} ?",
    "one way roads : {roads} is there a way from {start} to {end} ?",
)
_QUESTION = re.compile(r"(?:\? ([A-X]) ([A-X]) :|from ([A-X]) to ([A-X]) \?)")
_ROAD = re.compile(r"([A-X]) ([A-X]|stop) ,")


class Path:
    """Say whether one place can be reached from another.

    The roads form two chains and are listed in random order; a chain's last
    place is listed too, with `stop` for a next one. Difficulty is the number
    of roads to follow until the target, or the end, is reached.
    """

    name = "path"
    difficulties = range(1, 9)

    def generate(self, rng: Random, difficulty: int) -> Example:
        """Make a map on which the walk takes `difficulty` roads."""
        places = rng.sample(PLACES, len(PLACES))
        yes = rng.random() < 0.5
        before, after = pick(rng, 0, 2), pick(rng, 0, 2) if yes else 0
        length = before + 1 + difficulty + after
        rest = pick(rng, max(3, length - 3), min(len(PLACES) - length, length + 1))
        first, second = places[:length], places[length : length + rest]
        start = first[before]
        if yes:
            end = first[before + difficulty]
        else:
            behind = first[:before] if before and rng.random() < 0.3 else second
            end = behind[pick(rng, 0, len(behind) - 1)]
        roads = [pair for chain in (first, second) for pair in _roads(chain)]
        rng.shuffle(roads)
        walk = first[before : before + difficulty + 1] + ([] if yes else ["stop"])
        answer, wrong = ("yes", "no") if yes else ("no", "yes")
        return Example(
            family=self.name,
            difficulty=difficulty,
            prompt=_WORDINGS[pick(rng, 0, 2)].format(roads=" ".join(f"{one} {two} ," for one, two in roads), start=start, end=end),
            answer=answer,
            thoughts=("", _stride(walk, 3), _stride(walk, 2), " ".join(walk)),
            wrong=wrong,
            wrong_thought=" ".join(walk[: pick(rng, 1, len(walk) - 1)]),
            looks=tuple(rng.sample(roads, len(roads))),
        )

    def owns(self, prompt: str) -> bool:
        """Say whether `prompt` is one of this family's questions."""
        return "roads :" in prompt

    def check(self, prompt: str, answer: str) -> bool:
        """Walk the roads in `prompt` and compare."""
        places, end = self.walk(prompt)
        return bool(places) and answer.strip() == ("yes" if places[-1] == end else "no")

    def walk(self, prompt: str) -> tuple[list[str], str]:
        """The places of the walk in `prompt`, up to its target or to `stop`, and the target; nothing where nothing is asked."""
        question = _QUESTION.search(prompt)
        if question is None:
            return [], ""
        here, end = (place for place in question.groups() if place)
        roads, places = dict(_ROAD.findall(prompt)), [here]
        while places[-1] not in (end, "stop") and len(places) <= len(roads):
            places.append(roads.get(places[-1], "stop"))
        return places, end

    def verify(self, prompt: str, answer: str) -> bool | None:
        """Return None: a bare yes or no carries no evidence."""
        return None

    def examine(self, example: Example, proposal: str) -> tuple[str, str, str, str]:
        """Walk again."""
        return example.thoughts


def _roads(chain: list[str]) -> list[tuple[str, str]]:
    return list(zip(chain, [*chain[1:], "stop"], strict=True))


def _stride(walk: list[str], stride: int) -> str:
    """Keep every `stride`-th place, and always the last one."""
    kept = walk[::stride]
    return " ".join(kept if (len(walk) - 1) % stride == 0 else [*kept, walk[-1]])
