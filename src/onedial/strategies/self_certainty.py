"""Sample several and let a vote weigh by its rank in how certain the model was of it.

Ranks, not certainties, are weighed, so that one freak value decides nothing. A text's
certainty is the mean over its tokens of how far the model's choice was from a uniform
one. The published one takes the whole vocabulary. Here it is the `top` likeliest
tokens: the constant that is left out changes no rank, the tokens that are left out
can. Only a client that shows its whole vocabulary, as the embedded models do, is exact.

Source: self-certainty with Borda voting, Kang 2502.18581.
"""

from __future__ import annotations

from collections.abc import Sequence

from onedial.core.answer import Answer
from onedial.core.arm import Source
from onedial.core.confidence import WINDOW, mean
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.confident import TOP, draw_sure, sure
from onedial.strategies.draw import Reading, conclude
from onedial.strategies.weighted_vote import weightiest

POWER = 0.5
"""Exponent of the rank: 0 counts votes, and the larger it is the more the most certain decide. A default of ours, tuned on nothing."""


def self_certainty(query: Query, source: Source, n: int, reading: Reading, power: float = POWER, top: int = TOP) -> Steps[Answer]:
    """Draw `n` samples in one ask and take the answer whose votes weigh most; a sample without a certainty weighs nothing."""
    came = yield from draw_sure(query, source, n, reading, top)
    [drawn], rests_on = sure([came], mean, WINDOW)
    candidates = drawn.candidates
    chosen = weightiest(candidates, borda([c.confidence for c in candidates], power), reading.equal)
    return conclude([drawn], chosen, f"{len(candidates)} of {n} votes are in and ranked; {rests_on}")


def borda(values: Sequence[float | None], power: float) -> list[float]:
    """Weigh each value by its rank: the highest of N gets N ** power and the lowest 1; equal ones share what they would get, None gets 0.

    >>> borda([0.2, 0.9, None, 0.2], 1.0)
    [1.5, 3.0, 0.0, 1.5]
    """
    known = [value for value in values if value is not None]
    shared: dict[float, list[float]] = {}
    for place, value in enumerate(sorted(known), 1):
        shared.setdefault(value, []).append(place**power)
    return [0.0 if value is None else sum(shared[value]) / len(shared[value]) for value in values]
