"""The routes. Shapes are in `chat`, what is done in `gateway`, errors in `trouble`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from onedial.apps.gateway import chat, messages, responses
from onedial.apps.gateway.asking import NAME
from onedial.apps.gateway.decisions import new_name
from onedial.apps.gateway.forms import BEAT, CHAT, MESSAGES, RESPONSES, Form
from onedial.apps.gateway.gateway import Answered, Gateway
from onedial.apps.gateway.keys import Key
from onedial.apps.gateway.relay import END
from onedial.apps.gateway.trouble import Refused, described
from onedial.apps.gateway.watch import CONTENT_TYPE
from onedial.core.errors import BudgetExhausted, OnedialError
from onedial.core.version import __version__

BEAT_S = 1.0
STREAM = "text/event-stream"
log = logging.getLogger("onedial.gateway")
Handler = Callable[[Request], Awaitable[Response]]


def app_of(gateway: Gateway) -> Starlette:
    """The application: every route, and the pool closed at the end."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await gateway.dial.aclose()
        gateway.door.close()

    routes = _Routes(gateway)
    listed: list[tuple[str, str, Handler]] = [
        ("/v1/chat/completions", "POST", routes.chat),
        ("/v1/messages", "POST", routes.messages),
        ("/v1/responses", "POST", routes.responses),
        ("/v1/decide", "POST", routes.decide),
        ("/v1/feedback", "POST", routes.feedback),
        ("/v1/decisions/{name}", "GET", routes.decision),
        ("/v1/models", "GET", routes.models),
        ("/metrics", "GET", routes.metrics),
        ("/healthz", "GET", routes.alive),
        ("/readyz", "GET", routes.ready),
    ]
    return Starlette(
        routes=[Route(path, _guarded(gateway, path, handler), methods=[method]) for path, method, handler in listed],
        exception_handlers={404: _no_route, 405: _no_route},
        lifespan=lifespan,
    )


def _json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), status, headers, "application/json")


async def _no_route(request: Request, _: Exception) -> Response:
    status, body = described(Refused(404, f"there is no {request.method} {request.url.path} here.", code="not_found"))
    return _json(body, status)


def _form_of(path: str) -> Form:
    forms: dict[str, Form] = {"/v1/messages": MESSAGES, "/v1/responses": RESPONSES}
    return forms.get(path, CHAT)


def _guarded(gateway: Gateway, path: str, handler: Handler) -> Handler:
    """Every error becomes an error of the protocol; what nobody foresaw is logged, and not told. All are counted."""
    form = _form_of(path)

    async def counted(request: Request) -> Response:
        begun = time.perf_counter()
        response = await handle(request)
        gateway.watch.responded(path, response.status_code, time.perf_counter() - begun)
        return response

    async def handle(request: Request) -> Response:
        headers: dict[str, str] = {}
        try:
            response = await handler(request)
            await gateway.door.kept()  # an answer whose cost could be lost is not given
            return response
        except ClientDisconnect:
            return Response(status_code=499)
        except (OnedialError, Refused) as error:
            status, body = described(error)
            if isinstance(error, Refused) and error.retry_after_s is not None:
                headers["retry-after"] = str(error.retry_after_s)
        except Exception as error:  # the last line of defence: a server answers
            log.exception("%s %s failed", request.method, request.url.path)
            status, body = described(error)
        return Response(form.whole(status, msgspec.json.encode(body)), status, headers, media_type="application/json")

    return counted


