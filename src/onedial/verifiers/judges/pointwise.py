"""A language model grades each response by itself, from 0 to 10.

Source: single answer grading, Zheng 2306.05685, section 3.1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.ask import Completion, Sample
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.verifiers.judges.contract import Judge, Verdicts, one_by_one
from onedial.verifiers.judges.showing import judging, verdict_in

TASK = (
    "Work out what a right answer to the request must be, then grade how likely the response is to be right, from 0 (surely wrong) "
    "to 10 (surely right). End with one line that says 'Score: ' and the number, and nothing else."
)
_FORM = re.compile(r"(?:(?:score|grade|rating)[\s:=*]*)?(\d+(?:\.\d+)?)(?:\s*/\s*10)?", re.IGNORECASE)


def pointwise(source: Source, votes: int = 1, max_tokens: int | None = None) -> Judge:
    """Make the judge that grades one response at a time; its score is the mean of `votes` grades over 10, asked for in one ask.

    Args:
        source: Who judges.
        votes: Grades per response, at least 1.
        max_tokens: Output tokens per grade at most.
    """

    def judge(query: Query, candidates: Sequence[Candidate]) -> Steps[Verdicts]:
        def question(candidate: Candidate, asked: int) -> Sample:
            return judging(query, source, {"response": candidate.text}, TASK, votes, asked, max_tokens)

        return (yield from one_by_one(query, candidates, question, grade))

    return judge


def grade(completion: Completion) -> float | None:
    r"""The grade in the last line over 10; None if there is none from 0 to 10.

    >>> grade(Completion("It adds up.\n**Score: 7/10**")), grade(Completion("Score: 70")), grade(Completion("I would say seven."))
    (0.7, None, None)
    """
    found = verdict_in(completion, _FORM)
    value = float(found[1]) / 10 if found else 2.0
    return value if value <= 1 else None
