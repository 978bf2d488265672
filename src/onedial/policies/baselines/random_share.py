"""Random: a share of queries to the strong arm, by lot. The line that a two-model router must beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.policies.baselines.contract import Lesson, Router, RouterRecipe
from onedial.policies.baselines.pair import STEPS, Pair, pair_of


@dataclass(frozen=True, slots=True)
class RandomShare:
    """Strong for a query whose lot, drawn from its id, falls below the share.

    Attributes:
        pair: The two arms.
        share: (n_rungs,) of queries that go to the strong one, rising from 0 to 1.
        seed: Of the lots.
    """

    pair: Pair
    share: Floats
    seed: int

    def picks(self, queries: Sequence[Query], features: Floats) -> Ints:
        """(n_rungs, n_queries) the weak or the strong column."""
        lots = np.array([crc32(f"{self.seed} {q.id}".encode()) / 2**32 for q in queries])
        return np.where(lots[None, :] < self.share[:, None], self.pair.strong, self.pair.weak).astype(np.int64)


def fit_random(lesson: Lesson) -> Router:
    """Pick the two arms."""
    return RandomShare(pair_of(lesson.grid), np.linspace(0.0, 1.0, STEPS + 1), lesson.seed)


RANDOM = RouterRecipe("random", "RouteLLM 2406.18665, random router", fit_random)
