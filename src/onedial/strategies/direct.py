"""One sample, taken as it comes. Its effort is the thinking budget."""

from __future__ import annotations

from onedial.core.answer import Answer
from onedial.core.arm import Source
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Reading, conclude, draw


def direct(query: Query, source: Source, n: int, reading: Reading) -> Steps[Answer]:
    """Ask once and answer with what comes; `n` is 1 by definition and not used."""
    drawn = yield from draw(query, source, 1, reading)
    chosen = drawn.candidates[0] if drawn.candidates else None
    return conclude([drawn], chosen, "one sample was asked for")
