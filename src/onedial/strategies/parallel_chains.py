"""Several chains of revisions side by side: some of the samples are spent on width, some on depth.

One long chain is `revision_chain`, chains of one attempt are `best_of_n`; which
mixture is best depends on how hard the query is for the model.

Source: the ratio of sequential to parallel sampling, Snell 2408.03314, section 6.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

from onedial.core.answer import Answer, Candidate
from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.best_of_n import highest
from onedial.strategies.draw import Reading, conclude, draw, judged, plurality, put
from onedial.strategies.follow_up import follow_up
from onedial.strategies.revision_chain import REQUEST, SHOWN

RATIO = 1.0
"""As many attempts per chain as there are chains. A default of ours: the paper finds the best ratio to rise as queries get easier."""


def parallel_chains(query: Query, source: Source, n: int, reading: Reading, ratio: float = RATIO) -> Steps[Answer]:
    """Spend `n` attempts on chains whose length is about `ratio` times their number; the plurality among the highest-scored is the answer.

    All first attempts are drawn in one ask. Every later one is an ask of its own that shows the last few of its chain; it ends at the
    first of them that brings nothing. The choice is made over all attempts of all chains.

    Args:
        query: What to ask.
        source: Of whom.
        n: Attempts of all chains together.
        reading: How they are read and scored.
        ratio: Attempts per chain over number of chains, above 0: 1 / `n` or less makes `n` samples, `n` or more one chain.
    """
    width = width_of(n, ratio)
    drawn = [(yield from draw(query, source, width, reading))]
    chains = [[c] for c in drawn[0].candidates]
    for index, chain in zip(range(width, n), _turns(chains), strict=False):
        messages = follow_up(query, [c.text for c in chain[-SHOWN:]], REQUEST)
        drawn.append((yield from put(query, Sample(query.id, source, messages, 1, index), reading)))
        if not drawn[-1].candidates:
            break
        chain += drawn[-1].candidates
    drawn = yield from judged(query, drawn, reading)
    candidates = [c for d in drawn for c in d.candidates]
    chosen = plurality(highest(candidates), reading.equal)
    return conclude(drawn, chosen, f"{len(candidates)} of {n} attempts are in, in {len(chains)} chains")


def width_of(n: int, ratio: float) -> int:
    """How many chains: at least one, at most `n`.

    >>> [width_of(16, ratio) for ratio in (1 / 16, 1 / 4, 1, 4, 16)]
    [16, 8, 4, 2, 1]
    """
    return max(1, min(n, round(sqrt(n / ratio))))


def _turns(chains: list[list[Candidate]]) -> Iterator[list[Candidate]]:
    """Each chain in turn, over and over; nothing if there is none."""
    while chains:
        yield from chains
