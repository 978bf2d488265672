"""The Anthropic Messages format: a request as a chat request, and chat replies and chunks as its messages and events. Pure.

Text and tools are carried over. What has no counterpart in chat completions, such as documents or server tools, is refused and named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from onedial.apps.gateway.chat import named_event, text_parts
from onedial.apps.gateway.trouble import Refused

STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
TEXT = ("text",)
SAME = ("model", "stream", "temperature", "top_p", "metadata", "onedial", "max_tokens")
"""Fields that both formats have, and mean alike."""
ERRORS = {401: "authentication_error", 402: "billing_error", 404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error"}


def to_chat(request: Mapping[str, Any]) -> dict[str, Any]:
    """The chat request that asks the same.

    Raises:
        Refused: 400 for a field or a block that chat completions have no place for.
    """
    found = {key: request[key] for key in SAME if request.get(key) is not None}
    known = {*SAME, "messages", "system", "tools", "tool_choice", "stop_sequences"}
    for key in request:
        if key not in known:
            raise Refused(400, f"{key} is not carried over to chat completions; leave it out, or ask /v1/chat/completions.")
    messages: list[dict[str, Any]] = []
    if request.get("system"):
        messages.append({"role": "system", "content": text_parts(request["system"], "system", TEXT)})
    turns = request.get("messages")
    if not isinstance(turns, list):
        raise Refused(400, "messages is missing; expected a list of at least one message.")
    for i, turn in enumerate(turns):
        messages += _turn(turn, f"messages[{i}]")
    found["messages"] = messages
    if request.get("stop_sequences"):
        found["stop"] = request["stop_sequences"]
    if request.get("tools"):
        found["tools"] = [_tool(tool, f"tools[{i}]") for i, tool in enumerate(request["tools"])]
    if request.get("tool_choice"):
        found["tool_choice"] = _choice(request["tool_choice"])
    return found


def _turn(turn: Any, where: str) -> Iterator[dict[str, Any]]:
    """One turn as chat messages: results of tools are turns of their own there."""
    if not isinstance(turn, Mapping) or turn.get("role") not in ("user", "assistant"):
        raise Refused(400, f"{where} is not a turn of role user or assistant.")
    content = turn.get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(blocks, list) or not all(isinstance(block, Mapping) for block in blocks):
        raise Refused(400, f"{where}.content is neither text nor a list of blocks.")
    for block in blocks:
        if block.get("type") == "tool_result":
            said = block.get("content", "")
            yield {"role": "tool", "tool_call_id": block.get("tool_use_id"), "content": text_parts(said, f"{where}.content", TEXT)}
    rest = [block for block in blocks if block.get("type") not in ("tool_result", "tool_use")]
    calls = [_call(block) for block in blocks if block.get("type") == "tool_use"]
    if rest or calls:
        text = text_parts(rest, f"{where}.content", TEXT) if rest else None
        yield {"role": turn["role"], "content": text} | ({"tool_calls": calls} if calls else {})


def _call(block: Mapping[str, Any]) -> dict[str, Any]:
    said = msgspec.json.encode(block.get("input") or {}).decode()
    return {"id": block.get("id"), "type": "function", "function": {"name": block.get("name"), "arguments": said}}


def _tool(tool: Any, where: str) -> dict[str, Any]:
    if not isinstance(tool, Mapping) or "input_schema" not in tool:
        raise Refused(400, f"{where} has no input_schema: a tool of the server is not carried over. Leave it out.")
    function = {"name": tool.get("name"), "parameters": tool["input_schema"]}
    return {"type": "function", "function": function | ({"description": tool["description"]} if tool.get("description") else {})}


def _choice(choice: Any) -> Any:
    kind = choice.get("type") if isinstance(choice, Mapping) else choice
    if kind == "tool":
        return {"type": "function", "function": {"name": choice.get("name")}}
    if kind not in ("auto", "any", "none"):
        raise Refused(400, f"tool_choice is {choice!r}; expected auto, any, none, or a tool by name.")
    return {"auto": "auto", "any": "required", "none": "none"}[kind]


def message(reply: Mapping[str, Any]) -> dict[str, Any]:
    """A chat response as a message."""
    first = reply["choices"][0]
    said, finish = first.get("message") or {}, first.get("finish_reason")
    blocks: list[dict[str, Any]] = [{"type": "text", "text": said["content"]}] if said.get("content") else []
    blocks += [_use(call) for call in said.get("tool_calls") or []]
    extra = {"onedial": reply["onedial"]} if "onedial" in reply else {}
    return _head(reply.get("id"), reply.get("model")) | {
        "content": blocks,
        "stop_reason": STOPS.get(finish, "end_turn"),
        "usage": _usage(reply.get("usage")),
        **extra,
    }


def _head(name: Any, model: Any) -> dict[str, Any]:
    return {"id": name, "type": "message", "role": "assistant", "model": model, "content": [], "stop_reason": None, "stop_sequence": None}


def _use(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call.get("function") or {}
    try:
        given = msgspec.json.decode(function.get("arguments") or "{}")
    except msgspec.DecodeError:
        given = {"arguments": function.get("arguments")}
    return {"type": "tool_use", "id": call.get("id"), "name": function.get("name"), "input": given}


def _usage(usage: Mapping[str, Any] | None) -> dict[str, Any]:
    counts = usage or {}
    cached = (counts.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return {
        "input_tokens": (counts.get("prompt_tokens") or 0) - cached,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": counts.get("completion_tokens") or 0,
    }


class Events:
    """Chat chunks as the events of a message; blocks open and close as text and tools take turns."""

    def __init__(self) -> None:
        self._open, self._index, self._begun = "", -1, False
        self._stop, self._counts, self._said = "end_turn", None, None

    def of(self, chunk: Mapping[str, Any]) -> Iterator[bytes]:
        """The events of one chunk."""
        if not self._begun:
            self._begun = True
            yield named_event({"type": "message_start", "message": _head(chunk.get("id"), chunk.get("model")) | {"usage": _usage(None)}})
        self._counts, self._said = chunk.get("usage") or self._counts, chunk.get("onedial") or self._said
        for choice in chunk.get("choices") or []:
            delta = choice.get("delta") or {}
            if delta.get("content"):
                yield from self._piece("text", {"type": "text", "text": ""}, {"type": "text_delta", "text": delta["content"]})
            for call in delta.get("tool_calls") or []:
                yield from self._call(call)
            if choice.get("finish_reason"):
                self._stop = STOPS.get(choice["finish_reason"], "end_turn")

    def _call(self, call: Mapping[str, Any]) -> Iterator[bytes]:
        function = call.get("function") or {}
        begun: dict[str, Any] = {"type": "tool_use", "id": call.get("id"), "name": function.get("name"), "input": {}}
        delta = {"type": "input_json_delta", "partial_json": function.get("arguments") or ""}
        yield from self._piece(f"tool {call.get('index', 0)}", begun, delta)

    def _piece(self, block: str, begun: Mapping[str, Any], delta: Mapping[str, Any]) -> Iterator[bytes]:
        if block != self._open:
            yield from self._close()
            self._open, self._index = block, self._index + 1
            yield named_event({"type": "content_block_start", "index": self._index, "content_block": begun})
        yield named_event({"type": "content_block_delta", "index": self._index, "delta": delta})

    def _close(self) -> Iterator[bytes]:
        if self._open:
            yield named_event({"type": "content_block_stop", "index": self._index})
        self._open = ""

    def end(self) -> Iterator[bytes]:
        """The events after the last chunk."""
        yield from self._close()
        extra: dict[str, Any] = {} if self._said is None else {"onedial": self._said}
        delta = {"stop_reason": self._stop, "stop_sequence": None}
        yield named_event({"type": "message_delta", "delta": delta, "usage": _usage(self._counts), **extra})
        yield named_event({"type": "message_stop"})


def error(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    """An error of a chat response as this format has it."""
    said = body.get("error") or {}
    kind = ERRORS.get(status, "invalid_request_error" if status < 500 else "api_error")
    return {"type": "error", "error": {"type": kind, "message": said.get("message") if isinstance(said, Mapping) else str(said)}}
