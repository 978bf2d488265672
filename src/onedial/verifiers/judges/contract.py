"""What a judge is: candidates in, asks out, scores back. How a judge is shown texts, and what it says is read, is in `showing`.

A judge asks each candidate a bounded number of questions, whatever is replied, and stops at the first ask that brings nothing.
A verdict that cannot be read is a failed verdict: no score, and counted. It is never a zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import TypeAlias, TypeVar

from onedial.core.answer import Candidate, Spend
from onedial.core.ask import Completion, Sample
from onedial.core.query import Query
from onedial.core.steps import Brought, Steps, bring, spend_of

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a judge made of some candidates.

    Attributes:
        scores: One per candidate, in their order, in [0, 1]; None where there is none.
        read: Verdicts that could be read.
        unread: Verdicts that came and could not be read.
        trouble: Why an ask brought less than it asked for; '' if none did.
    """

    scores: tuple[float | None, ...]
    read: int = 0
    unread: int = 0
    trouble: str = ""

    @property
    def complaint(self) -> str:
        """All that went wrong, in words; '' if nothing did."""
        missed = f"{self.unread} of {self.read + self.unread} verdicts could not be read" if self.unread else ""
        return "; ".join(said for said in (missed, self.trouble and f"judging ended early: {self.trouble}") if said)


Judge: TypeAlias = Callable[[Query, Sequence[Candidate]], Steps[Verdicts]]
"""From (query, candidates) to asks, and at last one score per candidate."""

MOST_ASKS = 256
"""Of one judging, whatever the judge; those here stay far below."""

Read: TypeAlias = Callable[[Completion], float | None]
"""From what a judge said to a score in [0, 1]; None if it cannot be read."""


def metered(judge: Judge, query: Query, candidates: Sequence[Candidate]) -> Steps[tuple[Verdicts, Spend]]:
    """Let a judge ask, add up what that costs, and end it at `MOST_ASKS`, then without scores."""
    steps, spend, asks = judge(query, candidates), Spend(), 0
    try:
        ask = next(steps)
        while asks < MOST_ASKS:
            reply = yield ask
            asks += 1
            spend += spend_of(reply)
            ask = steps.send(reply)
    except StopIteration as end:
        return end.value, spend
    finally:
        steps.close()
    return Verdicts((None,) * len(candidates), trouble=f"{MOST_ASKS} questions are asked, the most for one judging"), spend


def one_by_one(query: Query, candidates: Sequence[Candidate], question: Callable[[Candidate, int], Sample], read: Read) -> Steps[Verdicts]:
    """Judge every candidate by itself; those of the same text are judged once.

    Args:
        query: What they answer.
        candidates: One ask is made per distinct text of theirs, and no more.
        question: Makes the ask for a candidate, given how many verdicts were asked for before.
        read: Reads a verdict; a candidate's score is the mean of those of its ask that can be read.
    """
    tally, known, asked = Tally(), dict[str, float | None](), 0
    for candidate in candidates:
        if candidate.text in known or tally.trouble:
            continue
        ask = question(candidate, asked)
        asked += ask.n
        known[candidate.text] = mean(tally.take((yield from bring(ask)), read))
    return tally.verdicts([known.get(candidate.text) for candidate in candidates])


class Tally:
    """Counts what the asks of one judging brought."""

    def __init__(self) -> None:
        self.trouble, self._read, self._unread = "", 0, 0

    def take(self, brought: Brought, read: Callable[[Completion], V | None]) -> list[V]:
        """Read the verdicts of one ask; those that can be."""
        self.trouble = self.trouble or brought.trouble
        found = [read(completion) for completion in brought.completions]
        legible = [verdict for verdict in found if verdict is not None]
        self._read, self._unread = self._read + len(legible), self._unread + len(found) - len(legible)
        return legible

    def verdicts(self, scores: Sequence[float | None]) -> Verdicts:
        """Close the judging with these scores."""
        return Verdicts(tuple(scores), self._read, self._unread, self.trouble)


def mean(scores: Sequence[float]) -> float | None:
    """Their mean; None without any."""
    return fsum(scores) / len(scores) if scores else None


def contenders(candidates: Sequence[Candidate], most: int) -> list[Candidate]:
    """The first candidate of each distinct answer: at most `most`, those of the most frequent answers, in order of appearance."""
    votes = Counter(c.answer for c in candidates if c.answer is not None)
    kept = {answer for answer, _ in votes.most_common(most)}
    first = {c.answer: i for i, c in reversed([*enumerate(candidates)]) if c.answer in kept}
    return [candidates[i] for i in sorted(first.values())]
