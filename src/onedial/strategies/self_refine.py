"""Answer, then find fault with the answer and write it anew, again and again: feedback and rewriting in one ask.

Every round reads only the version before it. Models often talk themselves out of a
right answer, so a verifier's word counts for more than being the latest.

Source: self-refine, Madaan 2303.17651.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from onedial.core.answer import Answer, Candidate
from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.best_of_n import highest
from onedial.strategies.draw import Reading, conclude, draw, judged, put
from onedial.strategies.follow_up import follow_up

REQUEST = (
    "Check the answer above and name everything that is wrong or missing in it. Then write a line that says 'Improved answer:' "
    "and below it the whole answer anew, in the form first asked for; if nothing is wrong, the same answer."
)
_MARK = re.compile(r"^[^\w\n]*improved answer[^\w\n:]*:[*\s]*", re.IGNORECASE | re.MULTILINE)


def self_refine(query: Query, source: Source, n: int, reading: Reading) -> Steps[Answer]:
    """Ask once, then refine up to `n - 1` times; the latest version with an answer is taken unless an earlier one scores higher."""
    rereading = replace(reading, extract=lambda text: reading.extract(improved(text)))
    drawn = [(yield from draw(query, source, 1, reading))]
    candidates = [*drawn[0].candidates]
    while len(drawn) < n and drawn[-1].candidates:
        shown = next((c for c in reversed(candidates) if c.answer is not None), candidates[-1])
        messages = follow_up(query, [improved(shown.text)], REQUEST)
        drawn.append((yield from put(query, Sample(query.id, source, messages, 1, len(drawn)), rereading)))
        candidates += drawn[-1].candidates
    drawn = yield from judged(query, drawn, reading)
    chosen = latest_best([c for d in drawn for c in d.candidates])
    return conclude(drawn, chosen, f"{len(candidates)} of {n} versions are in")


def improved(text: str) -> str:
    """What stands after the last line that announces the improved answer; all of it where there is none.

    >>> improved("The sum is off." + chr(10) + "**Improved answer:** 4")
    '4'
    """
    return _MARK.split(text)[-1]


def latest_best(candidates: Sequence[Candidate]) -> Candidate | None:
    """The latest candidate with an answer among those of the highest score; without any answer, the first candidate."""
    answered = [c for c in candidates if c.answer is not None]
    return next(reversed(highest(answered)), next(iter(candidates), None))
