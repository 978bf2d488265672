"""A language model compares responses two at a time, each pair in both orders, since many judges prefer what they see first.

A pair counts if both verdicts on it can be read. One on which the two orders disagree is a tie. A response's score is the
share of its pairs that it wins, a tie counting half.

Source: pairwise comparison with positions swapped, Zheng 2306.05685, sections 3.1 and 3.4.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.ask import Completion
from onedial.core.query import Query
from onedial.core.steps import Steps, bring
from onedial.verifiers.judges.contract import Judge, Tally, Verdicts, contenders, mean
from onedial.verifiers.judges.showing import judging, verdict_in

MOST = 4
TASK = (
    "Work out what a right answer to the request must be, then say which response is more likely to be right: A or B. The order in "
    "which they are shown, their length and their style do not count. End with one line that says 'Verdict: A', 'Verdict: B', or "
    "'Verdict: tie' if neither is more likely to be right."
)
_FORM = re.compile(r"(?:verdict|winner|answer|better)?\W*(?:response )?(a|b|tie)", re.IGNORECASE)
_WON_BY_A = {"a": 1.0, "b": 0.0, "tie": 0.5}


def pairwise(source: Source, most: int = MOST, max_tokens: int | None = None) -> Judge:
    """Make the judge that compares every two distinct answers; `most` * (`most` - 1) asks at most.

    Args:
        source: Who judges.
        most: Distinct answers compared at most, the most frequent ones, each by its first candidate; the others have no score.
        max_tokens: Output tokens per verdict at most.
    """

    def judge(query: Query, candidates: Sequence[Candidate]) -> Steps[Verdicts]:
        tally, listed = Tally(), contenders(candidates, most)
        won: dict[str | None, list[float]] = {c.answer: [] for c in listed}
        for number, (one, other) in enumerate(combinations(listed, 2)):
            pair = yield from _both_orders(query, source, one, other, 2 * number, max_tokens, tally)
            if pair is not None:
                won[one.answer].append(pair)
                won[other.answer].append(1.0 - pair)
            if tally.trouble:  # some would be judged by fewer rivals than others
                return tally.verdicts([None] * len(candidates))
        return tally.verdicts([mean(won.get(c.answer, [])) for c in candidates])

    return judge


def _both_orders(
    query: Query, source: Source, one: Candidate, other: Candidate, asked: int, max_tokens: int | None, tally: Tally
) -> Steps[float | None]:
    """1 if `one` wins in both orders, 0 if `other` does, else a tie; None unless both verdicts can be read."""
    found: list[float] = []
    for first, second, index in ((one, other, asked), (other, one, asked + 1)):
        ask = judging(query, source, {"A": first.text, "B": second.text}, TASK, 1, index, max_tokens)
        found += tally.take((yield from bring(ask)), won_by_a)
        if tally.trouble:
            return None
    if len(found) < 2:
        return None
    return found[0] if found[0] == 1.0 - found[1] else 0.5


def won_by_a(completion: Completion) -> float | None:
    """1 if the last line says A, 0 if B, one half if it is a tie; None if it says none of them.

    >>> won_by_a(Completion("Verdict: B")), won_by_a(Completion("**Tie**")), won_by_a(Completion("A or B"))
    (0.0, 0.5, None)
    """
    found = verdict_in(completion, _FORM)
    return _WON_BY_A[found[1].lower()] if found else None
