"""The chat-completions format as a server speaks it: requests read with care, responses and their chunks. Pure."""

from __future__ import annotations

import time
from collections.abc import Container, Iterator, Mapping
from typing import Any

import msgspec

from onedial.apps.gateway.trouble import Refused
from onedial.core.query import Query
from onedial.core.usage import Usage

CAPS = ("max_tokens", "max_completion_tokens")
DECIDED = frozenset({"model", "messages", "stream", "stream_options", "onedial", "user", "metadata", "store", "safety_identifier"})
"""Fields under which a request is a plain question: onedial may sample it as it sees fit. Any other goes to one model untouched."""
SYSTEM = ("system", "developer")
LARGEST = 16 * 2**20
"""Bytes of a request at most."""
PIECE = 24
"""Characters per chunk where a whole answer is streamed."""


def read(body: bytes) -> dict[str, Any]:
    """Decode a chat request, and check what every one needs.

    Raises:
        Refused: 400 with what is wrong; 413 for one that is too large.
    """
    return checked(decode(body))


def decode(body: bytes) -> dict[str, Any]:
    """Decode a request of any format.

    Raises:
        Refused: 400 where it is no JSON object; 413 for one that is too large.
    """
    if len(body) > LARGEST:
        raise Refused(413, f"the request has {len(body):,} bytes; at most {LARGEST:,} are taken.")
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, f"the request is not JSON: {error}.") from None
    if not isinstance(found, dict):
        raise Refused(400, f"the request is {type(found).__name__}; expected a JSON object.")
    return found


def checked(found: dict[str, Any]) -> dict[str, Any]:
    """A chat request that has what every one needs.

    Raises:
        Refused: 400 with what is wrong.
    """
    if not isinstance(found.get("model"), str) or not found["model"]:
        raise Refused(400, f"model is {found.get('model')!r}; expected a name, as in 'onedial'.")
    _check_messages(found.get("messages"))
    if not isinstance(found.get("stream", False), bool | None):
        raise Refused(400, f"stream is {found['stream']!r}; expected true or false.")
    return found


def _check_messages(messages: Any) -> None:
    if not isinstance(messages, list) or not messages:
        found = "empty" if messages == [] else type(messages).__name__
        raise Refused(400, f"messages is {found}; expected a list of at least one message.")
    for i, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise Refused(400, f"messages[{i}] is not an object with a role.")


def question(request: Mapping[str, Any], longest: int) -> Query | None:
    """The query that a request asks, if it is a plain question: system text perhaps, one user turn, nothing that ties its form.

    Args:
        request: As read.
        longest: Output tokens that no model here passes; a cap that is no lower ties nothing.
    """
    said = {key for key, value in request.items() if value is not None}
    said -= {key for key in CAPS if key in said and isinstance(request[key], int) and request[key] >= longest}
    if not said <= DECIDED:
        return None
    *before, last = request["messages"]
    texts = [text_of(message) for message in request["messages"]]
    if last["role"] != "user" or any(message["role"] not in SYSTEM for message in before) or None in texts:
        return None
    prompt, system = texts[-1] or "", "\n\n".join(text or "" for text in texts[:-1])
    if not prompt.strip():
        raise Refused(400, "the last user message is empty; expected text to answer.")
    return Query.of(prompt, system=system) if system else Query.of(prompt)


def topic(request: Mapping[str, Any]) -> Query:
    """What a request that is no plain question is forecast by: the text of its last user turn, else of all turns."""
    users = [text_of(message) for message in request["messages"] if message["role"] == "user"]
    said = next((text for text in reversed(users) if text and text.strip()), None)
    every = " ".join(text for text in map(text_of, request["messages"]) if text)
    return Query.of(said or every.strip() or "(no text)")


def text_of(message: Mapping[str, Any]) -> str | None:
    """The text of a message; its text parts joined; None where it has anything else in it."""
    content = message.get("content")
    if set(message) - {"role", "content", "name"}:
        return None
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        return "".join(str(part.get("text", "")) for part in content)
    return None


def usage_of(usage: Usage) -> dict[str, Any]:
    """Tokens as the format counts them, of all requests made."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.thinking_tokens},
    }


def response(name: str, model: str, text: str, usage: Usage, said: Mapping[str, Any]) -> dict[str, Any]:
    """A whole response; `said` is its `onedial` object."""
    message = {"role": "assistant", "content": text, "refusal": None}
    return {
        "id": name,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": usage_of(usage),
        "onedial": said,
    }


def chunks(name: str, model: str, text: str, usage: Usage | None, said: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The same as chunks: a role, pieces of the text, the end with its `onedial` object, and usage where it is wanted."""
    base = {"id": name, "object": "chat.completion.chunk", "created": int(time.time()), "model": model}

    def chunk(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
        return base | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}

    yield chunk({"role": "assistant", "content": ""})
    for start in range(0, len(text), PIECE):
        yield chunk({"content": text[start : start + PIECE]})
    yield chunk({}, "stop") | {"onedial": said}
    if usage is not None:
        yield base | {"choices": [], "usage": usage_of(usage)}


def event(data: Mapping[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + msgspec.json.encode(data) + b"\n\n"


def named_event(data: Mapping[str, Any]) -> bytes:
    """One server-sent event that is named by its type."""
    return b"event: " + str(data["type"]).encode() + b"\n" + event(data)


def text_parts(content: Any, where: str, kinds: Container[Any] | None = None) -> str:
    """The text of a turn as other formats write it: as such, or in parts, joined.

    Args:
        content: As received.
        where: It stands in the request.
        kinds: Types that a part of text may have; None for any.

    Raises:
        Refused: 400 for a part that is no text.
    """
    if isinstance(content, str):
        return content
    parts: list[str] = []
    for part in content if isinstance(content, list) else [content]:
        text = part.get("text") if isinstance(part, Mapping) and (kinds is None or part.get("type") in kinds) else None
        if not isinstance(text, str):
            kind = part.get("type") if isinstance(part, Mapping) else type(part).__name__
            raise Refused(400, f"{where} holds {kind!r}; expected text. Ask /v1/chat/completions for anything else.")
        parts.append(text)
    return "".join(parts)
