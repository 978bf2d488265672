"""A language model says whether a response is right, and its score is how sure it is: the probability of Yes.

Asked for one word, with log-probabilities, that is the probability of the word it wrote, or what is left of 1 if the
word is No. Asked to reason first, or where there are none, it is the share of its verdicts that say Yes.

Source: generative verifiers, Zhang 2408.15240 (the probability of Yes; votes over rationales).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import exp

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.ask import Completion, Sample
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.verifiers.judges.contract import Judge, Verdicts, one_by_one
from onedial.verifiers.judges.showing import judging, verdict_in

AT_ONCE = "Is the response right? Reply with one word, Yes or No."
REASONED = "Check the response step by step and find out whether it is right. End with one line that says 'Verdict: Yes' or 'Verdict: No'."
WORD_TOKENS = 16
"""Output tokens allowed for one word; some endpoints refuse fewer."""
_MOST_LOGPROBS = 4
"""A reply of more tokens is not one word; the first of them is not its verdict."""
_FORM = re.compile(r"(?:verdict|answer|right|correct)?\W*(yes|no)", re.IGNORECASE)


def generative(source: Source, votes: int = 1, logprobs: bool = False, max_tokens: int | None = None) -> Judge:
    """Make the judge whose score is the probability of Yes.

    Args:
        source: Who judges.
        votes: Verdicts per response, in one ask; the score is the mean of their probabilities. With log-probabilities one is enough.
        logprobs: Ask for one word and its log-probability; the model needs the capability `logprobs`. Else it is asked to reason first.
        max_tokens: Output tokens per verdict at most; with log-probabilities a few by default.
    """
    task, cap = (AT_ONCE, max_tokens or WORD_TOKENS) if logprobs else (REASONED, max_tokens)

    def judge(query: Query, candidates: Sequence[Candidate]) -> Steps[Verdicts]:
        def question(candidate: Candidate, asked: int) -> Sample:
            return judging(query, source, {"response": candidate.text}, task, votes, asked, cap, logprobs)

        return (yield from one_by_one(query, candidates, question, p_yes))

    return judge


def p_yes(completion: Completion) -> float | None:
    r"""Probability of Yes: of the word written where that is known, else 1 or 0; None if the last line is neither Yes nor No.

    >>> round(p_yes(Completion("No.", logprobs=(-0.5, -0.01))), 3), p_yes(Completion("Good.\nVerdict: Yes")), p_yes(Completion("Maybe"))
    (0.393, 1.0, None)
    """
    found = verdict_in(completion, _FORM)
    if found is None:
        return None
    alone = completion.logprobs is not None and 0 < len(completion.logprobs) <= _MOST_LOGPROBS and not completion.thinking
    p_word = min(exp(completion.logprobs[0]), 1.0) if alone and completion.logprobs else 1.0
    return p_word if found[1].lower() == "yes" else 1.0 - p_word
