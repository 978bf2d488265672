"""A generated pool of eight models at two efforts, for benchmarks of speed: nothing is concluded about quality from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from onedial.core.arm import Source
from onedial.core.model import Effort, Model
from onedial.core.outcome import Outcome, Panel
from onedial.core.query import Query
from onedial.core.usage import Price

EFFORTS = ("low", "high")
MODELS = {
    f"m{i}": Model(f"m{i}", Price(price, 4 * price, price / 10), tuple(map(Effort, EFFORTS)), capabilities=frozenset({"n"}))
    for i, price in enumerate(np.geomspace(0.05, 5.0, 8).tolist())
}
SOURCES = tuple(Source(name, effort) for name in MODELS for effort in EFFORTS)
TOPICS = ("algebra", "chess", "law", "biology", "poetry", "history", "music", "geometry")
WORDS = ("find", "show", "the", "value", "of", "every", "sum", "when", "two", "prime", "given", "least", "what", "is", "number", "odd")


@dataclass(frozen=True, slots=True)
class Pool16:
    """Queries of eight topics and eight levels; what a source answers depends on both and on luck."""

    seed: int

    def queries(self, n: int, name: str) -> list[Query]:
        """Ten to thirty words each."""
        rng = np.random.default_rng([self.seed, *name.encode()])
        topics, levels = rng.integers(0, len(TOPICS), n), rng.integers(1, 9, n)
        tails = (" ".join(rng.choice(WORDS, int(rng.integers(8, 28)))) for _ in range(n))
        return [
            Query(f"{name}-{t}-{level}-{i}", f"{TOPICS[t]} level {level} {tail}")
            for i, (t, level, tail) in enumerate(zip(topics, levels, tails, strict=True))
        ]

    def panel(self, queries: list[Query], samples: int, sources: tuple[Source, ...] = SOURCES) -> Panel:
        """Outcomes of every source as a panel."""
        return Panel.of(queries, self.outcomes(queries, samples, sources), sources)

    def outcomes(self, queries: list[Query], samples: int, sources: tuple[Source, ...] = SOURCES) -> list[Outcome]:
        """One row per query, source and sample."""
        rng = np.random.default_rng([self.seed, len(queries), samples])
        topic, level = (np.array([int(query.id.split("-")[part]) for query in queries]) for part in (1, 2))
        lean = np.random.default_rng(self.seed).normal(0.0, 0.7, (len(TOPICS), len(sources)))
        skill = np.linspace(-1.0, 3.0, len(sources)) + lean[topic] + rng.normal(0.0, 0.7, (len(queries), 1))
        right = rng.random((len(queries), len(sources), samples)) < expit(skill - 0.6 * (level[:, None] - 4))[..., None]
        tokens = np.maximum(1, rng.lognormal(4.0 + 0.1 * level[:, None, None], 0.4, right.shape)).astype(int)
        wrong = rng.integers(0, 5, right.shape)
        return [
            Outcome(
                q.id,
                s.model,
                s.effort,
                k,
                float(right[i, j, k]),
                "right" if right[i, j, k] else f"w{wrong[i, j, k]}",
                60,
                int(tokens[i, j, k]),
            )
            for i, q in enumerate(queries)
            for j, s in enumerate(sources)
            for k in range(samples)
        ]
