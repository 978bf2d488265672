"""Generated worlds with known truth: queries whose difficulty stands in the text, models whose success is a formula."""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit

from onedial.core.arm import Source
from onedial.core.ask import Completion, Sample, Samples
from onedial.core.model import Effort, Model
from onedial.core.outcome import Outcome, Panel
from onedial.core.query import Query
from onedial.core.usage import Price, Usage

MODELS = {
    name: Model(
        name,
        Price(price, price, price / 10),
        (Effort("0"), Effort("2")),
        capabilities=frozenset({"n", "cache"}),
        max_output_tokens=200,
    )
    for name, price in (("small", 0.1), ("middle", 0.5), ("large", 2.0))
}
SOURCES = tuple(Source(m, e) for m in MODELS for e in ("0", "2"))
RIGHT = "right"


@dataclass
class World:
    """Two kinds of query: `count` gets harder with its length, `pick` can be checked and rewards sampling."""

    seed: int = 0
    kappa: float = 4.0
    noise: float = 0.7
    shift: dict = field(default_factory=dict)

    def queries(self, n, name="q"):
        rng = np.random.default_rng([self.seed, n, len(name), *name.encode()])
        kinds = rng.integers(0, 2, n)
        levels = rng.integers(1, 9, n)
        return [
            Query(
                f"{name}-{'pick' if kind else 'count'}-{level}-{i}",
                ("pick from " if kind else "count with ") + " ".join(f"#{k} w{rng.integers(0, 30)}" for k in range(1, level + 1)),
                reference=RIGHT,
            )
            for i, (kind, level) in enumerate(zip(kinds, levels, strict=True))
        ]

    def success(self, query, source):
        """The chance that one sample of this source is right on this query: fixed for ever."""
        _, kind, level, _ = query.id.rsplit("-", 3)
        rng = np.random.default_rng([self.seed, *query.id.encode()])
        shared = self.noise * rng.standard_normal()
        skill = 1.0 + 1.2 * list(MODELS).index(source.model) + (2.0 if source.effort == "2" else 0.0) * (kind == "count")
        mean = expit(1.6 + skill - 0.75 * int(level) + shared + self.shift.get(source.model, 0.0))
        own = np.random.default_rng([self.seed, SOURCES.index(source), *query.id.encode()])
        return float(own.beta(mean * self.kappa, (1 - mean) * self.kappa))

    def sample(self, query, source, index):
        """(answer, tokens) of one sample, the same whenever it is asked for."""
        rng = np.random.default_rng([self.seed, 7, SOURCES.index(source), index, *query.id.encode()])
        level = int(query.id.split("-")[-2])
        tokens = int(4 + (4 * level if source.effort == "2" else 0) + rng.integers(0, 3))
        right = rng.random() < self.success(query, source)
        return (RIGHT if right else f"wrong{rng.integers(0, 4)}"), tokens

    def verify(self, query, answer):
        """A perfect checker that has an opinion on `pick` only."""
        return float(answer == RIGHT) if query.prompt.startswith("pick") else None

    def grade(self, query, candidate):
        return float(candidate.answer == RIGHT)

    def input_tokens(self, query):
        return 2 + 2 * int(query.id.split("-")[-2])

    def outcomes(self, queries, samples):
        for query in queries:
            for source in SOURCES:
                for index in range(samples):
                    answer, tokens = self.sample(query, source, index)
                    yield Outcome(
                        query.id,
                        source.model,
                        source.effort,
                        index,
                        float(answer == RIGHT),
                        answer,
                        input_tokens=self.input_tokens(query),
                        output_tokens=tokens,
                        verifier_score=self.verify(query, answer),
                        label_kind="reference",
                    )

    def panel(self, queries, samples):
        return Panel.of(queries, self.outcomes(queries, samples), SOURCES)

    def answer(self, queries):
        """A function from ask to reply, with the prompt at the cached price when its model has had it."""
        known = {q.id: q for q in queries}

        def reply(ask: Sample) -> Samples:
            query, model = known[ask.query_id], MODELS[ask.source.model]
            drawn = [self.sample(query, ask.source, ask.first_index + i) for i in range(ask.n)]
            tokens = self.input_tokens(query)
            usage = Usage(1, tokens, tokens if ask.first_index else 0, sum(t for _, t in drawn))
            completions = tuple(Completion(text, output_tokens=t) for text, t in drawn)
            return Samples(completions, usage, model.price.cost_usd(usage))

        return reply
