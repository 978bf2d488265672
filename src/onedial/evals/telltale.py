"""Sources whose recorded answers give their score away, by how they were recorded.

Some logs keep an answer only where it was right, or write wrong answers in an alphabet of their own. A policy that sees answers would
read the score off them: a blank would be a mistake, two alike a proof. No such policy can be judged on them, so a bench leaves them out.
"""

from __future__ import annotations

from collections.abc import Iterable

from onedial.core.arm import Source
from onedial.core.outcome import Outcome

MIN_WRONG = 10
"""Wrong samples that a source needs before its answers can be said to tell."""
MOSTLY, HARDLY, NEVER = 0.9, 0.1, 0.02
RECURS = 4
"""Queries per distinct right answer from which on answers are choices from a list that all queries share."""
BLANK = "give no answer exactly where they are wrong"
APART = "write wrong answers as no right answer is written"


def telltale_sources(outcomes: Iterable[Outcome]) -> dict[Source, str]:
    """Which sources give their score away, and how.

    Args:
        outcomes: Of one kind of queries; those without a score are passed over.
    """
    graded = [o for o in outcomes if o.score is not None]
    right_texts = {o.answer for o in graded if _right(o) and o.answer is not None}
    shared = 0 < RECURS * len(right_texts) <= len({o.query_id for o in graded})
    by_source: dict[Source, list[Outcome]] = {}
    for outcome in graded:
        by_source.setdefault(outcome.source, []).append(outcome)
    found = {}
    for source, rows in by_source.items():
        wrong, right = ([o.answer for o in rows if _right(o) == kind] for kind in (False, True))
        if len(wrong) < MIN_WRONG or not right or right.count(None) > HARDLY * len(right):
            continue
        if wrong.count(None) >= MOSTLY * len(wrong):
            found[source] = BLANK
        elif shared and sum(answer in right_texts for answer in wrong) <= NEVER * len(wrong):
            found[source] = APART
    return found


def _right(outcome: Outcome) -> bool:
    return outcome.score is not None and outcome.score >= 0.5
