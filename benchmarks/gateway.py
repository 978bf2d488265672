"""What a request costs in the gateway, beside a bare pass-through and LiteLLM's proxy: same upstream, same load, one run.

    python benchmarks/gateway.py [--litellm PYTHON] [--rounds 5] [--requests 300] [--streams 40]

Every server is a process of its own, and all are up at once; each round loads one after the other, so that other work
on the machine falls on all alike. CPU is user and system time of the server and its children, from /proc (Linux only), per request
or per stream of 50 chunks, with 8 clients at a time. Added latency is the median at one client less that of the upstream asked
directly. Three kinds of requests go to onedial: `by name`, handed on to the model that is named; `decided`, handed on to the one that
the fit chooses; `question`, a plain question that the fit decides, with one sample. All carry a key, and are reserved, counted and kept.
LiteLLM runs in its own environment (`pip install "litellm[proxy]"`), whose Python is given; without one it is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import aiohttp
import gateway_servers as servers

import onedial
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.runtime.store import Store

CLIENTS = 8
QUERIES = 120
PATIENCE_S = 180.0
TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")
ASKED = [{"role": "user", "content": "what is 2 plus 2 ? say it in words, and then say fifty more words about it ."}]


@dataclass
class Server:
    """A server under way, and when it was ready."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    ready_s: float = 0.0
    ready_cpu_s: float = 0.0


@dataclass
class Row:
    """What is sent to one server, and what was measured of it."""

    name: str
    server: Server
    body: dict[str, Any]
    request_ms: list[float] = field(default_factory=list)
    stream_ms: list[float] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)


def cpu_s(pid: int) -> float:
    """User and system seconds of a process, its dead children and its living ones."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(map(int, stat[11:15])) * TICK_S + sum(cpu_s(int(child)) for child in children)


def rss_mb(pid: int) -> float:
    """Resident memory of a process and its children."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    return own / 1024 + sum(rss_mb(int(child)) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def loaded(pid: int, library: str) -> bool:
    """Whether compiled parts of a library are in the process."""
    return library in Path(f"/proc/{pid}/maps").read_text()


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def _answers(port: int, path: str) -> bool:
    async with aiohttp.ClientSession() as session:
        try:
            async with session.get(f"http://127.0.0.1:{port}{path}") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False


def _env(alone: bool) -> dict[str, str]:
    """The environment, with what this process imports on the path; without any such thing where a server has its own."""
    found = os.environ | {"TEAM_KEY": servers.SECRET, "PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path if path)}
    return {name: value for name, value in found.items() if not (alone and name == "PYTHONPATH")}


def start(name: str, command: list[str], port: int, folder: Path, alive: str = "/healthz") -> Server:
    """Start a server, and wait until it answers."""
    begun, env = time.perf_counter(), _env(alone=name == "LiteLLM")
    with (folder / f"{name}.log").open("wb") as log:
        server = Server(name, subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=env), port)
    while not asyncio.run(_answers(port, alive)):
        if server.process.poll() is not None or time.perf_counter() - begun > PATIENCE_S:
            server.process.kill()
            raise RuntimeError(f"{name} does not start: {(folder / f'{name}.log').read_text()[-2000:]}")
        time.sleep(0.01)
    server.ready_s, server.ready_cpu_s = time.perf_counter() - begun, cpu_s(server.process.pid)
    return server


def fit(folder: Path) -> None:
    """Fit the two models on outcomes that are made up: the small one is nearly always right, and asking it twice tells nothing."""
    queries = [Query.of(f"what is {i} plus {i * 7 % 13} times {i % 5} ?", reference="four") for i in range(QUERIES)]
    outcomes = [
        Outcome(query.id, model, None, sample, float(right), "four" if right else "other", 20, 50, cost, 0.1, label_kind="reference")
        for i, query in enumerate(queries)
        for model, cost, right in (("small", 2e-5, i % 30 > 0), ("large", 2e-4, True))
        for sample in range(2)
    ]
    with onedial.load(folder / "onedial.toml") as dial:
        dial.folder.mkdir(parents=True)
        with Store.open(dial.store_path) as store:
            store.add_table(queries, outcomes)
        dial.fit()


async def _send(session: aiohttp.ClientSession, row: Row, stream: bool) -> float:
    """One request; its milliseconds until the last byte."""
    begun, url = time.perf_counter(), f"http://127.0.0.1:{row.server.port}{servers.PATH}"
    more = {"stream": True} if stream else {}
    async with session.post(url, json=row.body | more, headers={"Authorization": f"Bearer {servers.SECRET}"}) as response:
        data = await response.read()
        if response.status != 200 or b"word" not in data or (stream and b"[DONE]" not in data):
            raise RuntimeError(f"{row.name}: status {response.status}: {data[:500]!r}")
    return 1e3 * (time.perf_counter() - begun)


async def _load(row: Row, requests: int, clients: int, stream: bool = False) -> list[float]:
    """Milliseconds of each of so many requests, from clients that ask again at once."""
    left = iter(range(requests))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def client() -> list[float]:
            return [await _send(session, row, stream) for _ in left]

        return [one for found in await asyncio.gather(*(client() for _ in range(clients))) for one in found]


