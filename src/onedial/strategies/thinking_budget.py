"""One sample whose thought is cut at a hard cap, after which an answer is forced: never an empty one.

The soft kind of budget, a level that the model was trained or told to keep to, is the effort of a source and needs no strategy. Whose
family has a hard cap, capability `thinking_cap`, is asked for it; else the client cuts the thought at the cap, closes it with its mark
and goes on with the answer, for which the model needs the capability `continue`. A model that has neither is refused.

Source: budget forcing, Muennighoff 2501.19393.
"""

from __future__ import annotations

from onedial.core.answer import Answer
from onedial.core.arm import Source
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Reading, conclude, draw


def thinking_budget(query: Query, source: Source, n: int, reading: Reading) -> Steps[Answer]:
    """Ask once, with at most `n` tokens of thought."""
    drawn = yield from draw(query, source, 1, reading, max_thinking_tokens=n)
    chosen = drawn.candidates[0] if drawn.candidates else None
    return conclude([drawn], chosen, f"one sample was asked for, with at most {n} tokens of thought")
