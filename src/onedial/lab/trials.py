"""Questions with a dial, for experiments: the mix, chains and walks of a chosen length, and how far a chain's thought is sound.

They suit other models too, told in a system text how an answer is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from onedial.core.query import Query
from onedial.lab.arith import Arith
from onedial.lab.families import FAMILIES
from onedial.lab.prompts import lab_queries
from onedial.lab.swap import Swap
from onedial.verifiers.process import Process

CHAINS = ("arith", "swap")
WALKS = ("path",)
_STEP = re.compile(r"(#(\d+)(?: [^#\s]+)+)")
"""A step of a thought, from its number to what it came to."""
_BEGIN = re.compile(r"(?=#\d)")
STEP_TOKENS = 10
"""Enough for the longest step, and for the room that is kept for an answer."""


@dataclass(frozen=True, slots=True)
class Trials:
    """Questions of one seed.

    Attributes:
        seed: Another one makes other questions.
        system: Put before every question; the embedded models need none.
        chain_lengths: Steps of chains.
        walk_lengths: Roads of walks.
    """

    seed: int = 0
    system: str = ""
    chain_lengths: tuple[int, ...] = (2, 4, 6, 8, 10, 12)
    walk_lengths: tuple[int, ...] = tuple(range(1, 9))

    def mixed(self, n: int) -> list[Query]:
        """The first `n` questions of the mix's test split."""
        asked = lab_queries(n, "test", self.seed)
        return [Query(q.id, q.prompt, self.system, q.reference, q.dataset) for q in asked]

    def chains(self, length: int, n: int) -> list[Query]:
        """The first `n` chains of `length` steps, of several families in turn."""
        return self._made(CHAINS, length, n)

    def walks(self, length: int, n: int) -> list[Query]:
        """The first `n` walks of `length` roads."""
        return self._made(WALKS, length, n)

    def sound(self, query: Query, text: str) -> str | None:
        """The steps of a chain before the first wrong one, the whole text where none is wrong; None if no step can be read."""
        chain = next((task for task in (Arith(), Swap()) if task.owns(query.prompt)), None)
        steps = _STEP.findall(text)
        if chain is None or not steps:
            return None
        states, kept = chain.states(query.prompt), list[str]()
        for step, number in steps:
            if not 0 < int(number) <= len(states) or step.split()[-1] != states[int(number) - 1]:
                return " ".join(kept)
            kept.append(step)
        return text

    @property
    def writing(self) -> Process:
        """Steps of the embedded models begin with their number; other models are told nothing of it."""
        return Process() if self.system else Process(tokens=STEP_TOKENS, parts=numbered)

    def _made(self, names: tuple[str, ...], length: int, n: int) -> list[Query]:
        rng = Random(f"trials-{self.seed}-{names}-{length}")
        made = []
        for i in range(n):
            name = names[i % len(names)]
            example = FAMILIES[name].generate(rng, length)
            made.append(Query(f"trial-{self.seed}-{name}-{length}-{i}", example.prompt, self.system, example.answer, name))
        return made


def numbered(text: str) -> list[str]:
    """Split before every step's number, so that the parts join to the text.

    >>> numbered("#1 4 #2 7")
    ['#1 4 ', '#2 7']
    """
    return [part for part in _BEGIN.split(text) if part]
