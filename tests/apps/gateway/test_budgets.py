"""Caps per period and rates of keys, and what is spent of them kept on disk."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager, suppress

import aiohttp
import pytest

from onedial.apps.gateway.keys import Doorkeeper, Key
from onedial.apps.gateway.purse import Purse, Rate
from onedial.apps.gateway.trouble import Refused
from onedial.core.errors import ConfigError, TableError
from onedial.core.usage import Usage
from onedial.runtime.config import load_config
from onedial.runtime.ledger import Budget, Grant
from onedial.runtime.spend_book import SpendBook
from requests_to import post, said

BODY = {"model": "far", "messages": [{"role": "user", "content": "hello"}]}
KEY = {"Authorization": "Bearer sk-a"}
KILLED = """
import asyncio, sys
from pathlib import Path
from onedial.apps.gateway.purse import Purse
from onedial.core.usage import Usage
from onedial.runtime.ledger import Budget, Grant
from onedial.runtime.spend_book import SpendBook
async def main():
    book = SpendBook.open(Path(sys.argv[1]))
    grant = Purse("a", Grant(), Budget(calls=9), "day", book, lambda: 0.0).grant
    for _ in range(3):
        grant.reserve(Usage(1, 10), 0.5).settle(Usage(1, 4), 0.25)
        await book.kept()
    grant.reserve(Usage(1, 10), 0.5)
    print("held", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


def test_a_thousand_requests_at_once_never_pass_the_cap(relayed, serve, upstream, tmp_path):
    book = SpendBook.open(tmp_path / "spent.db")

    def door(grant):
        return Doorkeeper([Key("a", "sk-a", Purse("a", grant, Budget(calls=50), "month", book))], grant, book)

    async def load(url):
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200)) as session:

            async def ask(_):
                async with session.post(url + "/v1/chat/completions", json=BODY, headers=KEY) as reply:
                    await reply.read()
                    return reply.status

            return await asyncio.gather(*map(ask, range(1000)))

    with serve(relayed(door)) as url:
        statuses = asyncio.run(load(url))
        _, data, headers = post(url, BODY, **KEY)
    assert (statuses.count(200), statuses.count(429), len(upstream.bodies)) == (50, 950, 50)
    assert said(data)["code"] == "insufficient_quota" and "0 calls are left" in said(data)["message"]
    assert int(headers["retry-after"]) >= 1


def test_a_killed_process_loses_nothing_settled_and_holds_nothing(tmp_path):
    path = tmp_path / "spent.db"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ) as process:
        assert process.stdout.readline() == b"held\n"
        process.send_signal(signal.SIGKILL)
    book = SpendBook.open(path)
    grant = Purse("a", Grant(), Budget(calls=9), "day", book, lambda: 0.0).grant
    assert grant.spent.usd == 0.75 and grant.usage == Usage(3, 12)
    assert grant.reserved.calls == 0 and grant.left.calls == 6
    book.close()


def test_a_period_begins_anew_and_late_costs_count_where_they_began(tmp_path):
    now, book = [86_399.0], SpendBook.open(tmp_path / "spent.db")
    purse = Purse("a", Grant(), Budget(calls=2), "day", book, lambda: now[0])
    held = purse.grant.reserve(Usage(1), 0.1)
    purse.grant.reserve(Usage(1), 0.1).settle(Usage(1), 0.1)
    assert purse.refusal(ConfigError("full")).retry_after_s == 1
    now[0] = 86_400.0
    assert purse.grant.left.calls == 2
    held.settle(Usage(1), 0.1)
    assert purse.grant.spent.calls == 0
    book.close()
    again = SpendBook.open(tmp_path / "spent.db")
    assert (again.read("a", "1970-01-01")[0].calls, again.read("a", "1970-01-02")[0].calls) == (2, 0)
    again.close()


def test_a_rate_holds_for_any_minute():
    now = [0.0]
    rate = Rate(2, lambda: now[0])
    rate.take()
    now[0] = 50.0
    rate.take()
    with pytest.raises(Refused, match="2 requests a minute") as refused:
        rate.take()
    assert refused.value.retry_after_s == 10
    now[0] = 60.0
    rate.take()


def test_a_book_is_not_opened_over_anything_else(tmp_path):
    path = tmp_path / "spent.db"
    path.write_text(json.dumps(["not a database"] * 100))
    with pytest.raises(TableError, match="Move it away"):
        SpendBook.open(path)


@pytest.mark.parametrize(
    ("line", "words"),
    [('per = "week"\ncap_usd = 1', "per"), ('per = "day"', "period of no cap"), ("requests_per_minute = 0", "requests_per_minute")],
)
def test_values_that_cannot_be_are_named(tmp_path, line, words):
    path = tmp_path / "onedial.toml"
    path.write_text(f'[[serve.keys]]\nname = "a"\nenv = "A"\n{line}\n')
    with pytest.raises(ConfigError, match=words):
        load_config(path)


CONFIG = """
[[models]]
name = "far"
url = "{url}"
model = "up"
price = {{input = 1.0, output = 4.0}}
[[serve.keys]]
name = "a"
env = "KEY_A"
cap_calls = 2
"""


@contextmanager
def killed_at_the_end(folder):
    """The address of `onedial serve` in a process of its own."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    options = ["--config", str(folder / "onedial.toml"), "serve", "--port", str(port)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "KEY_A": "sk-a"}
    command = [sys.executable, "-c", "from onedial.apps.cli import main; main()", *options]
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def test_a_killed_gateway_still_knows_what_a_key_spent(upstream, tmp_path):
    (tmp_path / "onedial.toml").write_text(CONFIG.format(url=upstream.url))
    with killed_at_the_end(tmp_path) as url:
        assert post(url, BODY, **KEY)[0] == 200
    with killed_at_the_end(tmp_path) as url:
        with urllib.request.urlopen(url + "/metrics", timeout=20) as response:
            assert b'onedial_spent_usd{key="a"} 2.3e-05' in response.read()
        assert [post(url, BODY, **KEY)[0] for _ in range(2)] == [200, 402]
