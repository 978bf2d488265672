"""A server that plays an OpenAI-compatible endpoint, faults included, and knows the true count of what it generated."""

import asyncio
import json
import re
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

from onedial.core.usage import Usage

KEY = "sk-right"


class Upstream:
    """One token per word, and one for the end of a text that was not cut.

    Attributes:
        faults: What to do with the next requests, in order; then all is well. A status, a (status, headers, body),
            or one of `hang`, `drop`, `truncate`, `garbage`, `no_choices`.
        texts: What is generated, choice after choice, over and over.
        bodies: Every request received.
        arrived, hanging: Set once a request is there; once one is generated and kept back.
        prompt_tokens, output_tokens: The true bill: all that was generated, whether it arrived or not.
        bills: The same as a usage per request that was generated.
        caches: Whether what a prompt shares with the beginning of one that has been answered before is billed as cached.
        thought: Tokens of hidden thought before every text.
        together: So many requests are answered at a time, each once they all are there; 1 is at once.
        listing: What is listed of every model besides its name.
        under_way, most_under_way: Requests that are there and not answered, now and at most.
    """

    def __init__(self):
        self.faults, self.texts, self.bodies = [], ["one two three", "four", "five six"], []
        self.prompt_tokens = self.output_tokens = self.cached_tokens = 0
        self.counts_one_choice = self.ignores_n = self.no_usage = self.plain_choices = False
        self.needs_key, self.cap_key, self.names, self.fields, self.url = False, "max_tokens", ["up"], {}, ""
        self.bills, self.caches, self.thought, self.together = [], False, 0, 1
        self.under_way = self.most_under_way = 0
        self.arrived, self.hanging = asyncio.Event(), asyncio.Event()
        self._next, self._read, self._barrier, self.listing = 0, [], None, {}

    @property
    def billed(self):
        return sum(self.bills, Usage())

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
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        data = json.dumps(self._generate(body)).encode()
        try:
            await self._all_there()
            return await self._deliver(request, fault, data)
        finally:
            self._read.append(_words(body))
            self.under_way -= 1

    async def _all_there(self):
        if self.together > 1:
            self._barrier = self._barrier or asyncio.Barrier(self.together)
            await self._barrier.wait()

    async def pooling(self, request):
        """Score a response, as a reward model does, for the price of the prompt."""
        body = await request.json()
        self.bodies.append(body)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, int):
            return web.json_response({"error": {"message": "busy"}}, status=fault)
        prompt = len(_words(body))
        self.prompt_tokens += prompt
        self.bills.append(Usage(1, prompt))
        reply = {"data": [{"data": [[0.4, 0.6]]}], **({} if self.no_usage else {"usage": {"prompt_tokens": prompt}})}
        return await self._deliver(request, fault, json.dumps(reply).encode())

    async def _deliver(self, request, fault, data):
        if fault == "hang":
            self.hanging.set()
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
        prompt = len(_words(body))
        choices, lengths, thoughts = zip(*(self._choice(body) for _ in range(n)), strict=True)
        self.prompt_tokens += prompt
        self.output_tokens += sum(lengths)
        cached = min(self.cached_tokens, prompt)
        if self.caches:
            cached = max((_shared(_words(body), words) for words in self._read), default=0)
        self.bills.append(Usage(1, prompt, cached, sum(lengths), sum(thoughts)))
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": lengths[-1] if self.counts_one_choice else sum(lengths),
            "prompt_tokens_details": {"cached_tokens": cached},
            **({"completion_tokens_details": {"reasoning_tokens": sum(thoughts)}} if self.thought else {}),
        }
        return {"choices": list(choices), **({} if self.no_usage else {"usage": usage}), **self.fields}

    def _choice(self, body):
        words = re.findall(r"\S+\s*", self.texts[self._next % len(self.texts)])
        self._next += 1
        cap = body[self.cap_key]
        thought, cut = min(self.thought, cap), self.thought + len(words) >= cap
        words = words[: cap - thought]
        length = thought + len(words) + (not cut)
        message = {"role": "assistant", "content": "".join(words).rstrip(" ")} | ({"reasoning_content": "hm " * thought} if thought else {})
        choice = {"message": message, "finish_reason": "length" if cut else "stop"}
        if body.get("logprobs") and not self.plain_choices:
            top = [{"token": "?", "logprob": -0.5 - 2 * i} for i in range(body.get("top_logprobs", 0))]
            choice["logprobs"] = {"content": [{"token": "?", "logprob": -0.5, **({"top_logprobs": top} if top else {})}] * length}
        return choice, length, thought

    async def models(self, request):
        return web.json_response({"object": "list", "data": [{"id": name, **self.listing} for name in self.names]})


def _words(body):
    return [word for message in body["messages"] for word in message["content"].split()]


def _shared(words, others):
    return next((i for i, pair in enumerate(zip(words, others, strict=False)) if pair[0] != pair[1]), min(len(words), len(others)))


@asynccontextmanager
async def served(played):
    """Serve it on this machine; its address is then in `url`."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", played.chat)
    app.router.add_post("/v1/pooling", played.pooling)
    app.router.add_get("/v1/models", played.models)
    async with TestServer(app) as server:
        played.url = str(server.make_url("/v1"))
        yield played
