"""What could be done next for a query, and what each thing would bring and cost. Deciding among them is elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.errors import ConfigError, unknown
from onedial.core.model import Model
from onedial.core.outcome import Floats
from onedial.core.query import Query
from onedial.core.roc import Roc
from onedial.core.usage import TOKENS_PER_PRICE
from onedial.forecasts.forecast import Forecast
from onedial.forecasts.latents import Latents
from onedial.policies.belief import BLOCKS, Belief, Prior
from onedial.policies.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Assessment:
    """One query at one moment.

    Attributes:
        answer: The answer in the lead, None if there is none.
        quality: Chance that it is right.
        then: (S, len(BLOCKS)) expected quality after each block.
        cost_usd: (S, len(BLOCKS)) expected cost of each block.
        draws: (S,) samples drawn so far, as integers.
    """

    answer: str | None
    quality: float
    then: Floats
    cost_usd: Floats
    draws: tuple[int, ...]


class Assessor:
    """Forecasts a query once, then assesses it after every observation; assessments are kept, since many policies share them."""

    def __init__(self, forecast: Forecast, models: Mapping[str, Model]) -> None:
        """Price the forecast's sources.

        Raises:
            ConfigError: The forecast knows a model that is not configured.
        """
        self.forecast = forecast
        self.sources: tuple[Source, ...] = forecast.sources
        missing = [s.model for s in self.sources if s.model not in models]
        if missing:
            raise ConfigError(f"the fitted forecast uses {unknown('model', missing[0], models)} Configure it, or fit again.")
        chosen = [models[s.model] for s in self.sources]
        self._input = np.array([m.price.input_usd_per_mtok for m in chosen]) / TOKENS_PER_PRICE
        self._output = np.array([m.price.output_usd_per_mtok for m in chosen]) / TOKENS_PER_PRICE
        self._cached = np.array([_cached_price(m) for m in chosen]) / TOKENS_PER_PRICE
        self._model_of = np.array([[a.model == b.model for b in self.sources] for a in self.sources])
        self._roc = Roc(forecast.p_accept_right, forecast.p_accept_wrong)
        self._latents: dict[str, Latents] = {}
        self._priors: dict[str, Prior] = {}
        self._seen: dict[tuple[object, ...], Assessment] = {}

    def preload(self, queries: Sequence[Query], latents: Latents) -> None:
        """Use these latents for these queries: out-of-bag forecasts of training queries, or forecasts made in one go."""
        for i, query in enumerate(queries):
            self._latents[query.id] = latents.rows([i])

    def latents(self, query: Query) -> Latents:
        """The query's latents, one row."""
        if query.id not in self._latents:
            self._latents[query.id] = self.forecast.latents([query])
        return self._latents[query.id]

    def assess(self, query: Query, tried: Sequence[Candidate]) -> Assessment:
        """Weigh the evidence and price every block."""
        evidence = Evidence.of(tried, self.sources)
        key = (query.id, evidence.answers, evidence.votes.tobytes(), evidence.draws.tobytes(), evidence.scores.tobytes())
        if key not in self._seen:
            self._seen[key] = self._assess(query, evidence)
        return self._seen[key]

    def forget(self, query: Query) -> None:
        """Drop what is kept of a query that has been answered."""
        self._latents.pop(query.id, None)
        self._priors.pop(query.id, None)
        self._seen = {key: value for key, value in self._seen.items() if key[0] != query.id}

    def _assess(self, query: Query, evidence: Evidence) -> Assessment:
        latents = self.latents(query)
        prior = self._priors.setdefault(query.id, Prior(latents, 0, self._roc))
        belief = Belief(prior, evidence)
        leader = belief.leader
        sent = (self._model_of & (evidence.draws > 0)).any(axis=1)
        prompt = latents.input_tokens[0] * np.where(sent, self._cached, self._input)
        cost = prompt[:, None] + (latents.output_tokens[0] * self._output)[:, None] * np.array(BLOCKS)
        return Assessment(
            answer=None if leader is None else evidence.answers[leader],
            quality=belief.quality,
            then=belief.outlooks().quality,
            cost_usd=cost,
            draws=tuple(int(n) for n in evidence.draws),
        )


def _cached_price(model: Model) -> float:
    """What a prompt costs that was sent to the model a moment ago."""
    price = model.price
    caches = "cache" in model.capabilities and price.cached_usd_per_mtok is not None
    return price.cached_usd_per_mtok if caches and price.cached_usd_per_mtok is not None else price.input_usd_per_mtok
