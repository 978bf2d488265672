"""Hand a request that is no plain question to one model as it stands, and its answer back as it comes; count what it used."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from onedial.apps.gateway.trouble import Refused
from onedial.core.arm import Source
from onedial.core.usage import Usage
from onedial.runtime.bound import TOKENS_PER_MESSAGE, TOKENS_PER_PROMPT
from onedial.runtime.ledger import Grant, Reservation
from onedial.runtime.openai import OpenAIClient
from onedial.runtime.tally import reported_output, usage_of
from onedial.runtime.wire import Counts

if TYPE_CHECKING:
    import aiohttp

END = b"data: [DONE]"


class _Tail(msgspec.Struct):
    """The part of a reply or a chunk that is counted."""

    usage: Counts | None = None
    choices: list[Any] = []


class _Lines:
    """Passes the lines of a stream on, as many at a time as have come whole, and notes usage and end on the way.

    Attributes:
        counts: The latest usage that was told.
        ended: Whether the stream came to its end mark.
    """

    def __init__(self, keep_usage: bool) -> None:
        self.counts: Counts | None = None
        self.ended = False
        self._keep_usage, self._rest = keep_usage, b""

    def feed(self, data: bytes) -> bytes:
        """What of the stream can be passed on now that this has come."""
        whole, newline, self._rest = (self._rest + data).rpartition(b"\n")
        if b'"usage"' not in whole and END not in whole:
            return whole + newline
        return b"\n".join(line for line in whole.split(b"\n") if self._passes(line)) + newline

    def rest(self) -> bytes:
        """What came last and without an end of its line: nothing, unless it is the end mark."""
        self.ended = self.ended or self._rest.startswith(END)
        return self._rest + b"\n\n" if self._rest.startswith(END) else b""

    def _passes(self, line: bytes) -> bool:
        self.ended = self.ended or line.startswith(END)
        if not line.startswith(b"data: {"):
            return True
        tail = _tail(line[6:])
        self.counts = tail.usage or self.counts
        return tail.usage is None or bool(tail.choices) or self._keep_usage


class Relay:
    """One request under way at one model.

    Attributes:
        status: Of the response.
        usage: What it used, known when it has been read to its end.
        cost_usd: What that costs.
    """

    def __init__(self, response: aiohttp.ClientResponse, held: Reservation, worst: Usage, client: OpenAIClient, source: Source) -> None:
        self._response, self._held, self._worst = response, held, worst
        self._price = client.models[source.model].price
        self.status, self.usage, self.cost_usd = response.status, Usage(), 0.0

    @classmethod
    async def open(cls, client: OpenAIClient, source: Source, request: Mapping[str, Any], grant: Grant) -> Relay:
        """Reserve the worst case, and send.

        Raises:
            BudgetExhausted: It does not fit the grant; nothing is sent.
            Refused: 502 where the model cannot be reached, 504 where it does not begin in time.
        """
        import aiohttp

        model = client.models[source.model]
        worst = worst_of(request, model.max_output_tokens)
        held = grant.reserve(worst, model.price.cost_usd(worst))
        try:
            response = await client.forward(source, request)
        except BaseException as error:
            if isinstance(error, aiohttp.ClientConnectorError) and not isinstance(error, TimeoutError):
                held.release()
            else:  # it may have been generated
                held.settle(replace(worst, bounded=True), model.price.cost_usd(worst))
            if isinstance(error, TimeoutError | aiohttp.ClientError):
                raise _refused(source, error) from None
            raise
        return cls(response, held, worst, client, source)

    async def whole(self) -> bytes:
        """The response to its end.

        Raises:
            Refused: 502 where it breaks off.
        """
        import aiohttp

        counts: Counts | None = None
        try:
            data = await self._response.read()
            counts = _counts(data)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Refused(502, f"the model broke off its answer: {error}.", "api_error") from None
        finally:
            self._settle(counts)
        return data

    async def events(self, keep_usage: bool) -> AsyncIterator[bytes]:
        """Server-sent events as they come; the chunk of usage only where the client asked for it; an error event where they break off."""
        import aiohttp

        reading = _Lines(keep_usage)
        try:
            async for data in self._response.content.iter_any():
                if passed := reading.feed(data):
                    yield passed
            if last := reading.rest():
                yield last
        except (aiohttp.ClientError, TimeoutError):
            pass
        finally:
            self._settle(reading.counts)
        if not reading.ended:
            yield b'data: {"error": {"message": "the model broke off its answer.", "type": "api_error", "param": null, "code": null}}\n\n'

    def _settle(self, counts: Counts | None) -> None:
        self._response.close()
        if self.status >= 400 and counts is None:
            self._held.release()  # refused: nothing was generated
            return
        self.usage = _usage(counts, self._worst)
        self.cost_usd = self._price.cost_usd(self.usage)
        self._held.settle(self.usage, self.cost_usd)


def _refused(source: Source, error: Exception) -> Refused:
    """Why a request did not get through to a model, as the client is told."""
    import aiohttp

    if isinstance(error, TimeoutError):
        return Refused(504, f"model {source.model!r} did not begin to answer in time.", "api_error")
    what = "cannot be reached" if isinstance(error, aiohttp.ClientConnectorError) else "broke the connection"
    return Refused(502, f"model {source.model!r} {what}: {error}.", "api_error")


def worst_of(request: Mapping[str, Any], most_output: int) -> Usage:
    """The most that a request can use: a token per byte of it, and every choice as long as it may be."""
    size = len(msgspec.json.encode(request)) + TOKENS_PER_MESSAGE * len(request["messages"]) + TOKENS_PER_PROMPT
    asked = [request.get(key) for key in ("max_completion_tokens", "max_tokens")]
    longest = min((value for value in asked if isinstance(value, int) and value > 0), default=most_output)
    n = request.get("n")
    return Usage(1, size, 0, longest * (n if isinstance(n, int) and n > 0 else 1))


def with_usage(request: Mapping[str, Any]) -> dict[str, Any]:
    """The request, asking for usage at the end of a stream."""
    options = request.get("stream_options")
    return {**request, "stream_options": {**(options if isinstance(options, dict) else {}), "include_usage": True}}


def _tail(data: bytes) -> _Tail:
    try:
        return msgspec.json.decode(data, type=_Tail)
    except msgspec.DecodeError:
        return _Tail()


def _counts(data: bytes) -> Counts | None:
    return _tail(data).usage


def _usage(counts: Counts | None, worst: Usage) -> Usage:
    """What was reported; the worst case, marked as a bound, where nothing was."""
    if counts is None or counts.prompt_tokens is None or counts.completion_tokens is None:
        return replace(worst, bounded=True)
    return usage_of(counts, reported_output(counts), worst.input_tokens, worst.output_tokens)
