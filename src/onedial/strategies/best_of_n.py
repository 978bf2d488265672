"""Sample several and keep those that the verifier scores highest; the plurality decides among them.

Where the verifier has no opinion on the query this is self-consistency, so one
setting serves a stream in which only some queries can be checked.

Source: Cobbe 2110.14168, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isnan

from onedial.core.answer import Answer, Candidate
from onedial.core.arm import Source
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Reading, conclude, draw, judged, plurality


def best_of_n(query: Query, source: Source, n: int, reading: Reading) -> Steps[Answer]:
    """Draw `n` samples in one ask and take the plurality among those of the highest score."""
    first = yield from draw(query, source, n, reading)
    drawn = yield from judged(query, [first], reading)
    chosen = plurality(highest(drawn[0].candidates), reading.equal)
    return conclude(drawn, chosen, f"{len(first.candidates)} of {n} samples are in and scored")


def highest(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Keep the candidates of the highest score; no score, or one that is not a number, is below every score."""
    if not candidates:
        return []
    level = [-inf if c.score is None or isnan(c.score) else c.score for c in candidates]
    return [c for c, s in zip(candidates, level, strict=True) if s == max(level)]
