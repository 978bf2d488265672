"""Diverse verifier tree search: beams of one text that never compete, so that an early favourite cannot crowd out the rest.

Source: Beeching et al. 2024, "Scaling test-time compute with open models" (Hugging Face), after Snell 2408.03314.
"""

from __future__ import annotations

from onedial.core.answer import Answer
from onedial.core.arm import Source
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Reading
from onedial.strategies.search.climb import BRANCHES, climb, round_size
from onedial.strategies.search.growth import Growth
from onedial.strategies.weighted_vote import heaviest


def diverse_search(query: Query, source: Source, n: int, reading: Reading, branches: int = BRANCHES) -> Steps[Answer]:
    """Grow trees one beside the other, `n` completions together at most; the answer whose scores sum to most over all trees is taken.

    Two trees, and more where `n` is large enough for each to draw `branches` steps per round and as many rounds.
    """
    growth = Growth(query, source, n, reading)
    trees = min(n, max(2, round_size(n) // branches))
    for i in range(trees):
        budget = min(growth.left, n // trees + (i < n % trees))
        yield from climb(growth, budget, min(branches, round_size(n // trees)), keep=1)
    return (yield from growth.conclude(heaviest, f"the best step going on in each of {trees} trees"))
