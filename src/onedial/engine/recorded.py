"""Outcomes made ready for choosing and for scoring: replayed asks, recorded grades, dense arrays, and splits by query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.model import Model
from onedial.core.outcome import Ints, Outcome, Panel
from onedial.core.query import Query
from onedial.core.usage import Price
from onedial.runtime.replay import Recording, Replay

ROWS, PASSES = 300, 2
"""Runs aimed at when a policy is replayed, and runs of one query at most."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """Some queries with their outcomes.

    Attributes:
        panel: Graded outcomes as arrays.
        recording: The same, to be replayed.
        prices: Per model; none for a strategy run over a model, whose samples cost what was recorded.
        caches: Whether a prompt put to a model a second time is billed as cached.
    """

    panel: Panel
    recording: Recording
    prices: Mapping[str, Price]
    caches: bool

    @classmethod
    def of(cls, queries: Sequence[Query], outcomes: Iterable[Outcome], models: Mapping[str, Model]) -> Recorded:
        """Arrange outcomes of the models given; others are left out."""
        known = {query.id for query in queries}
        kept = [o for o in outcomes if o.query_id in known and o.model in models and o.score is not None]
        graded = {o.query_id for o in kept}
        asked = [query for query in queries if query.id in graded]
        plain = {name: model for name, model in models.items() if not model.composed}
        caches = all("cache" in model.capabilities for model in plain.values())
        return cls(Panel.of(asked, kept), Recording.of(kept), {name: model.price for name, model in plain.items()}, caches)

    def only(self, sources: Sequence[Source]) -> Recorded:
        """The same of some of the sources."""
        return replace(self, panel=self.panel.only(sources))

    def rows(self, index: Sequence[int] | Ints) -> Recorded:
        """The same of some of the queries."""
        return replace(self, panel=self.panel.rows(index))

    @property
    def queries(self) -> tuple[Query, ...]:
        """The graded queries, in row order."""
        return self.panel.queries

    def passes(self, seed: int) -> tuple[Recorded, ...]:
        """The queries with their samples in several orders, the recorded one first; few queries get more, samples that never repeat one.

        What a policy reaches on a query is its mean over them: one order is one draw of what it might have seen.
        """
        deep = int(self.panel.counts.max(initial=0)) > 1
        count = int(np.clip(ROWS // max(len(self.queries), 1), 1, PASSES)) if deep else 1
        rng = np.random.default_rng([seed, 11])
        return (self, *(replace(self, recording=self.recording.shuffled(rng)) for _ in range(count - 1)))

    def replay(self) -> Replay:
        """A fresh replay; one for each policy."""
        return Replay(self.recording, self.prices, cached_after_first=self.caches)

    def grade(self, query: Query, candidate: Candidate) -> float:
        """The recorded score of a replayed candidate."""
        (outcome,) = self.recording.block(query.id, candidate.source, candidate.index, 1)
        return outcome.score or 0.0


def held_out(query: Query, share: float, seed: int) -> bool:
    """Whether a query belongs to the split that nothing is chosen on: a function of its id and the seed alone."""
    digest = blake2b(f"{seed}-{query.id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64 < share
