"""What comes back: candidates and the answer chosen among them."""

from __future__ import annotations

from dataclasses import dataclass, field

from onedial.core.arm import Source
from onedial.core.usage import Usage


@dataclass(frozen=True, slots=True)
class Candidate:
    """One completion in the running.

    Attributes:
        source: The model and effort it came from.
        index: Its sample index within (query, source).
        text: The visible response.
        answer: The extracted, canonical answer; None if there is none to extract.
        output_tokens: Tokens it took, thinking included; None if unknown.
        score: A verifier's score in [0, 1], or None if none was given.
        logprob: Mean token log-probability, or None.
        confidence: How sure the model was of it, above 0, where a strategy weighs that; comparable within one query only.
    """

    source: Source
    index: int
    text: str
    answer: str | None
    output_tokens: int | None = None
    score: float | None = None
    logprob: float | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Spend:
    """Usage and cost, additive; latency adds because asks of one query follow each other."""

    usage: Usage = Usage()
    cost_usd: float = 0.0
    latency_s: float = 0.0

    def __add__(self, other: Spend) -> Spend:
        return Spend(self.usage + other.usage, self.cost_usd + other.cost_usd, self.latency_s + other.latency_s)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a query, with everything that was in the running.

    Attributes:
        text: The chosen response, or None if no candidate exists (all asks failed or were refused).
        answer: Its extracted answer.
        candidates: Every candidate paid for, in order.
        spend: All usage, including failed asks.
        stopped: Why it stopped, in one sentence.
    """

    text: str | None
    answer: str | None
    candidates: tuple[Candidate, ...] = field(default=())
    spend: Spend = Spend()
    stopped: str = ""
