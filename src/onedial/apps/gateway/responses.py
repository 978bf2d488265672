"""The OpenAI Responses format: a request as a chat request, and chat replies and chunks as its objects and events. Pure.

Text, functions and structured output are carried over; nothing is stored, so that a conversation is sent whole each time.
What chat completions have no place for is refused and named.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from onedial.apps.gateway.chat import named_event, text_parts
from onedial.apps.gateway.trouble import Refused

SAME = ("model", "stream", "temperature", "top_p", "metadata", "onedial", "user", "parallel_tool_calls", "safety_identifier")
"""Fields that both formats have, and mean alike."""
DEFAULTS: dict[str, tuple[Any, ...]] = {
    "store": (True, False),
    "truncation": ("disabled",),
    "include": ([],),
    "service_tier": ("auto", "default"),
    "background": (False,),
}
"""Fields about what the provider keeps or when it works; taken at these values, refused otherwise."""


def to_chat(request: Mapping[str, Any]) -> dict[str, Any]:
    """The chat request that asks the same.

    Raises:
        Refused: 400 for a field or an item that chat completions have no place for.
    """
    _refuse_unknown(request)
    found = {key: request[key] for key in SAME if request.get(key) is not None}
    found["messages"] = [*_instructions(request.get("instructions")), *_items(request.get("input"))]
    if request.get("max_output_tokens") is not None:
        found["max_completion_tokens"] = request["max_output_tokens"]
    if request.get("tools"):
        found["tools"] = [_tool(tool, f"tools[{i}]") for i, tool in enumerate(request["tools"])]
    if request.get("tool_choice") is not None:
        found["tool_choice"] = _choice(request["tool_choice"])
    effort = (request.get("reasoning") or {}).get("effort")
    if effort is not None:
        found["reasoning_effort"] = effort
    form = (request.get("text") or {}).get("format")
    if form and form.get("type") != "text":
        found["response_format"] = _format(form)
    return found


def _refuse_unknown(request: Mapping[str, Any]) -> None:
    known = {*SAME, "input", "instructions", "max_output_tokens", "tools", "tool_choice", "reasoning", "text"}
    for key, value in request.items():
        if key in DEFAULTS and (value is None or value in DEFAULTS[key]):
            continue
        if key not in known and value is not None:
            raise Refused(400, f"{key} is not carried over to chat completions; leave it out, or ask /v1/chat/completions.")


def _instructions(text: Any) -> Iterator[dict[str, Any]]:
    if isinstance(text, str) and text:
        yield {"role": "system", "content": text}


def _items(given: Any) -> Iterator[dict[str, Any]]:
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    if not isinstance(items, list):
        raise Refused(400, "input is missing; expected text, or a list of items.")
    for i, item in enumerate(items):
        kind = item.get("type", "message") if isinstance(item, Mapping) else type(item).__name__
        if kind == "message":
            yield {"role": item.get("role"), "content": text_parts(item.get("content"), f"input[{i}].content")}
        elif kind == "function_call":
            function = {"name": item.get("name"), "arguments": item.get("arguments")}
            call = {"id": item.get("call_id"), "type": "function", "function": function}
            yield {"role": "assistant", "content": None, "tool_calls": [call]}
        elif kind == "function_call_output":
            yield {"role": "tool", "tool_call_id": item.get("call_id"), "content": text_parts(item.get("output"), f"input[{i}].output")}
        elif kind != "reasoning":  # what was thought is not shown again in chat completions
            raise Refused(400, f"input[{i}] is {kind!r}; expected messages and function calls. Ask /v1/chat/completions for anything else.")


def _tool(tool: Any, where: str) -> dict[str, Any]:
    if not isinstance(tool, Mapping) or tool.get("type") != "function":
        kind = tool.get("type") if isinstance(tool, Mapping) else tool
        raise Refused(400, f"{where} is {kind!r}; only functions are carried over. Leave it out.")
    return {"type": "function", "function": {key: value for key, value in tool.items() if key != "type" and value is not None}}


def _choice(choice: Any) -> Any:
    if isinstance(choice, Mapping) and choice.get("type") == "function":
        return {"type": "function", "function": {"name": choice.get("name")}}
    return choice


def _format(form: Mapping[str, Any]) -> dict[str, Any]:
    if form.get("type") != "json_schema":
        return dict(form)
    return {"type": "json_schema", "json_schema": {key: value for key, value in form.items() if key != "type"}}


def response(reply: Mapping[str, Any]) -> dict[str, Any]:
    """A chat response as a response."""
    first = reply["choices"][0]
    said, finish = first.get("message") or {}, first.get("finish_reason")
    output = [_message(f"msg-{reply.get('id')}", said["content"])] if said.get("content") else []
    output += [_call(call) for call in said.get("tool_calls") or []]
    extra = {"onedial": reply["onedial"]} if "onedial" in reply else {}
    return head(reply.get("id"), reply.get("model")) | ended(finish) | {"output": output, "usage": _usage(reply.get("usage")), **extra}


def head(name: Any, model: Any) -> dict[str, Any]:
    """What every state of a response has."""
    return {
        "id": f"resp-{name}",
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": model,
        "output": [],
        "parallel_tool_calls": True,
        "temperature": None,
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "usage": None,
    }


def ended(finish: Any) -> dict[str, Any]:
    """How it ended."""
    if finish in ("length", "content_filter"):
        why = "max_output_tokens" if finish == "length" else "content_filter"
        return {"status": "incomplete", "incomplete_details": {"reason": why}}
    return {"status": "completed"}


def _message(name: str, text: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"id": name, "type": "message", "role": "assistant", "status": "completed", "content": [part]}


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call.get("function") or {}
    return {
        "id": f"fc-{call.get('id')}",
        "type": "function_call",
        "call_id": call.get("id"),
        "name": function.get("name"),
        "arguments": function.get("arguments") or "",
        "status": "completed",
    }


def _usage(usage: Mapping[str, Any] | None) -> dict[str, Any]:
    counts = usage or {}
    read, written = counts.get("prompt_tokens") or 0, counts.get("completion_tokens") or 0
    cached = (counts.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    thought = (counts.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": read + written,
    }


class ResponseEvents:
    """Chat chunks as the events of a response: items open and close as text and calls take turns."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._items: list[dict[str, Any]] = []
        self._open, self._number, self._finish = "", -1, None
        self._counts: Mapping[str, Any] | None = None
        self._said: Any = None

    def of(self, chunk: Mapping[str, Any]) -> Iterator[bytes]:
        """The events of one chunk."""
        if not self._head:
            self._head = head(chunk.get("id"), chunk.get("model"))
            yield self._event("response.created", response=self._head)
            yield self._event("response.in_progress", response=self._head)
        self._counts, self._said = chunk.get("usage") or self._counts, chunk.get("onedial") or self._said
        for choice in chunk.get("choices") or []:
            delta = choice.get("delta") or {}
            if delta.get("content"):
                yield from self._text(delta["content"])
            for call in delta.get("tool_calls") or []:
                yield from self._arguments(call)
            self._finish = choice.get("finish_reason") or self._finish

    def end(self) -> Iterator[bytes]:
        """The events after the last chunk."""
        yield from self._close()
        extra = {} if self._said is None else {"onedial": self._said}
        whole = self._head | ended(self._finish) | {"output": self._items, "usage": _usage(self._counts), **extra}
        yield self._event(f"response.{whole['status']}", response=whole)

    def _event(self, kind: str, **fields: Any) -> bytes:
        self._number += 1
        return named_event({"type": kind, "sequence_number": self._number, **fields})

    def _at(self) -> dict[str, Any]:
        return {"output_index": len(self._items) - 1, "item_id": self._items[-1]["id"]}

    def _begin(self, what: str, item: dict[str, Any]) -> Iterator[bytes]:
        yield from self._close()
        self._open = what
        self._items.append(item)
        shown = {**item, "status": "in_progress"} | ({"content": []} if "content" in item else {})
        yield self._event("response.output_item.added", output_index=len(self._items) - 1, item=shown)

    def _text(self, piece: str) -> Iterator[bytes]:
        if self._open != "text":
            yield from self._begin("text", _message(f"msg-{len(self._items)}-{self._head['id']}", ""))
            yield self._event("response.content_part.added", **self._at(), content_index=0, part={**self._part()})
        self._part()["text"] += piece
        yield self._event("response.output_text.delta", **self._at(), content_index=0, delta=piece, logprobs=[])

    def _part(self) -> dict[str, Any]:
        part: dict[str, Any] = self._items[-1]["content"][0]
        return part

    def _arguments(self, call: Mapping[str, Any]) -> Iterator[bytes]:
        what = f"call {call.get('index', 0)}"
        piece = (call.get("function") or {}).get("arguments") or ""
        if self._open != what:
            begun = {"id": call.get("id"), "function": {**(call.get("function") or {}), "arguments": ""}}
            yield from self._begin(what, _call(begun))
        self._items[-1]["arguments"] += piece
        if piece:
            yield self._event("response.function_call_arguments.delta", **self._at(), delta=piece)

    def _close(self) -> Iterator[bytes]:
        if self._open == "text":
            text = self._part()["text"]
            yield self._event("response.output_text.done", **self._at(), content_index=0, text=text, logprobs=[])
            yield self._event("response.content_part.done", **self._at(), content_index=0, part=self._part())
        elif self._open:
            item = self._items[-1]
            yield self._event("response.function_call_arguments.done", **self._at(), name=item["name"], arguments=item["arguments"])
        if self._open:
            yield self._event("response.output_item.done", output_index=len(self._items) - 1, item=self._items[-1])
        self._open = ""
