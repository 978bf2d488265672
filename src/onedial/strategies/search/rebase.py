"""Reward-balanced search: every text goes on, the better ones more often, by a softmax of the step scores.

Source: REBASE, Wu 2408.00724.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, fsum

from onedial.core.answer import Answer
from onedial.core.arm import Source
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Reading
from onedial.strategies.search.climb import round_size
from onedial.strategies.search.growth import ROOT, Growth, Text
from onedial.strategies.weighted_vote import heaviest

BALANCE = 0.2
"""Temperature of the softmax over scores, above 0: the lower, the more continuations the best text takes."""


def rebase(query: Query, source: Source, n: int, reading: Reading, balance: float = BALANCE) -> Steps[Answer]:
    """Draw at most `n` completions in rounds of about the root of `n`; the answer whose scores sum to most is taken.

    A text that has ended takes one completion away from every later round. The last round runs to the ends.
    """
    growth, size, live = Growth(query, source, n, reading), round_size(n), [ROOT]
    while live and growth.left and size:
        last = growth.left < 2 * size
        counts = balanced([text.value for text in live], growth.left if last else size, balance)
        grown = list[Text]()
        for text, count in zip(live, counts, strict=True):
            grown += yield from growth.finish(text, count) if last else growth.step(text, count)
        live = [text for text in grown if not text.ended]
        size -= len(grown) - len(live)
        if last:
            break
    return (yield from growth.conclude(heaviest, "texts going on as often as their scores call for"))


def balanced(scores: Sequence[float], count: int, balance: float) -> list[int]:
    """Share `count` out in proportion to `exp(score / balance)`, what rounding leaves over going to the largest remainders.

    >>> balanced([0.9, 0.5, 0.1], 8, 0.2), balanced([0.5, 0.5], 3, 0.2)
    ([7, 1, 0], [2, 1])
    """
    top = max(scores)
    weights = [exp((score - top) / balance) for score in scores]
    quotas = [count * weight / fsum(weights) for weight in weights]
    shares = [int(quota) for quota in quotas]
    order = sorted(range(len(scores)), key=lambda i: (shares[i] - quotas[i], -scores[i]))
    for i in order[: count - sum(shares)]:
        shares[i] += 1
    return shares
