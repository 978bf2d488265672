"""Lookahead search: a beam search that scores a step by where it leads, a few greedy steps on.

What is looked at is billed like everything else and counts as a completion; where it reaches the end, its answer is a candidate.

Source: Snell 2408.03314, section 5 (lookahead search).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from onedial.core.answer import Answer
from onedial.core.arm import Source
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Reading
from onedial.strategies.search.climb import BRANCHES, climb, round_size
from onedial.strategies.search.growth import Growth, Text, best_answer

AHEAD = 2
"""Steps looked ahead, in one completion."""


def lookahead_search(query: Query, source: Source, n: int, reading: Reading, branches: int = BRANCHES, ahead: int = AHEAD) -> Steps[Answer]:
    """Draw at most `n` completions, of which about half look ahead; the plurality among the highest-scored answers is taken."""
    growth, size = Growth(query, source, n, reading), round_size(n // 2)
    yield from climb(growth, n, size, max(1, size // branches), partial(_looked, growth, ahead))
    return (yield from growth.conclude(best_answer, f"steps kept by the scores {ahead} steps on"))


def _looked(growth: Growth, ahead: int, texts: Sequence[Text]) -> Steps[list[Text]]:
    """The texts with the score of what follows each, greedily; those that have ended, and those without one, as they are."""
    looked = []
    for text in texts:
        seen = yield from growth.step(text, 1, ahead, temperature=0.0)
        looked += [replace(text, score=each.score) for each in seen if each.score is not None] or [text]
    return looked
