"""Sample several and answer with the most frequent *extracted* answer.

Source: Wang 2203.11171.
"""

from __future__ import annotations

from onedial.core.answer import Answer
from onedial.core.arm import Source
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Reading, conclude, draw, plurality


def self_consistency(query: Query, source: Source, n: int, reading: Reading) -> Steps[Answer]:
    """Draw `n` samples in one ask and take the plurality; the earliest answer wins a tie."""
    drawn = yield from draw(query, source, n, reading)
    return conclude([drawn], plurality(drawn.candidates, reading.equal), f"{len(drawn.candidates)} of {n} votes are in")
