"""Sample several and let every answer weigh as much as its votes score together.

A frequent answer of middling score can beat a rare one of high score, which
best-of-n would take, and the other way round, which self-consistency would not.

Source: Li 2206.02336 (voting verifier); Uesato 2211.14275 (votes weighted by the reward model).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

from onedial.core.answer import Answer, Candidate
from onedial.core.arm import Source
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Reading, alike, conclude, draw, judged, plurality
from onedial.verifiers.equal.registry import Equal


def weighted_vote(query: Query, source: Source, n: int, reading: Reading) -> Steps[Answer]:
    """Draw `n` samples in one ask and take the answer whose scores sum to most; the earliest wins a tie."""
    first = yield from draw(query, source, n, reading)
    drawn = yield from judged(query, [first], reading)
    chosen = heaviest(drawn[0].candidates, reading.equal)
    return conclude(drawn, chosen, f"{len(first.candidates)} of {n} votes are in and weighed")


def heaviest(candidates: Sequence[Candidate], equal: Equal | None = None) -> Candidate | None:
    """The first candidate of the answer whose scores sum to most; where nothing has weight, the plurality.

    A vote without a score weighs nothing beside votes that have one.
    """
    return weightiest(candidates, [c.score or 0.0 for c in candidates], equal)


def weightiest(candidates: Sequence[Candidate], weights: Sequence[float], equal: Equal | None = None) -> Candidate | None:
    """The first candidate of the answer whose votes weigh most together, the earliest on ties; where nothing weighs, the plurality."""
    voices = alike(candidates, equal)
    sums = weighed(voices, weights)
    if not any(sums.values()):
        return plurality(candidates, equal)
    return candidates[voices.index(max(sums, key=sums.__getitem__))]


def weighed(voices: Sequence[str | None], weights: Sequence[float]) -> dict[str, float]:
    """What each answer weighs, in order of appearance; a vote for none weighs nothing.

    >>> weighed(["4", None, "5", "4"], [0.5, 9.0, 0.75, 0.5])
    {'4': 1.0, '5': 0.75}
    """
    each: dict[str, list[float]] = {}
    for voice, weight in zip(voices, weights, strict=True):
        if voice is not None:
            each.setdefault(voice, []).append(weight)
    return {voice: fsum(those) for voice, those in each.items()}
