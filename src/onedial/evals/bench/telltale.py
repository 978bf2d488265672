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
MOSTLY, HARDLY, PLAINLY, NEVER = 0.9, 0.1, 0.5, 0.02
RECURS = 4
"""Queries per distinct right answer from which on answers are choices from a list that all queries share."""
BLANK = "give no answer exactly where they are wrong"
APART = "write wrong answers as no right answer is written, while others write them alike"


def telltale_sources(outcomes: Iterable[Outcome]) -> dict[Source, str]:
    """Which sources give their score away, and how.

    Args:
        outcomes: Of one kind of queries; those without a score are passed over.
    """
    rows: dict[Source, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.score is not None:
            rows.setdefault(outcome.source, []).append(outcome)
    found, listed = {}, {}
    right_texts = _recurring(
        {o.answer for own in rows.values() for o in own if _right(o)}, {o.query_id for own in rows.values() for o in own}
    )
    for source, own in rows.items():
        wrong, right = ([o.answer for o in own if _right(o) == kind] for kind in (False, True))
        if len(wrong) < MIN_WRONG or not right or right.count(None) > HARDLY * len(right):
            continue
        if wrong.count(None) >= MOSTLY * len(wrong):
            found[source] = BLANK
        else:
            listed[source] = sum(answer in right_texts for answer in wrong) / len(wrong)
    if max(listed.values(), default=0.0) >= PLAINLY:
        found |= {source: APART for source, share in listed.items() if share <= NEVER}
    return found


def _recurring(right: set[str | None], query_ids: set[str]) -> set[str | None]:
    """Right answers, where they are choices from a list that all queries share; else none."""
    return right - {None} if RECURS * len(right - {None}) <= len(query_ids) else set()


def _right(outcome: Outcome) -> bool:
    return outcome.score is not None and outcome.score >= 0.5