def _cpu_ms(row: Row, requests: int, stream: bool) -> float:
    before = cpu_s(row.server.process.pid)
    asyncio.run(_load(row, requests, CLIENTS, stream))
    return 1e3 * (cpu_s(row.server.process.pid) - before) / requests


def measure(rows: Sequence[Row], rounds: int, requests: int, streams: int) -> None:
    """Load every row in turn, so many times over, after a warm-up."""
    for row in rows:
        for stream in (False, True):
            asyncio.run(_load(row, 30, CLIENTS, stream))
    for _ in range(rounds):
        for row in rows:
            row.latencies_ms += asyncio.run(_load(row, requests // 3, 1))
            row.request_ms.append(_cpu_ms(row, requests, stream=False))
            row.stream_ms.append(_cpu_ms(row, streams, stream=True))


def import_ms(python: str, module: str) -> tuple[float, float]:
    """Least wall-clock and CPU milliseconds of an import, of five in fresh processes."""
    times = "time.perf_counter(), time.process_time()"
    code = f"import time; w, c = {times}; import {module}; w2, c2 = {times}; print(w2 - w, c2 - c)"
    runs = [subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, env=_env(False)) for _ in range(5)]
    wall, cpu = (1e3 * min(map(float, one)) for one in zip(*(run.stdout.split() for run in runs), strict=True))
    return wall, cpu


@contextmanager
def running(folder: Path, python: str) -> Iterator[list[Server]]:
    """The upstream and everything in front of it."""
    held: list[Server] = []
    try:
        port = free_port()
        held.append(start("upstream", servers.here("upstream", port), port, folder))
        url = f"http://127.0.0.1:{port}/v1"
        port = free_port()
        held.append(start("bare", servers.here("bare", port, "--upstream", url), port, folder))
        port = free_port()
        command = servers.ours(folder, port, url)
        fit(folder)
        held.append(start("onedial", command, port, folder))
        if python:
            port = free_port()
            held.append(start("LiteLLM", servers.litellm(folder, port, url, python), port, folder, "/health/liveliness"))
        yield held
    finally:
        for server in held:
            server.process.terminate()
            server.process.wait(30)


def rows_of(held: Sequence[Server]) -> list[Row]:
    """What is sent to whom."""
    by = {server.name: server for server in held}
    plain = {"model": "large", "messages": ASKED, "temperature": 0.5}
    rows = [Row("upstream, asked directly", by["upstream"], plain), Row("bare pass-through", by["bare"], plain)]
    rows.append(Row("onedial, by name", by["onedial"], plain))
    rows.append(Row("onedial, decided", by["onedial"], plain | {"model": "onedial"}))
    rows.append(Row("onedial, question", by["onedial"], {"model": "onedial", "messages": ASKED, "onedial": {"max_calls": 1}}))
    return rows + ([Row("LiteLLM", by["LiteLLM"], plain)] if "LiteLLM" in by else [])


def show(rows: Sequence[Row]) -> None:
    """Print what a request costs, and what a server does."""
    direct, base = (statistics.median(rows[0].latencies_ms), rows[1])
    print("| | CPU per request, ms | x bare | CPU per stream, ms | x bare | p50 at one client, ms | added, ms |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        request, stream, p50 = (statistics.median(found) for found in (row.request_ms, row.stream_ms, row.latencies_ms))
        times = (request / statistics.median(base.request_ms), stream / statistics.median(base.stream_ms))
        print(f"| {row.name} | {request:.2f} | {times[0]:.2f} | {stream:.2f} | {times[1]:.2f} | {p50:.2f} | {p50 - direct:+.2f} |")
    print("\n| server | start, s | CPU until ready, s | RSS after load, MB | scikit-learn in it |\n|---|---|---|---|---|")
    for server in {row.server.name: row.server for row in rows}.values():
        pid = server.process.pid
        learn = "yes" if loaded(pid, "sklearn") else "no"
        print(f"| {server.name} | {server.ready_s:.2f} | {server.ready_cpu_s:.2f} | {rss_mb(pid):.0f} | {learn} |")


def main() -> None:
    """Start all, load all, print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--litellm", default="", help="Python of an environment with litellm[proxy].")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=300, help="per row and round")
    parser.add_argument("--streams", type=int, default=40, help="per row and round")
    asked = parser.parse_args()
    if not asked.litellm:
        print('LiteLLM is left out: no --litellm PYTHON was given, of an environment with `pip install "litellm[proxy]"`.')
    fast = ", ".join(name for name in ("uvloop", "httptools") if find_spec(name)) or "no uvloop, no httptools"
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}, {fast}\n")
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), asked.litellm) as held:
        rows = rows_of(held)
        measure(rows, asked.rounds, asked.requests, asked.streams)
        show(rows)
    wall, cpu = import_ms(sys.executable, "onedial")
    print(f"\n`import onedial`: {wall:.0f} ms, of which {cpu:.0f} ms CPU; load now {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
