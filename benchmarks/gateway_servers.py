"""What `gateway.py` measures and measures against: the upstream, the bare pass-through, and how every server is started.

    python benchmarks/gateway_servers.py upstream --port 9000
    python benchmarks/gateway_servers.py bare --port 9001 --upstream http://127.0.0.1:9000/v1

The upstream says the same words to every request, in one piece or in 50 chunks, and reports its usage.
The bare pass-through is Starlette on uvicorn with an aiohttp client that forwards bytes: no key, no count, no decision.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

CHUNKS = 50
SECRET = "sk-benchmark"
MODELS = ("small", "large")
PATH = "/v1/chat/completions"
EVENTS = "text/event-stream"
USAGE = {"prompt_tokens": 40, "completion_tokens": CHUNKS, "total_tokens": 40 + CHUNKS}
WORDS = ["four ", *["word "] * (CHUNKS - 1)]


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def _whole() -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": "".join(WORDS)}, "finish_reason": "stop"}
    return json.dumps({"id": "u", "object": "chat.completion", "created": 1, "model": "up", "choices": [choice], "usage": USAGE}).encode()


def _pieces() -> list[bytes]:
    base = {"id": "u", "object": "chat.completion.chunk", "created": 1, "model": "up"}
    said = [base | {"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]} for word in WORDS]
    said[-1]["choices"][0]["finish_reason"] = "stop"
    return [*map(_event, said), _event(base | {"choices": [], "usage": USAGE}) + b"data: [DONE]\n\n"]


def upstream() -> Starlette:
    """The same words to everyone; each chunk is a write of its own."""
    whole, pieces = _whole(), _pieces()

    async def stream() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    async def chat(request: Request) -> Response:
        if b'"stream":true' in (await request.body()).replace(b" ", b""):
            return StreamingResponse(stream(), media_type=EVENTS)
        return Response(whole, media_type="application/json")

    return Starlette(routes=[Route(PATH, chat, methods=["POST"]), Route("/healthz", _alive)])


def bare(url: str) -> Starlette:
    """Bytes there, bytes back."""
    held: list[aiohttp.ClientSession] = []

    async def chat(request: Request) -> Response:
        if not held:
            held.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        body, kind = await request.body(), {"Content-Type": "application/json"}
        response = await held[0].post(url + "/chat/completions", data=body, headers=kind)
        if response.content_type == EVENTS:
            return StreamingResponse(response.content.iter_any(), response.status, media_type=EVENTS)
        return Response(await response.read(), response.status, media_type="application/json")

    return Starlette(routes=[Route(PATH, chat, methods=["POST"]), Route("/healthz", _alive)])


async def _alive(_: Request) -> Response:
    return Response(b"ok")


def here(role: str, port: int, *more: str) -> list[str]:
    """How a server of this file is started."""
    return [sys.executable, __file__, role, "--port", str(port), *more]


def ours(folder: Path, port: int, url: str) -> list[str]:
    """How onedial is started: two models at the upstream, a key with a cap, a fit in the folder."""
    models = "".join(
        f'[[models]]\nname = "{name}"\nurl = "{url}"\nmodel = "up"\nprice = {{ input = {price}, output = {4 * price} }}\n'
        for name, price in zip(MODELS, (0.1, 1.0), strict=True)
    )
    keys = '[serve]\nwithin = 0.1\n[[serve.keys]]\nname = "team"\nenv = "TEAM_KEY"\ncap_usd = 1000.0\n'
    (folder / "onedial.toml").write_text(models + '[store]\npath = "data/outcomes.db"\n' + keys)
    code = "from onedial.apps.cli import main; main()"
    return [sys.executable, "-c", code, "--config", str(folder / "onedial.toml"), "serve", "--port", str(port)]


def litellm(folder: Path, port: int, url: str, python: str) -> list[str]:
    """How LiteLLM's proxy is started in its own environment: one worker, a key, prices, no telemetry."""
    entries = "".join(
        f"  - model_name: {name}\n    litellm_params: {{model: openai/up, api_base: '{url}', api_key: x, "
        f"input_cost_per_token: {price}e-6, output_cost_per_token: {4 * price}e-6}}\n"
        for name, price in zip(MODELS, (0.1, 1.0), strict=True)
    )
    settings = f"general_settings: {{master_key: {SECRET}}}\nlitellm_settings: {{telemetry: false}}\n"
    (folder / "litellm.yaml").write_text("model_list:\n" + entries + settings)
    code = "from litellm.proxy.proxy_cli import run_server; run_server()"
    place = ["--config", str(folder / "litellm.yaml"), "--host", "127.0.0.1", "--port", str(port)]
    return [python, "-c", code, *place, "--num_workers", "1"]


def main() -> None:
    """Serve the upstream or the bare pass-through."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("role", choices=("upstream", "bare"))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", default="")
    asked = parser.parse_args()
    app = upstream() if asked.role == "upstream" else bare(asked.upstream)
    uvicorn.run(app, host="127.0.0.1", port=asked.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
