"""Sample several and let the model itself say which is the most consistent: a vote on answers in free form, no two of them alike.

The last ask is put to the same source and shows every sample that has an answer. It
costs their text as input, and is left out where there is nothing to choose: where
the extracted answers all agree.

Source: universal self-consistency, Chen 2311.17311.
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
from onedial.strategies.draw import Drawn, Reading, alike, conclude, draw, plurality, put
from onedial.strategies.follow_up import follow_up

LISTED = "Response {number}:\n{text}"
REQUEST = (
    "Above are several responses to the same request. Which of them is the most consistent with the others, "
    "so that most responses agree with what it says? End with one line that holds only the number of that response."
)


def universal(query: Query, source: Source, n: int, reading: Reading) -> Steps[Answer]:
    """Draw `n` samples in one ask, then ask once more which of them is the most consistent; the plurality where no choice can be read."""
    drawn = yield from draw(query, source, n, reading)
    listed = [c for c in drawn.candidates if c.answer is not None]
    stopped = f"{len(drawn.candidates)} of {n} samples are in"
    if len({*alike(listed, reading.equal)}) < 2:
        return conclude([drawn], plurality(drawn.candidates, reading.equal), f"{stopped} and leave nothing to choose")
    messages = follow_up(query, [_listing(listed)], REQUEST)
    choice = yield from put(query, Sample(query.id, source, messages, 1, n), Reading())
    chosen = _chosen(choice, listed)
    how = f"{source} chose among {len(listed)}" if chosen else f"no choice among {len(listed)} could be read, so the plurality decides"
    return conclude([drawn, replace(choice, candidates=())], chosen or plurality(listed, reading.equal), f"{stopped}; {how}")


def _listing(candidates: Sequence[Candidate]) -> str:
    return "\n\n".join(LISTED.format(number=i, text=c.text.strip()) for i, c in enumerate(candidates, 1))


def _chosen(choice: Drawn, listed: Sequence[Candidate]) -> Candidate | None:
    """The candidate whose number is the only one in the last line of the reply; None if there is none, or the reply was cut."""
    lines = [line for c in choice.completions[:1] if c.finish == "stop" for line in c.text.strip().splitlines()]
    numbers = re.findall(r"\d+", lines[-1]) if lines else []
    named = {str(i): c for i, c in enumerate(listed, 1)}
    return named.get(numbers[0]) if len(numbers) == 1 else None
