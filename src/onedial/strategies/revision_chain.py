"""Try again and again with the latest attempts in view, then choose from the whole chain.

The last attempt is not trusted: a revision turns many a right answer into a wrong
one, so the choice is that of best-of-n, over attempts that have seen each other.

Source: sequential revisions, Snell 2408.03314.
"""

from __future__ import annotations

from onedial.core.answer import Answer
from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.best_of_n import highest
from onedial.strategies.draw import Reading, conclude, draw, judged, plurality, put
from onedial.strategies.follow_up import follow_up

SHOWN = 4
"""Attempts in view at most: each is paid for again as input."""
REQUEST = (
    "This answer may be wrong. Work the whole task out again from the start, without the mistakes made so far, "
    "and give the complete answer in the form first asked for."
)


def revision_chain(query: Query, source: Source, n: int, reading: Reading) -> Steps[Answer]:
    """Ask `n` times, each time showing the last few attempts; the plurality among the highest-scored of all attempts is the answer."""
    drawn = [(yield from draw(query, source, 1, reading))]
    candidates = [*drawn[0].candidates]
    while len(drawn) < n and drawn[-1].candidates:
        messages = follow_up(query, [c.text for c in candidates[-SHOWN:]], REQUEST)
        drawn.append((yield from put(query, Sample(query.id, source, messages, 1, len(drawn)), reading)))
        candidates += drawn[-1].candidates
    drawn = yield from judged(query, drawn, reading)
    chosen = plurality(highest([c for d in drawn for c in d.candidates]), reading.equal)
    return conclude(drawn, chosen, f"{len(candidates)} of {n} attempts are in")
