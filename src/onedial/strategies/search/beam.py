"""Beam search over steps: every round the texts of the highest step scores go on, and the others are given up.

Source: Snell 2408.03314, section 5 (beam search against a process reward model).
"""

from __future__ import annotations

from onedial.core.answer import Answer
from onedial.core.arm import Source
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Reading
from onedial.strategies.search.climb import BRANCHES, climb, round_size
from onedial.strategies.search.growth import Growth, best_answer


def beam_search(query: Query, source: Source, n: int, reading: Reading, branches: int = BRANCHES) -> Steps[Answer]:
    """Draw at most `n` completions in rounds of about the root of `n`; the plurality among the highest-scored answers is taken.

    Of each round a part in `branches` is kept, one text at least. Without step scores the first texts go on, and the
    verifier chooses among the answers.
    """
    growth, size = Growth(query, source, n, reading), round_size(n)
    yield from climb(growth, n, size, max(1, size // branches))
    return (yield from growth.conclude(best_answer, "the best texts going on after every step"))
