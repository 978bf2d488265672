"""The chat-completions format: from an ask to a request body, from bytes to choices. Pure; what tokens a reply proves is in `tally`."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import msgspec

from onedial.core.ask import Completion, Finish, Sample
from onedial.core.confidence import of_token
from onedial.core.query import Message
from onedial.runtime.bound import output_bound
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.thinking import effort_fields

THINKING_START = "<think>"
_FINISH: dict[str | None, Finish] = {"stop": "stop", "tool_calls": "stop", "function_call": "stop", "length": "length"}


class Text(msgspec.Struct):
    """A message as servers send it; fields differ in form between them, so they are read with care."""

    content: Any = None
    refusal: Any = None
    reasoning_content: Any = None
    reasoning: Any = None


class Alternative(msgspec.Struct):
    """One of the likeliest tokens at a place."""

    logprob: float


class Logprob(msgspec.Struct):
    """One token of the output, and the likeliest at its place where they were asked for."""

    logprob: float
    top_logprobs: list[Alternative] | None = None


class Logprobs(msgspec.Struct):
    """Log-probabilities per token of the output, or None."""

    content: list[Logprob] | None = None


class Choice(msgspec.Struct):
    """One completion; `token_ids` and `usage` are extras of some servers."""

    message: Text
    finish_reason: str | None = None
    logprobs: Logprobs | None = None
    token_ids: list[int] | None = None
    usage: Counts | None = None


class Details(msgspec.Struct):
    """Parts of a token count."""

    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class Counts(msgspec.Struct):
    """Usage as reported."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: Details | None = None
    completion_tokens_details: Details | None = None


class Received(msgspec.Struct):
    """A reply."""

    choices: list[Choice]
    usage: Counts | None = None


def received(body: bytes) -> Received:
    """Decode a reply.

    Raises:
        ValueError: It is not JSON, or has no choices.
    """
    reply = msgspec.json.decode(body, type=Received)
    if not reply.choices:
        raise ValueError("the reply holds no choices")
    return reply


def drop_repeated(reply: Received, said: str) -> bool:
    """Take the text that was to be continued off the front of every choice; False, changing nothing, unless all begin with it."""
    fields = [_field_that_begins(choice.message, said) for choice in reply.choices]
    if not all(fields):
        return False
    for choice, name in zip(reply.choices, fields, strict=True):
        setattr(choice.message, name, getattr(choice.message, name).removeprefix(said))
    return True


def _field_that_begins(message: Text, said: str) -> str:
    """The field that begins with a text; '' if none does."""
    return next((name for name in ("content", "reasoning_content", "reasoning") if plain(getattr(message, name)).startswith(said)), "")


def messages_of(ask: Sample, endpoint: Endpoint) -> tuple[Message, ...]:
    """The conversation as it is sent: with the words of a prompted effort at the end of the last user turn."""
    words = endpoint.effort_prompts.get(ask.source.effort or "")
    last = max((i for i, message in enumerate(ask.messages) if message.role == "user"), default=None)
    if not words or last is None:
        return ask.messages
    told = replace(ask.messages[last], content=f"{ask.messages[last].content}\n\n{words}")
    return (*ask.messages[:last], told, *ask.messages[last + 1 :])


def request_body(ask: Sample, endpoint: Endpoint, cap_key: str = "max_tokens") -> dict[str, Any]:
    """Build the request for all `n` completions of an ask; the fields of its effort are merged in last.

    Log-probabilities are also asked for where several choices come in one reply
    and the model can give them: they prove how many tokens each choice took.
    """
    body: dict[str, Any] = {
        "model": endpoint.upstream,
        "messages": [{"role": m.role, "content": m.content} for m in messages_of(ask, endpoint)],
        cap_key: output_bound(ask, endpoint.model),
    }
    if ask.n > 1:
        body["n"] = ask.n
    if ask.logprobs or (ask.n > 1 and "logprobs" in endpoint.model.capabilities):
        body["logprobs"] = True
    if ask.top_logprobs:
        body["top_logprobs"] = ask.top_logprobs
    if ask.temperature is not None:
        body["temperature"] = ask.temperature
    if "seed" in endpoint.model.capabilities:
        body["seed"] = seed_of(ask)
    if ask.continue_from:
        body["messages"].append({"role": "assistant", "content": ask.continue_from})
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    return body | effort_fields(ask, endpoint)


