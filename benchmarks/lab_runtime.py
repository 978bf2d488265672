"""Tokens per CPU-second: the embedded runtime beside llama.cpp, same weights, same prompts, one thread each.

Run: python benchmarks/lab_runtime.py [--models tiny small] [--folder DIR] [--asks 24] [--prompts 100]

Needs the extra `llamacpp`. Both sides read every prompt anew, sample at
temperature 1 and stop at `<eos>`. CPU time, not wall time, is compared, so a
busy machine does little harm; the two sides take turns, ask by ask. Ours
includes the client and the event loop; llama.cpp's is its server process,
HTTP included, in half precision. Tokens are counted from the texts.

The row with n = 8 and many prompts is ours alone: all of its prompts at every
effort in flight together, beginnings remembered. Our tokens are those of the
completions; what completions have in common is computed once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onedial.core.arm import Source
from onedial.core.ask import Failure, Sample
from onedial.core.query import Message
from onedial.lab import weights
from onedial.lab.client import EFFORTS, MAX_OUTPUT_TOKENS, LabClient
from onedial.lab.export import export_gguf
from onedial.lab.mix import Question, queries
from onedial.lab.tokenizer import encode

SIZES = (1, 8, 64)
LEVEL = "2"
MANY = 8
"""Completions per ask where many prompts are in flight."""

SERVER = """
import sys, time, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, slots = sys.argv[1], int(sys.argv[2])
params.n_ctx, params.n_parallel, params.port, params.warmup = 256 * slots, slots, 0, False
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = params.n_threads_http = 1
params.verbosity = -1
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
for line in sys.stdin:
    print(time.process_time(), flush=True)
"""


class LlamaCpp:
    """A llama.cpp server in a process of its own, which tells its CPU time."""

    def __init__(self, model: Path, slots: int) -> None:
        command = [sys.executable, "-c", SERVER, str(model), str(slots)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self._address = self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def cpu_s(self) -> float:
        """Return the CPU time the process has used, in seconds."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._line())

    def sample(self, prompt: str, n: int) -> int:
        """Ask for `n` completions and count their tokens."""
        body = {"prompt": f"{prompt}<think{LEVEL}>", "n": n, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}
        body |= {"max_tokens": MAX_OUTPUT_TOKENS, "cache_prompt": False}
        request = urllib.request.Request(f"{self._address}/v1/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as reply:
            choices: list[dict[str, Any]] = json.load(reply)["choices"]
        if len(choices) != n:
            raise SystemExit(f"llama.cpp returned {len(choices)} of {n} completions.")
        return sum(len(encode(choice["text"])) + (choice["finish_reason"] == "stop") for choice in choices)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


@dataclass(slots=True)
class Meter:
    """Tokens and the CPU time they took."""

    tokens: int = 0
    cpu_s: float = 0.0

    @property
    def speed(self) -> float:
        """Return tokens per CPU-second."""
        return self.tokens / max(self.cpu_s, 1e-9)


async def ask(client: LabClient, name: str, question: Question, n: int, level: str = LEVEL) -> int:
    """Ask the embedded model for `n` completions and count their tokens."""
    messages = (Message("user", question.example.prompt),)
    reply = await client.sample(Sample(question.id, Source(name, level), messages, n))
    if isinstance(reply, Failure):
        raise SystemExit(reply.message)
    return reply.usage.output_tokens


async def compare(name: str, folder: Path | None, n: int, asks: int) -> tuple[Meter, Meter]:
    """Take turns over `asks` prompts; the first few warm both sides up and do not count."""
    ours, theirs = Meter(), Meter()
    client = LabClient([name], folder=folder, prefix_bytes=0)
    with tempfile.TemporaryDirectory() as room:
        server = LlamaCpp(export_gguf(name, Path(room) / "model.gguf", folder), n)
        for turn, question in enumerate(queries(asks + 5, 77, "test")):
            begun = time.process_time()
            tokens = await ask(client, name, question, n)
            mine = Meter(tokens, time.process_time() - begun)
            begun = server.cpu_s()
            tokens = await asyncio.to_thread(server.sample, question.example.prompt, n)
            other = Meter(tokens, server.cpu_s() - begun)
            for total, part in ((ours, mine), (theirs, other)):
                if turn >= 5:
                    total.tokens += part.tokens
                    total.cpu_s += part.cpu_s
        server.close()
    await client.aclose()
    return ours, theirs


async def together(name: str, folder: Path | None, prompts: int) -> Meter:
    """Ask for every prompt at every effort at once."""
    client = LabClient([name], folder=folder)
    questions = queries(prompts, 77, "test")
    await ask(client, name, questions[0], 1)
    begun = time.process_time()
    tokens = await asyncio.gather(*(ask(client, name, each, MANY, effort.label) for each in questions for effort in EFFORTS))
    total = Meter(sum(tokens), time.process_time() - begun)
    await client.aclose()
    return total


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="*")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--asks", type=int, default=24)
    parser.add_argument("--prompts", type=int, default=100, help="prompts in flight together in the last row of each model")
    args = parser.parse_args()
    print("| model | n | ours tok/CPU-s | llama.cpp tok/CPU-s | ratio |\n|---|---|---|---|---|")
    for name in args.models or weights.find(args.folder):
        for n in SIZES:
            ours, theirs = asyncio.run(compare(name, args.folder, n, args.asks))
            print(f"| {name} | {n} | {ours.speed:,.0f} | {theirs.speed:,.0f} | {ours.speed / theirs.speed:.2f} |", flush=True)
        many = asyncio.run(together(name, args.folder, args.prompts))
        print(f"| {name} | {MANY}, {args.prompts} prompts x {len(EFFORTS)} efforts | {many.speed:,.0f} | | |", flush=True)


if __name__ == "__main__":
    main()
