"""A language model puts all responses in order, best first; asked twice, the list shown forwards and backwards.

A response's score is its mean place: 1 for the best, 0 for the last; there is none unless both orders can be read. Scores
compare the answers of one query; they do not say whether any of them is right.

Source: permutations by a language model, Sun 2304.09542.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.ask import Completion
from onedial.core.query import Query
from onedial.core.steps import Steps, bring
from onedial.verifiers.judges.contract import Judge, Tally, Verdicts, contenders, mean
from onedial.verifiers.judges.showing import judging, verdict_in

MOST = 8
ORDERS = 2
TASK = (
    "Work out what a right answer to the request must be, then put all responses in order of how likely they are to be right. The "
    "order in which they are shown, their length and their style do not count. End with one line of all their numbers, best first, "
    "such as 'Order: 2 > 3 > 1'."
)
_FORM = re.compile(r"(?:(?:order|ranking|verdict)\s*[:=]\s*)?(\[?\d+\]?(?:\s*>\s*\[?\d+\]?)*)", re.IGNORECASE)


def listwise(source: Source, most: int = MOST, max_tokens: int | None = None) -> Judge:
    """Make the judge that orders the distinct answers of a query, in two asks.

    Args:
        source: Who judges.
        most: Distinct answers shown at most, the most frequent ones, each by its first candidate; the others have no score.
        max_tokens: Output tokens per verdict at most.
    """

    def judge(query: Query, candidates: Sequence[Candidate]) -> Steps[Verdicts]:
        tally, listed = Tally(), contenders(candidates, most)
        places: dict[str | None, list[float]] = {c.answer: [] for c in listed}
        for turn in range(ORDERS if len(listed) > 1 else 0):
            shown = listed[:: -1 if turn else 1]
            ask = judging(query, source, {str(i): c.text for i, c in enumerate(shown, 1)}, TASK, 1, turn, max_tokens)
            orders = tally.take((yield from bring(ask)), lambda completion: best_first(completion, len(listed)))
            if not orders:  # the other order alone would favour what is shown first
                return tally.verdicts([None] * len(candidates))
            for place, number in enumerate(orders[0]):
                places[shown[number - 1].answer].append(1.0 - place / (len(shown) - 1))
        return tally.verdicts([mean(places.get(c.answer, [])) for c in candidates])

    return judge


def best_first(completion: Completion, n: int) -> tuple[int, ...] | None:
    """The numbers in the last line, best first; None unless each of 1 to `n` stands there once.

    >>> best_first(Completion("Order: [2] > [3] > [1]"), 3), best_first(Completion("2 > 1"), 3)
    ((2, 3, 1), None)
    """
    found = verdict_in(completion, _FORM)
    order = tuple(int(number) for number in re.findall(r"\d+", found[1])) if found else ()
    return order if sorted(order) == list(range(1, n + 1)) else None
