"""The formats that clients speak, each as a way to put what is said in chat completions: whole responses, and streams as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from onedial.apps.gateway.messages import Events, decoded, error, event, message

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


class ChatForm:
    """Chat completions: everything as it is."""

    wants_usage = False

    def whole(self, status: int, data: bytes) -> bytes:
        """The response itself."""
        return data

    def stream(self, lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The stream itself."""
        return lines


class MessagesForm:
    """Anthropic's messages."""

    wants_usage = True

    def whole(self, status: int, data: bytes) -> bytes:
        """A response as a message, an error as an error."""
        try:
            found = msgspec.json.decode(data)
        except msgspec.DecodeError:
            found = {"error": {"message": data.decode("utf-8", "replace")}}
        return msgspec.json.encode(message(found) if status == 200 else error(status, found))

    async def stream(self, lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Chunks as events; a heartbeat as a ping, and an error as an error, after which nothing follows."""
        events, failed = Events(), False
        async for line in lines:
            if line == BEAT:
                yield event({"type": "ping"})
            for chunk in decoded([line]):
                if "error" in chunk:
                    failed = True
                    yield event(error(500, chunk))
                else:
                    for one in events.of(chunk):
                        yield one
        if not failed:
            for one in events.end():
                yield one


CHAT, MESSAGES = ChatForm(), MessagesForm()
