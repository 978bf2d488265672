"""The gateway, served from a thread of its own, in front of the smallest embedded model or of an endpoint that can be told to misbehave."""

import asyncio
import json
import threading
from contextlib import contextmanager

import pytest
import uvicorn
from aiohttp import web
from aiohttp.test_utils import TestServer

from onedial.apps.gateway.app import app_of
from onedial.apps.gateway.gateway import Gateway
from onedial.apps.gateway.keys import Doorkeeper
from onedial.apps.workspace import embedded
from onedial.core.model import Effort, Model
from onedial.core.objective import Objective
from onedial.core.usage import Price
from onedial.engine.dial import Dial
from onedial.engine.settings import Settings
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.openai import OpenAIClient
from onedial.runtime.pool import Pool
from onedial.strategies.draw import Reading

WORDS = ["one", " two", " three"]
USAGE = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}


class Endless:
    """An endpoint that says three words; `faults` are for the next requests, `fault` for all others."""

    def __init__(self):
        self.bodies, self.fault, self.faults, self.url, self.usage = [], None, [], "", USAGE

    async def chat(self, request):
        body = await request.json()
        self.bodies.append(body)
        fault = self.faults.pop(0) if self.faults else self.fault
        if isinstance(fault, int):
            return web.json_response({"error": {"message": "busy", "type": "rate_limit_error"}}, status=fault)
        if not body.get("stream"):
            message = {"role": "assistant", "content": "".join(WORDS), "tool_calls": body.get("tools")}
            whole = {"id": "u", "object": "chat.completion", "created": 1, "model": body["model"], "odd": {"kept": 1}, "usage": self.usage}
            return web.json_response(whole | {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        base = {"id": "u", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
        for i, word in enumerate(WORDS):
            if self.fault == "truncate" and i == 2:
                request.transport.close()
                return response
            delta = base | {"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]}
            await response.write(b"data: " + json.dumps(delta).encode() + b"\n\n")
        if body.get("stream_options", {}).get("include_usage"):
            await response.write(b"data: " + json.dumps(base | {"choices": [], "usage": self.usage}).encode() + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        return response


@contextmanager
def in_thread(start, end):
    """Run `start()` on a loop in a thread, then `end()` when done."""
    loop, ready = asyncio.new_event_loop(), threading.Event()

    def run():
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        ready.set()
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


@contextmanager
def served(gateway):
    """The address of a gateway that is being served."""
    server = uvicorn.Server(uvicorn.Config(app_of(gateway), host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.01)
    assert server.started
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def lab(own):
    """A gateway in front of the smallest embedded model, with a fit that knows it; its dial, and its address."""
    dial = embedded(own)
    gateway = Gateway(dial, Objective(within=0.1), Doorkeeper([], dial.grant))
    with served(gateway) as url:
        yield gateway, url


@pytest.fixture
def upstream():
    """An endpoint in a thread."""
    played = Endless()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", played.chat)
    server = TestServer(app)

    async def start():
        await server.start_server()
        played.url = str(server.make_url("/v1"))

    with in_thread(start, server.close):
        yield played


@pytest.fixture
def relayed(upstream, tmp_path):
    """A gateway in front of that endpoint, with nothing fitted; its dial's grant can be capped."""

    def open_(door=None):
        model = Model("far", Price(1.0, 4.0), (Effort("low"),), 4000, 100, frozenset())
        endpoint = Endpoint(model, upstream.url, "up", effort_bodies={"low": {"reasoning_effort": "low"}}, retries=0)
        dial = Dial(Pool([OpenAIClient([endpoint])]), tmp_path, Settings(Reading(), lambda query, answer: None))
        return Gateway(dial, Objective(within=0.1), (door or (lambda grant: Doorkeeper([], grant)))(dial.grant))

    return open_


@pytest.fixture
def serve():
    """How to serve a gateway of one's own."""
    return served


@pytest.fixture
def client():
    """How to open an official OpenAI client of an address; all are closed at the end."""
    openai = pytest.importorskip("openai")
    opened = []

    def connect(url):
        opened.append(openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=30))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()
