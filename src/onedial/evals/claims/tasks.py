"""What claims are tried on: questions whose difficulty can be set, handed in by whoever has such."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from onedial.core.query import Query
from onedial.verifiers.process import Process


class Tasks(Protocol):
    """Questions with a dial. The same call gives the same questions; ids never change."""

    @property
    def chain_lengths(self) -> Sequence[int]:
        """Lengths of chains: one slip spoils everything that follows."""
        ...

    @property
    def walk_lengths(self) -> Sequence[int]:
        """Lengths of walks: whether one place can be reached from another."""
        ...

    def mixed(self, n: int) -> Sequence[Query]:
        """The first `n` questions of every kind and difficulty."""
        ...

    def chains(self, length: int, n: int) -> Sequence[Query]:
        """The first `n` chains of a length; none where there are no such questions."""
        ...

    def walks(self, length: int, n: int) -> Sequence[Query]:
        """The first `n` walks of a length; none where there are no such questions."""
        ...

    def sound(self, query: Query, text: str) -> str | None:
        """The steps of a chain before the first wrong one, the whole text where none is wrong; None if no step can be read."""
        ...

    @property
    def writing(self) -> Process:
        """How steps are written: the tokens of one, and where one ends."""
        ...
