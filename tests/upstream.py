"""A server that plays an OpenAI-compatible endpoint, faults included, and knows the true count of what it generated."""

import asyncio
import json
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

KEY = "sk-right"


class Upstream:
    """One token per word, and one for the end of a text that was not cut.

    Attributes:
        faults: What to do with the next requests, in order; then all is well. A status, a (status, headers, body),
            or one of `hang`, `drop`, `truncate`, `garbage`, `no_choices`.
        texts: What is generated, choice after choice, over and over.
        bodies: Every request received.
        arrived: Set once a request is there.
        prompt_tokens, output_tokens: The true bill: all that was generated, whether it arrived or not.
    """

    def __init__(self):
        self.faults, self.texts, self.bodies = [], ["one two three", "four", "five six"], []
        self.prompt_tokens = self.output_tokens = self.cached_tokens = 0
        self.counts_one_choice = self.ignores_n = self.no_usage = self.plain_choices = False
        self.needs_key, self.cap_key, self.names, self.fields, self.url = False, "max_tokens", ["up"], {}, ""
        self.arrived = asyncio.Event()
        self._next = 0

    async def chat(self, request):
        body = await request.json()
        self.bodies.append(body)
        self.arrived.set()
        if self.needs_key and request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"error": {"message": f"bad key {request.headers.get('Authorization')}"}}, status=401)
        if body["model"] not in self.names:
            return web.json_response({"error": {"message": "no such model"}}, status=404)
        if self.cap_key not in body:
            message = f"Unsupported parameter: 'max_tokens'. Use '{self.cap_key}' instead."
            return web.json_response({"error": {"message": message, "param": "max_tokens"}}, status=400)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, int):
            return web.json_response({"error": {"message": "busy"}}, status=fault)
        if isinstance(fault, tuple):
            status, headers, text = fault
            return web.Response(status=status, headers=headers, text=text)
        return await self._deliver(request, fault, json.dumps(self._generate(body)).encode())

    async def _deliver(self, request, fault, data):
        if fault == "hang":
            await asyncio.sleep(30)
        if fault == "drop":
            request.transport.close()
        if fault == "truncate":
            response = web.StreamResponse(headers={"Content-Length": str(len(data))})
            await response.prepare(request)
            await response.write(data[: len(data) // 2])
            request.transport.close()
            return response
        data = {"garbage": b"<html>oops</html>", "no_choices": b'{"choices": []}'}.get(fault, data)
        return web.Response(body=data, content_type="application/json")

    def _generate(self, body):
        n = 1 if self.ignores_n else body.get("n", 1)
        prompt = sum(len(message["content"].split()) for message in body["messages"])
        choices, lengths = zip(*(self._choice(body) for _ in range(n)), strict=True)
        self.prompt_tokens += prompt
        self.output_tokens += sum(lengths)
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": lengths[-1] if self.counts_one_choice else sum(lengths),
            "prompt_tokens_details": {"cached_tokens": min(self.cached_tokens, prompt)},
        }
        return {"choices": list(choices), **({} if self.no_usage else {"usage": usage}), **self.fields}

    def _choice(self, body):
        words = self.texts[self._next % len(self.texts)].split()
        self._next += 1
        cut = len(words) >= body[self.cap_key]
        words = words[: body[self.cap_key]]
        length = len(words) + (not cut)
        choice = {"message": {"role": "assistant", "content": " ".join(words)}, "finish_reason": "length" if cut else "stop"}
        if body.get("logprobs") and not self.plain_choices:
            top = [{"token": "?", "logprob": -0.5 - 2 * i} for i in range(body.get("top_logprobs", 0))]
            choice["logprobs"] = {"content": [{"token": "?", "logprob": -0.5, **({"top_logprobs": top} if top else {})}] * length}
        return choice, length

    async def models(self, request):
        return web.json_response({"object": "list", "data": [{"id": name} for name in self.names]})


@asynccontextmanager
async def served(played):
    """Serve it on this machine; its address is then in `url`."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", played.chat)
    app.router.add_get("/v1/models", played.models)
    async with TestServer(app) as server:
        played.url = str(server.make_url("/v1"))
        yield played