class _Routes:
    """A handler per route."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def chat(self, request: Request) -> Response:
        """Answer a chat request, or hand it on."""
        key = self._admitted(request)
        return await self._respond(request, key, chat.decode(await request.body()), CHAT)

    async def messages(self, request: Request) -> Response:
        """The same in the format of Anthropic's messages."""
        key = self._admitted(request)
        return await self._respond(request, key, messages.to_chat(chat.decode(await request.body())), MESSAGES)

    async def responses(self, request: Request) -> Response:
        """The same in the format of OpenAI's responses."""
        key = self._admitted(request)
        return await self._respond(request, key, responses.to_chat(chat.decode(await request.body())), RESPONSES)

    def _admitted(self, request: Request) -> Key:
        return self._gateway.door.admit(request.headers)

    async def _respond(self, request: Request, key: Key, found: dict[str, Any], form: Form) -> Response:
        gateway, name, found = self._gateway, new_name(), chat.checked(found)
        if key.rate is not None:
            key.rate.take()
        wish = gateway.asked(found, request.headers)
        query = gateway.question(found)
        sources = gateway.targets(found, query, wish)
        options = found.get("stream_options")
        wants_usage = form.wants_usage or (isinstance(options, dict) and bool(options.get("include_usage")))
        if query is None or sources:
            try:
                handed = await gateway.relay(name, sources, found, key)
            except BudgetExhausted as error:
                raise key.refusal(error) from None
            relay, told = handed.relay, {**_named(name), "x-onedial-arm": str(handed.source)}
            if handed.skipped:
                told["x-onedial-skipped"] = "; ".join(handed.skipped).encode("ascii", "replace").decode().replace("\n", " ")
            if found.get("stream") and relay.status == 200:
                return StreamingResponse(form.stream(relay.events(wants_usage)), media_type=STREAM, headers=told)
            data = form.whole(relay.status, await relay.whole())
            return Response(data, relay.status, {**told, "x-onedial-cost-usd": f"{relay.cost_usd:.6g}"}, "application/json")
        if wish.objective is not None:
            gateway.promise(wish.objective)  # what cannot be promised is refused before a stream begins
        work = asyncio.create_task(gateway.answer(name, query, wish, key))
        if found.get("stream"):
            return StreamingResponse(form.stream(_streamed(name, work, wants_usage)), media_type=STREAM, headers=_named(name))
        try:
            model, text, usage, said = await _while_there(request, work)
        except BudgetExhausted as error:
            raise key.refusal(error) from None
        whole = msgspec.json.encode(chat.response(name, model, text, usage, said))
        return Response(form.whole(200, whole), 200, _named(name, said), "application/json")

    async def decide(self, request: Request) -> Response:
        """Say what would be done."""
        self._admitted(request)
        found = chat.read(await request.body())
        return _json(self._gateway.decide(found, self._gateway.asked(found, request.headers)))

    async def feedback(self, request: Request) -> Response:
        """Take the score of an answer."""
        key = self._admitted(request)
        found = _feedback(await request.body())
        one = self._gateway.decisions.of(found.id, key.name)
        if one is None:
            raise Refused(404, f"there is no request {found.id!r} of yours among the latest.", code="not_found")
        await asyncio.to_thread(self._gateway.learn, one, found.score)
        return _json({"id": found.id, "score": found.score, "stored": True})

    async def decision(self, request: Request) -> Response:
        """Say why."""
        key = self._admitted(request)
        name = str(request.path_params["name"])
        one = self._gateway.decisions.of(name, key.name)
        if one is None:
            raise Refused(404, f"there is no request {name!r} of yours among the latest.", code="not_found")
        return _json({"id": name, "onedial": one.said})

    async def models(self, request: Request) -> Response:
        """List what can be asked by name: onedial, and every model at every effort."""
        self._admitted(request)
        names = [NAME, *(str(source) for source in self._gateway.dial.sources)]
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": NAME} for name in names]
        return _json({"object": "list", "data": listed})

    async def metrics(self, _: Request) -> Response:
        """Tell Prometheus."""
        return Response(self._gateway.watch.page(), media_type=CONTENT_TYPE)

    async def alive(self, _: Request) -> Response:
        """Say that the process answers."""
        return _json({"status": "ok", "version": __version__})

    async def ready(self, _: Request) -> Response:
        """Say whether the default goal can be served."""
        try:
            promised = self._gateway.promise(self._gateway.default)
        except OnedialError as error:
            return _json({"status": "not ready", "reason": str(error)}, 503)
        return _json({"status": "ready", "promise": promised.sentence})


class _Feedback(msgspec.Struct):
    """What is told of an answer: its request id, and its score in [0, 1]."""

    id: str
    score: float


def _feedback(body: bytes) -> _Feedback:
    try:
        found = msgspec.json.decode(body, type=_Feedback)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Refused(400, f'feedback is not understood ({error}); expected {{"id": "chatcmpl-...", "score": 0.0 to 1.0}}.') from None
    if not 0.0 <= found.score <= 1.0:
        raise Refused(400, f"score is {found.score}; expected a number from 0 to 1.")
    return found


def _named(name: str, said: dict[str, Any] | None = None) -> dict[str, str]:
    more = {} if said is None else {"x-onedial-arm": str(said["arm"]), "x-onedial-cost-usd": f"{said['cost_usd']:.6g}"}
    return {"x-request-id": name, **more}


async def _while_there(request: Request, work: asyncio.Task[Answered]) -> Answered:
    """The result of some work, which is cancelled if the client leaves: then what was used is settled, and no more is bought."""
    try:
        while not (await asyncio.wait({work}, timeout=BEAT_S))[0]:
            if await request.is_disconnected():
                raise ClientDisconnect
        return work.result()
    finally:
        work.cancel()


async def _streamed(name: str, work: asyncio.Task[Answered], usage_wanted: bool) -> AsyncIterator[bytes]:
    """Heartbeats until the answer is there, then its chunks; an error is an event, and never a clean end."""
    try:
        while not (await asyncio.wait({work}, timeout=BEAT_S))[0]:
            yield BEAT
        model, text, usage, said = work.result()
        for chunk in chat.chunks(name, model, text, usage if usage_wanted else None, said):
            yield chat.event(chunk)
        yield END + b"\n\n"
    except (OnedialError, Refused) as error:
        yield chat.event(described(error)[1])
    finally:
        work.cancel()