def seed_of(ask: Sample) -> int:
    """A seed in [0, 2**31) for this query, source and sample index: asking again gives the same samples."""
    key = "\x1f".join((ask.query_id, str(ask.source), str(ask.first_index)))
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest(), "big") >> 1


def completion_of(choice: Choice, ask: Sample, endpoint: Endpoint, output_tokens: int | None, thinking_tokens: int | None) -> Completion:
    """Read one choice: thought apart from the visible text."""
    finish = _FINISH.get(choice.finish_reason, "error")
    thinking, text = thought_and_text(choice.message, endpoint, cut=finish == "length", continued=bool(ask.continue_from))
    return Completion(
        text=text,
        thinking=thinking,
        opening=endpoint.opening if thinking and not ask.continue_from else "",
        finish=finish,
        output_tokens=output_tokens,
        thinking_tokens=thinking_tokens,
        logprobs=logprobs_of(choice) if ask.logprobs else None,
        confidences=confidences_of(choice) if ask.top_logprobs else None,
    )


def thought_and_text(message: Text, endpoint: Endpoint, *, cut: bool, continued: bool = False) -> tuple[str, str]:
    """The thought where the endpoint shows it apart, else what stands before its mark; and the rest, which is the answer."""
    said, apart = text_of(message), plain(message.reasoning_content) or plain(message.reasoning)
    opened = bool(endpoint.opening) and said.lstrip().startswith(endpoint.opening.strip())
    marker = endpoint.thinking_end or (endpoint.closing if opened else None)
    thinking, text = split_thinking(said, marker, cut=cut and not apart, continued=continued)
    return apart or thinking, text


def split_thinking(text: str, marker: str | None, *, cut: bool, continued: bool = False) -> tuple[str, str]:
    """Split at the first marker into thought and answer.

    Without a marker in the text everything is the answer; but text that was
    cut before its marker came is thought, not an answer. White space around the
    thought is dropped, except where more of it went before or may follow.

    >>> split_thinking("<think>carry the 1</think>12", "</think>", cut=False)
    ('carry the 1', '12')
    >>> split_thinking(" and then", "</think>", cut=True, continued=True)
    (' and then', '')
    """
    if marker is None:
        return "", text
    before, found, after = text.partition(marker)
    if not found and not cut:
        return "", text
    thought = before if continued else before.lstrip().removeprefix(THINKING_START).lstrip()
    return thought.rstrip() if found else thought, after.strip()


def text_of(message: Text) -> str:
    """What was written, as one text: content, its parts joined, or the words of a refusal."""
    if isinstance(message.content, list):
        parts = [part.get("text") for part in message.content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return plain(message.content) or plain(message.refusal)


def plain(value: Any) -> str:
    """The text itself; an empty one for anything that is no text."""
    return value if isinstance(value, str) else ""


def logprobs_of(choice: Choice) -> tuple[float, ...] | None:
    """Log-probability per output token, where they were given."""
    content = choice.logprobs.content if choice.logprobs else None
    return tuple(token.logprob for token in content) if content else None


def confidences_of(choice: Choice) -> tuple[float, ...] | None:
    """Confidence per output token; None unless the likeliest tokens are given at every place, more than one of them somewhere."""
    content = (choice.logprobs.content if choice.logprobs else None) or []
    places = [[one.logprob for one in token.top_logprobs or ()] for token in content]
    return tuple(map(of_token, places)) if places and all(places) and max(map(len, places)) > 1 else None
