"""What a strategy asks for and what it is sent: asks and replies, as frozen values.

No ask is carried out here; a driver prices it, pays for it and sends the reply.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from onedial.core.arm import Source
from onedial.core.query import Message
from onedial.core.usage import Usage

Finish = Literal["stop", "length", "error"]


@dataclass(frozen=True, slots=True)
class Sample:
    """Ask a model for `n` independent completions of the same messages.

    Attributes:
        query_id: The query these samples belong to (replay and seeds are keyed by it).
        source: Model and effort.
        messages: The conversation, sent once and billed once per ask.
        n: Completions wanted, at least 1.
        first_index: Index of the first of them within (query, source): drawing more continues the stream.
        max_tokens: Output tokens per completion at most; None is the model's own bound.
        max_thinking_tokens: Hard cap on thought, after which an answer is forced; None is no cap.
        temperature: None is the model's default.
        logprobs: Whether token log-probabilities are wanted.
        top_logprobs: How many of the likeliest tokens at every place the confidence of its token is to rest on; 0 if none is wanted.
        continue_from: Assistant text to continue (needs the capability `continue`).
        judging: Whether completions of earlier asks are shown in it to be judged.
        in_steps: Whether a later ask may continue its completions (needs the capability `continue`): at `max_tokens` they are cut
            even within a thought, with no answer forced.
        needs: Capabilities that later asks of the same run need: a model without them is refused before this one is paid.
    """

    query_id: str
    source: Source
    messages: tuple[Message, ...]
    n: int = 1
    first_index: int = 0
    max_tokens: int | None = None
    max_thinking_tokens: int | None = None
    temperature: float | None = None
    logprobs: bool = False
    top_logprobs: int = 0
    continue_from: str = ""
    judging: bool = False
    in_steps: bool = False
    needs: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.n < 1 or self.first_index < 0:
            raise ValueError(f"a sample ask needs n >= 1 and first_index >= 0, found n={self.n}, first_index={self.first_index}")
        if self.top_logprobs < 0 or (self.top_logprobs and not self.logprobs):
            raise ValueError(f"top_logprobs counts tokens and needs logprobs, found {self.top_logprobs} with logprobs={self.logprobs}")

    @property
    def follows_up(self) -> bool:
        """Whether it rests on an earlier reply: a text to continue or to judge, or a conversation in which the assistant has spoken.

        Its completions are no independent samples of the query, and no recording of such can stand in for them.
        """
        return self.judging or bool(self.continue_from) or any(message.role == "assistant" for message in self.messages)

    @property
    def independent(self) -> bool:
        """Whether its completions are whole, independent samples of the query, as recordings hold them."""
        return not self.in_steps and not self.follows_up


@dataclass(frozen=True, slots=True)
class Completion:
    """One completion.

    Attributes:
        text: The visible response, thinking removed.
        thinking: The visible part of the thought, where there is one, without the marks around it.
        opening: The mark before the thought, with which a text that continues it begins; '' where there is none.
        finish: `stop`, or `length` if it was cut.
        output_tokens: Tokens of this completion, thinking included; None if only the ask's total is known.
        thinking_tokens: The part of them that is thought; None where the upstream does not say (absent is not zero).
        answer: The extracted answer where a recording holds only that; else None.
        logprobs: Log-probability per output token, natural log, if asked for; of those the endpoint shows, maybe without thought.
        confidences: Of the same tokens, `core.confidence.of_token` of the likeliest at each place; None if not asked for or not given.
        verifier_score: A score recorded with it, in [0, 1], or None.
        usage: What it used by itself where several requests made it, prompts included; None where it shares a request.
    """

    text: str
    thinking: str = ""
    finish: Finish = "stop"
    output_tokens: int | None = None
    thinking_tokens: int | None = None
    answer: str | None = None
    logprobs: tuple[float, ...] | None = None
    confidences: tuple[float, ...] | None = None
    verifier_score: float | None = None
    usage: Usage | None = None
    opening: str = ""


@dataclass(frozen=True, slots=True)
class Samples:
    """Completions and what the whole ask used. Fewer than asked means that the rest failed."""

    completions: tuple[Completion, ...]
    usage: Usage
    cost_usd: float
    latency_s: float = 0.0
    applied_effort: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """The ask failed after all retries; what it used all the same is charged."""

    message: str
    usage: Usage = Usage()
    cost_usd: float = 0.0
    latency_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """The ask was not sent: the budget cannot cover its worst case, or the recording holds no more."""

    reason: str


Ask = Sample
Reply = Samples | Failure | Refusal
