"""What could be done next for a query, and what each thing would bring and cost. Deciding among them is elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.errors import ConfigError, unknown
from onedial.core.model import Model
from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.core.roc import Roc
from onedial.core.usage import TOKENS_PER_PRICE
from onedial.forecasts.forecast import Forecasts
from onedial.forecasts.latents import Latents
from onedial.policies.belief import Belief, Outlooks
from onedial.policies.blocks import BLOCKS
from onedial.policies.evidence import Evidence
from onedial.policies.free_belief import FreeBelief, FreePrior, Samples
from onedial.policies.one_by_one import Course, course_of, first_course
from onedial.policies.prior import Prior


@dataclass(frozen=True, slots=True)
class Assessment:
    """One query at one moment.

    Attributes:
        answer: The answer in the lead, None if there is none.
        pick: In free form, the candidate in the lead; None where answers can be told apart, or without any.
        quality: Chance that it is right; 0 without one.
        then: (S, blocks) expected quality if one stopped after each block.
        cost_usd: (S, blocks) expected cost of each block, the prompt cached where the model has had it.
        cached_usd: (S, blocks) the same once the model has had the prompt.
        worst_usd: (S, blocks) the most that each block can cost: nothing cached, every sample as long as it may be.
        draws: Samples drawn so far, one number per source.
        p_check: Chance that the verifier has an opinion.
        outlooks: What blocks would bring and show.
        later: What blocks would bring to a fresh query of known node (see `prior`): vote and cover, each (S, blocks, nodes).
        course: With one source and no verifier, what drawing one by one may bring; of a fresh query, after its first sample. Else None.
    """

    answer: str | None
    pick: int | None
    quality: float
    then: Floats
    cost_usd: Floats
    cached_usd: Floats
    worst_usd: Floats
    draws: tuple[int, ...]
    p_check: float
    outlooks: Outlooks
    later: tuple[Floats, Floats]
    course: Course | None = None


class _Believed(NamedTuple):
    """A belief with what stands in the lead."""

    belief: Belief | FreeBelief
    draws: Ints
    answer: str | None
    pick: int | None


class Assessor:
    """Forecasts a query once, then assesses it after every observation; assessments are kept, since many policies share them."""

    def __init__(self, forecast: Forecasts, models: Mapping[str, Model], columns: Sequence[int] | None = None) -> None:
        """Price the forecast's sources.

        Args:
            forecast: From text to latents.
            models: Every model of the forecast, by name.
            columns: Sources to consider; None is all.

        Raises:
            ConfigError: The forecast knows a model that is not configured.
        """
        self.forecast = forecast
        self._columns = tuple(range(len(forecast.sources))) if columns is None else tuple(columns)
        self.sources: tuple[Source, ...] = tuple(forecast.sources[j] for j in self._columns)
        missing = [s.model for s in self.sources if s.model not in models]
        if missing:
            raise ConfigError(f"the fitted forecast uses {unknown('model', missing[0], models)} Configure it, or fit again.")
        chosen = [models[s.model] for s in self.sources]
        charged = forecast.charged[list(self._columns)]
        by_price, per_token = np.isnan(charged), 1.0 / TOKENS_PER_PRICE
        self._prompt_usd = per_token * np.array([m.price.input_usd_per_mtok for m in chosen])
        output_usd = per_token * np.array([m.price.output_usd_per_mtok for m in chosen])
        self._input = self._prompt_usd * by_price
        self._output = output_usd * by_price + np.nan_to_num(charged)
        self._cached = per_token * np.array([_cached_price(m) for m in chosen]) * by_price
        self._longest = np.array([m.max_output_tokens for m in chosen]) * np.maximum(self._output, output_usd)
        self._asks = np.array([m.asks for m in chosen])
        self._sends_each = np.array(["n" not in m.capabilities for m in chosen])
        self.same_model = np.array([[a.model == b.model for b in self.sources] for a in self.sources])
        self._roc = Roc(forecast.p_accept_right, forecast.p_accept_wrong)
        self._latents: dict[str, Latents] = {}
        self._most_input: dict[str, Floats] = {}
        self._priors: dict[str, tuple[Prior | FreePrior, tuple[Floats, Floats]]] = {}
        self._seen: dict[str, dict[tuple[object, ...], Assessment]] = {}

    def preload(self, queries: Sequence[Query], latents: Latents) -> None:
        """Use these latents for these queries: out-of-bag forecasts of training queries, or forecasts made in one go."""
        for i, query in enumerate(queries):
            self._latents[query.id] = latents.rows([i]).columns(self._columns)

    def bound_input(self, query: Query, tokens: Floats) -> None:
        """Know the most prompt tokens that one sending may take, (n_sources,): caps are kept with these, not with forecasts."""
        self._most_input[query.id] = tokens

    def latents(self, query: Query) -> Latents:
        """The query's latents, one row."""
        if query.id not in self._latents:
            self.preload([query], self.forecast.latents([query]))
        return self._latents[query.id]

    def assess(self, query: Query, tried: Sequence[Candidate]) -> Assessment:
        """Weigh the evidence and price every block."""
        seen = self._seen.setdefault(query.id, {})
        key = tuple((c.source, c.answer, c.output_tokens, c.score) for c in tried)
        if key not in seen:
            seen[key] = self._assess(query, tried)
        return seen[key]

    def forget(self, query: Query) -> None:
        """Drop what is kept of a query that has been answered."""
        self._latents.pop(query.id, None)
        self._most_input.pop(query.id, None)
        self._priors.pop(query.id, None)
        self._seen.pop(query.id, None)

    def _assess(self, query: Query, tried: Sequence[Candidate]) -> Assessment:
        latents = self.latents(query)
        if query.id not in self._priors:
            prior = (FreePrior if latents.free_form else Prior)(latents, 0, self._roc)
            self._priors[query.id] = prior, self._believe(prior, latents, ()).belief.at_nodes()
        prior, later = self._priors[query.id]
        belief, draws, answer, pick = self._believe(prior, latents, tried)
        outlooks = belief.outlooks()
        cost, cached = self._costs(latents, draws)
        return Assessment(
            answer=answer,
            pick=pick,
            quality=belief.quality,
            then=checked(outlooks.vote, outlooks.cover, belief.p_check, prior.roc),
            cost_usd=cost,
            cached_usd=cached,
            worst_usd=self._worst(self._most_input.get(query.id, latents.input_tokens[0])),
            draws=tuple(int(n) for n in draws),
            p_check=belief.p_check,
            outlooks=outlooks,
            later=later,
            course=self._course(belief),
        )

    def _course(self, belief: Belief | FreeBelief) -> Course | None:
        if len(self.sources) > 1 or isinstance(belief, FreeBelief) or belief.p_check > 0:
            return None
        return course_of(belief) if belief.evidence.draws.any() else first_course(belief.prior)

    def _believe(self, prior: Prior | FreePrior, latents: Latents, tried: Sequence[Candidate]) -> _Believed:
        if isinstance(prior, FreePrior):
            samples = Samples.of(tried, self.sources, latents.output_tokens[0])
            free = FreeBelief(prior, samples)
            return _Believed(free, samples.draws, None if free.pick is None else tried[free.pick].answer, free.pick)
        evidence = Evidence.of(tried, self.sources, latents.output_tokens[0])
        belief = Belief(prior, evidence)
        return _Believed(belief, evidence.draws, None if belief.leader is None else evidence.answers[belief.leader], None)

    def _costs(self, latents: Latents, draws: Ints) -> tuple[Floats, Floats]:
        """(S, blocks) expected cost now, and once the model has had the prompt; a model without `n` is sent it for each sample."""
        sent, sizes = (self.same_model & (draws > 0)).any(axis=1), np.array(BLOCKS)
        first, again = (latents.input_tokens[0] * price for price in (np.where(sent, self._cached, self._input), self._cached))
        repeats = np.where(self._sends_each[:, None], sizes - 1, 0) * again[:, None]
        output = (latents.output_tokens[0] * self._output)[:, None] * sizes
        return first[:, None] + repeats + output, again[:, None] + repeats + output

    def _worst(self, input_tokens: Floats) -> Floats:
        """(S, blocks) cost of the longest completions; a model without `n` is sent the prompt for each."""
        sizes = np.array(BLOCKS)
        sent = np.where(self._sends_each[:, None], sizes, 1)
        prompts = input_tokens * self._prompt_usd * self._asks
        worst: Floats = prompts[:, None] * sent + self._longest[:, None] * sizes
        return worst


def checked(vote: Floats, cover: Floats, p_check: float, roc: Roc) -> Floats:
    """Expected quality where a verifier may have an opinion: it finds the right answer among those seen if it accepts it."""
    with_verdict = roc.p_accept_right * cover + (1.0 - roc.p_accept_right) * vote
    return p_check * with_verdict + (1.0 - p_check) * vote


def _cached_price(model: Model) -> float:
    """What a prompt costs that was sent to the model a moment ago."""
    price = model.price
    caches = "cache" in model.capabilities and price.cached_usd_per_mtok is not None
    return price.cached_usd_per_mtok if caches and price.cached_usd_per_mtok is not None else price.input_usd_per_mtok
