"""Upper bounds of what an ask can use, known before it is sent. Pure."""

from __future__ import annotations

from onedial.core.ask import Sample
from onedial.core.model import Model
from onedial.core.usage import Usage

TOKENS_PER_MESSAGE = 16
TOKENS_PER_PROMPT = 128
"""More than the usual chat templates add around a message, and before the first."""


def output_bound(ask: Sample, model: Model) -> int:
    """Output tokens per completion that may be generated at most; what a client must cap its request at."""
    return model.max_output_tokens if ask.max_tokens is None else min(ask.max_tokens, model.max_output_tokens)


def prompt_bound(ask: Sample) -> int:
    """Prompt tokens at most, where a token is at least one byte of text, as in every byte-pair tokenizer."""
    text = ask.continue_from + "".join(message.content for message in ask.messages)
    return len(text.encode("utf-8", "surrogatepass")) + TOKENS_PER_MESSAGE * len(ask.messages) + TOKENS_PER_PROMPT


def cut_at(ask: Sample, model: Model) -> int | None:
    """Tokens after which the client itself has to end a thought; None where no cap binds, or the endpoint keeps it."""
    effort = model.effort(ask.source.effort)
    own = None if effort is None or effort.native else effort.max_thinking_tokens
    asked = None if "thinking_cap" in model.capabilities else ask.max_thinking_tokens
    return min((tokens for tokens in (own, asked) if tokens is not None and tokens < output_bound(ask, model)), default=None)


def calls_of(ask: Sample, model: Model) -> int:
    """Requests an ask takes: one where the model can return `n` choices, else those of every completion; two each where thought is cut."""
    if cut_at(ask, model) is not None:
        return 2 * ask.n
    return 1 if "n" in model.capabilities else ask.n * model.asks


def worst_case(ask: Sample, model: Model, input_tokens: int) -> Usage:
    """The most an ask can use: the prompt once per request, every completion as long as it may be.

    Args:
        ask: What is to be asked.
        model: Of whom.
        input_tokens: Prompt tokens of one sending, or an upper bound.
    """
    calls = calls_of(ask, model)
    return Usage(calls, calls * input_tokens, 0, ask.n * output_bound(ask, model))
