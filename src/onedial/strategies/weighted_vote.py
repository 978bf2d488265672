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
from onedial.strategies.draw import Reading, conclude, draw, judged, plurality


def weighted_vote(query: Query, source: Source, n: int, reading: Reading) -> Steps[Answer]:
    """Draw `n` samples in one ask and take the answer whose scores sum to most; the earliest wins a tie."""
    first = yield from draw(query, source, n, reading)
    drawn = yield from judged(query, [first], reading)
    return conclude(drawn, heaviest(drawn[0].candidates), f"{len(first.candidates)} of {n} votes are in and weighed")


def heaviest(candidates: Sequence[Candidate]) -> Candidate | None:
    """The first candidate of the answer whose scores sum to most; where nothing has weight, the plurality.

    A vote without a score weighs nothing beside votes that have one.
    """
    scores: dict[str, list[float]] = {}
    for c in candidates:
        if c.answer is not None:
            scores.setdefault(c.answer, []).append(c.score or 0.0)
    weights = {answer: fsum(each) for answer, each in scores.items()}
    if not any(weights.values()):
        return plurality(candidates)
    best = max(weights, key=weights.__getitem__)
    return next(c for c in candidates if c.answer == best)
