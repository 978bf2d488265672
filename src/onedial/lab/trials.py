"""Questions with a dial, for experiments: the mix, chains and walks of a chosen length, and whether a chain's thought has slipped.

They suit other models too, told in a system text how an answer is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from onedial.core.query import Query
from onedial.lab.families import FAMILIES
from onedial.lab.prompts import lab_queries

CHAINS = ("arith", "swap")
WALKS = ("path",)


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

    def slips(self, query: Query, thought: str) -> bool | None:
        """Whether a step that is written down in a chain's thought is wrong; None if nothing can be read."""
        return None

    def _made(self, names: tuple[str, ...], length: int, n: int) -> list[Query]:
        rng = Random(f"trials-{self.seed}-{names}-{length}")
        made = []
        for i in range(n):
            name = names[i % len(names)]
            example = FAMILIES[name].generate(rng, length)
            made.append(Query(f"trial-{self.seed}-{name}-{length}-{i}", example.prompt, self.system, example.answer, name))
        return made
