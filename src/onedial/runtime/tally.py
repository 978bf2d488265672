"""How many tokens a reply proves. Pure.

Where several choices come in one reply, some servers (llama.cpp among them)
report the tokens of one choice only. So a report is believed as far as the
reply bears it out, and nothing is ever under-counted silently:

1. One choice: the reported count. What is beyond it in the total, or as
   reasoning, is added, since some servers leave thought out of the output.
2. Several choices whose lengths the reply itself shows (log-probabilities,
   token ids, or usage per choice): the larger of the report and their sum.
3. Several choices without that: the report, if it is at least what the text
   must have taken: the full cap for a choice that was cut, else one token,
   and one per 6 ASCII or 4 other characters. A smaller report, or one of an
   endpoint known to count one choice, is not used: every choice is billed at
   its cap, marked `bounded`, and from then on the client asks for one choice
   per request.
4. No report: the caps, marked `bounded`.

Rule 3 cannot tell for two short choices of unequal length. Setting
`usage_counts_one_choice`, or probing the endpoint, settles it beforehand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from onedial.core.usage import Usage
from onedial.runtime.wire import Choice, Counts, Received, plain, text_of

ASCII_PER_TOKEN = 6
OTHER_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Tally:
    """What one reply used.

    Attributes:
        usage: The bill of the request.
        output_tokens: Per choice; None where only their sum is known.
        thinking_tokens: Per choice, likewise.
        counts_one_choice: True if the report is found to count one choice only, False if it is shown to count all,
            None if the reply does not tell.
    """

    usage: Usage
    output_tokens: tuple[int | None, ...]
    thinking_tokens: tuple[int | None, ...]
    counts_one_choice: bool | None = None


def tally(reply: Received, cap: int, prompt_bound: int, *, one_choice: bool = False) -> Tally:
    """Count a reply by the rules above.

    Args:
        reply: What was received.
        cap: Output tokens that each choice was allowed.
        prompt_bound: Prompt tokens at most, used where none are reported.
        one_choice: Whether the endpoint is known to count one choice only.
    """
    counts, k = reply.usage or Counts(), len(reply.choices)
    total, each, found = _output(reply.choices, reported_output(counts), cap, one_choice)
    usage = usage_of(counts, total, prompt_bound, k * cap)
    return Tally(usage, each, (_reasoning(counts),) if k == 1 else (None,) * k, found)


def usage_of(counts: Counts, output: int | None, prompt_bound: int, output_bound: int) -> Usage:
    """The bill of one request by its report; a bound, and marked as one, where it does not tell.

    Args:
        counts: As reported.
        output: Output tokens of all choices, as far as they are known.
        prompt_bound: Prompt tokens at most.
        output_bound: Output tokens at most.
    """
    prompt = counts.prompt_tokens
    cached = min((counts.prompt_tokens_details and counts.prompt_tokens_details.cached_tokens) or 0, prompt or 0)
    told, written = prompt_bound if prompt is None else prompt, output_bound if output is None else output
    return Usage(1, told, cached, written, min(_reasoning(counts) or 0, written), prompt is None or output is None)


def _output(choices: list[Choice], reported: int | None, cap: int, known: bool) -> tuple[int | None, tuple[int | None, ...], bool | None]:
    """(output tokens or None, tokens per choice, whether the report counts one choice only)."""
    unknown = (None,) * len(choices)
    if len(choices) == 1:
        return reported, (reported,), None
    lengths = [_length(choice) for choice in choices]
    shown = [length for length in lengths if length is not None]
    if len(shown) == len(choices):
        total = max(sum(shown), reported or 0)
        close = total - sum(shown) <= len(choices)  # an end-of-text token may be counted and not shown
        return total, tuple(shown) if close else unknown, None if reported is None else reported < sum(shown)
    if reported is None:
        return None, unknown, None
    if known or reported < sum(_least(choice, cap) for choice in choices):
        return None, unknown, True
    return reported, unknown, False if reported >= cap * len(choices) else None


def _length(choice: Choice) -> int | None:
    """Tokens of a choice as the reply shows them."""
    if choice.token_ids:
        return len(choice.token_ids)
    if choice.usage and choice.usage.completion_tokens:
        return choice.usage.completion_tokens
    content = choice.logprobs.content if choice.logprobs else None
    return len(content) if content else None


def _least(choice: Choice, cap: int) -> int:
    """Tokens that a choice must have taken at least, by the look of it."""
    if choice.finish_reason == "length":
        return cap
    message = choice.message
    text = text_of(message) + (plain(message.reasoning_content) or plain(message.reasoning))
    ascii_chars = sum(char.isascii() for char in text)
    return max(1, math.floor(ascii_chars / ASCII_PER_TOKEN + (len(text) - ascii_chars) / OTHER_PER_TOKEN))


def reported_output(counts: Counts) -> int | None:
    """Output tokens as reported, thought included also where the server lists it apart."""
    if counts.completion_tokens is None:
        return None
    beyond = (counts.total_tokens or 0) - (counts.prompt_tokens or 0) if counts.prompt_tokens is not None else 0
    output = max(counts.completion_tokens, beyond)
    thought = _reasoning(counts) or 0
    return output if thought <= output else output + thought


def _reasoning(counts: Counts) -> int | None:
    details = counts.completion_tokens_details
    return None if details is None else details.reasoning_tokens
