"""The formats that clients speak, each as a way to put what is said in chat completions: whole responses, and streams as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from onedial.apps.gateway import messages, responses
from onedial.apps.gateway.chat import named_event

BEAT = b": still working\n\n"


class Form(Protocol):
    """A format.

    Attributes:
        wants_usage: Whether its streams always end with what was used.
    """

    wants_usage: bool

    def whole(self, status: int, data: bytes) -> bytes:
        """A response, or an error, in this format."""
        ...

    def stream(self, lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """A stream in this format."""
        ...


class Writer(Protocol):
    """Turns the chunks of one stream into events."""

    def of(self, chunk: Mapping[str, Any]) -> Iterator[bytes]:
        """The events of one chunk."""
        ...

    def end(self) -> Iterator[bytes]:
        """The events after the last chunk."""
        ...


class ChatForm:
    """Chat completions: everything as it is."""

    wants_usage = False

    def whole(self, status: int, data: bytes) -> bytes:
        """The response itself."""
        return data

    def stream(self, lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The stream itself."""
        return lines


class Translated:
    """A format that is put together from chat completions.

    Args:
        whole: A response from a chat response.
        events: A fresh writer of a stream's events.
        error: An error, of this status, from a chat error.
        failed: The event of such an error.
        beat: What is sent while nothing else is.
    """

    wants_usage = True

    def __init__(
        self,
        whole: Callable[[Mapping[str, Any]], dict[str, Any]],
        events: Callable[[], Writer],
        error: Callable[[int, Mapping[str, Any]], Mapping[str, Any]],
        failed: Callable[[Mapping[str, Any]], bytes],
        beat: bytes,
    ) -> None:
        self._whole, self._events, self._error, self._failed, self._beat = whole, events, error, failed, beat

    def whole(self, status: int, data: bytes) -> bytes:
        """A response, or an error, in this format."""
        try:
            found = msgspec.json.decode(data)
        except msgspec.DecodeError:
            found = {"error": {"message": data.decode("utf-8", "replace")}}
        return msgspec.json.encode(self._whole(found) if status == 200 else self._error(status, found))

    async def stream(self, lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Chunks as events; after an error nothing follows."""
        writer, failed = self._events(), False
        async for line in lines:
            if line == BEAT:
                yield self._beat
            for chunk in decoded(line.splitlines()):
                if "error" in chunk:
                    failed = True
                    yield self._failed(chunk)
                else:
                    for one in writer.of(chunk):
                        yield one
        if not failed:
            for one in writer.end():
                yield one


def decoded(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The chunks in lines of a chat stream; an error in it is one too."""
    for line in lines:
        if line.startswith(b"data: {"):
            try:
                found = msgspec.json.decode(line[6:])
            except msgspec.DecodeError:
                continue
            if isinstance(found, dict):
                yield found


def _failed_response(chunk: Mapping[str, Any]) -> bytes:
    said = chunk["error"]
    data = {"type": "error", "code": said.get("code"), "message": said.get("message"), "param": None, "error": said}
    return named_event(data)


CHAT = ChatForm()
MESSAGES = Translated(
    messages.message,
    messages.Events,
    messages.error,
    lambda chunk: named_event(messages.error(500, chunk)),
    named_event({"type": "ping"}),
)
RESPONSES = Translated(responses.response, responses.ResponseEvents, lambda status, found: found, _failed_response, BEAT)
