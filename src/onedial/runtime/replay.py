"""Answer asks from recorded samples: what was observed, billed as it would have been, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from onedial.core.arm import Source
from onedial.core.ask import Ask, Completion, Refusal, Reply, Samples
from onedial.core.errors import TableError
from onedial.core.outcome import Outcome
from onedial.core.usage import Price, Usage


@dataclass(frozen=True, slots=True)
class Recording:
    """Recorded samples by (query, source), each in order of its sample index, gaps closed."""

    samples: Mapping[tuple[str, Source], tuple[Outcome, ...]]

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Recording:
        """Arrange outcomes, in any order."""
        cells: dict[tuple[str, Source], list[Outcome]] = {}
        for outcome in outcomes:
            cells.setdefault((outcome.query_id, outcome.source), []).append(outcome)
        return cls({key: tuple(sorted(cell, key=lambda o: o.sample_index)) for key, cell in cells.items()})

    def shuffled(self, rng: np.random.Generator) -> Recording:
        """The same samples, those of each cell in a random order: another run that would have been as likely."""
        return Recording({key: tuple(cell[i] for i in rng.permutation(len(cell))) for key, cell in self.samples.items()})

    def block(self, query_id: str, source: Source, first: int, n: int) -> tuple[Outcome, ...]:
        """The samples of rank `first` to `first + n - 1`; fewer where fewer are recorded."""
        return self.samples.get((query_id, source), ())[first : first + n]


class Replay:
    """A function from ask to reply for `core.steps.drive`, drawing without replacement.

    Sample `first_index + i` of an ask is the recorded sample of that rank. Where
    fewer are recorded than asked for, the ask is refused, and so is one that follows
    up on an earlier reply, wants log-probabilities, or caps a thought that was longer or of unknown length: what it would
    have brought was not observed. An ask costs its prompt
    once and the recorded output tokens at the model's price; a model without a
    price costs what was recorded per sample, its prompt each time.

    Args:
        recording: The samples.
        prices: Per model name.
        cached_after_first: Bill the prompt at the cached price if this query has
            been put to the same model before. Start a new `Replay` for a new run.
    """

    def __init__(self, recording: Recording, prices: Mapping[str, Price] | None = None, *, cached_after_first: bool = False) -> None:
        self._recording, self._prices, self._caches = recording, dict(prices or {}), cached_after_first
        self._seen: set[tuple[str, str]] = set()

    def __call__(self, ask: Ask) -> Reply:
        """Answer one ask.

        Raises:
            TableError: A sample has neither the tokens that its price needs nor a recorded cost.
        """
        if not ask.independent:
            return Refusal(
                f"a step or follow-up of {ask.source} on {ask.query_id!r} was asked for; the recording holds independent samples only."
            )
        if ask.logprobs:
            return Refusal(f"token log-probabilities of {ask.source} on query {ask.query_id!r} were asked for; the recording holds none.")
        block = self._recording.block(ask.query_id, ask.source, ask.first_index, ask.n)
        if len(block) < ask.n:
            wanted = f"samples {ask.first_index} to {ask.first_index + ask.n - 1} of {ask.source} on query {ask.query_id!r}"
            held = len(self._recording.samples.get((ask.query_id, ask.source), ()))
            return Refusal(f"{wanted} were asked for; the recording holds {held}.")
        if beyond := _beyond_cap(ask, block):
            return Refusal(beyond)
        usage, cost_usd = self._bill(ask, block)
        latency_s = max(outcome.latency_s or 0.0 for outcome in block)
        return Samples(tuple(_completion(o) for o in block), usage, cost_usd, latency_s, ask.source.effort)

    def _bill(self, ask: Ask, block: tuple[Outcome, ...]) -> tuple[Usage, float]:
        price = self._prices.get(ask.source.model)
        prompt = _prompt_tokens(block)
        key = (ask.query_id, ask.source.model)
        cached = (prompt or 0) if self._caches and key in self._seen else 0
        self._seen.add(key)
        output = sum(o.output_tokens or 0 for o in block)
        thinking = min(output, sum(o.thinking_tokens or 0 for o in block))
        usage = Usage(1, prompt or 0, cached, output, thinking)
        if price is not None and prompt is not None and all(o.output_tokens is not None for o in block):
            return usage, price.cost_usd(usage)
        costs = [outcome.cost_usd for outcome in block if outcome.cost_usd is not None]
        if len(costs) < len(block):
            needed = "a price for the model, or" if price is None else "input and output tokens, or"
            raise TableError(
                f"query {ask.query_id!r}: samples of {ask.source} cannot be billed; expected {needed} a recorded cost for each."
            )
        return usage, sum(costs)


def _beyond_cap(ask: Ask, block: tuple[Outcome, ...]) -> str:
    """Why a cap on thought may have changed a recorded sample, whose thought was not capped; '' if all are as they were."""
    cap = ask.max_thinking_tokens
    thoughts = [o.output_tokens if o.thinking_tokens is None else o.thinking_tokens for o in block]
    if cap is None or all(thought is not None and thought <= cap for thought in thoughts):
        return ""
    found = "one of unknown length" if None in thoughts else f"one of up to {max(t for t in thoughts if t is not None)} tokens"
    return (
        f"{ask.source} on query {ask.query_id!r} was asked for with thought capped at {cap} tokens; the recording holds {found}, uncapped."
    )


def _prompt_tokens(block: tuple[Outcome, ...]) -> int | None:
    """Prompt tokens of one sending: the mean over the samples that know it, rounded; None if none does."""
    known = [o.input_tokens for o in block if o.input_tokens is not None]
    return round(sum(known) / len(known)) if known else None


def _completion(outcome: Outcome) -> Completion:
    return Completion(
        text=outcome.answer or "",
        output_tokens=outcome.output_tokens,
        thinking_tokens=outcome.thinking_tokens,
        answer=outcome.answer,
        verifier_score=outcome.verifier_score,
    )
