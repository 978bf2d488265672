"""Let several models vote together, a vote of each weighing what it has been worth before.

An arm names one source, so the others and the weights are settings. How weights are
learned is in `vote_weights`; without any, all votes count the same.

Source: weighted majority of independent judges, Nitzan and Paroush 1982 (International Economic Review 23).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from onedial.core.answer import Answer
from onedial.core.arm import Source
from onedial.core.errors import ConfigError
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Reading, conclude, draw
from onedial.strategies.vote_weights import VoteWeights
from onedial.strategies.weighted_vote import weightiest


def mixture_vote(
    query: Query,
    source: Source,
    n: int,
    reading: Reading,
    others: Sequence[Source] = (),
    weights: VoteWeights | Sequence[float] | None = None,
) -> Steps[Answer]:
    """Draw `n` samples, as evenly as possible of all sources, and take the answer whose votes weigh most; the earliest wins a tie.

    One ask is made of each source, in order; a source that brings nothing is told and left out. The first sources get what cannot be
    shared out, and with fewer samples than sources the last ones get none.

    Args:
        query: What to ask.
        source: The first source.
        n: Samples of all sources together.
        reading: How they are read.
        others: The further sources.
        weights: Learned ones; or one number per source, in order, the first source's first, for every vote of it; None for equal ones.

    Raises:
        ConfigError: The numbers are not one per source.
        TableError: No weight was learned for a source.
    """
    sources = tuple(dict.fromkeys((source, *others)))
    worth = _worth(sources, weights)
    drawn = []
    for i, one in enumerate(sources[:n]):
        drawn.append((yield from draw(query, one, n // len(sources) + (i < n % len(sources)), reading)))
    candidates = [c for d in drawn for c in d.candidates]
    each = worth.of(Counter(c.source for c in candidates if c.answer is not None))
    chosen = weightiest(candidates, [each.get(c.source, 0.0) for c in candidates], reading.equal)
    return conclude(drawn, chosen, f"{len(candidates)} of {n} votes of {len(drawn)} sources are in and weighed")


def _worth(sources: Sequence[Source], weights: VoteWeights | Sequence[float] | None) -> VoteWeights:
    """The weights of these sources, found wanting before anything is paid."""
    if isinstance(weights, VoteWeights):
        weights.of(dict.fromkeys(sources, 1))
        return weights
    numbers = [1.0] * len(sources) if weights is None else weights
    if len(numbers) != len(sources):
        named = ", ".join(map(str, sources))
        raise ConfigError(f"'mix' is given {len(numbers)} weights for {len(sources)} sources ({named}). Give one for each, in this order.")
    return VoteWeights(dict(zip(sources, numbers, strict=True)), {})
