"""The command line, run in this process on the smallest embedded model, and against a local endpoint that plays up on demand."""

import asyncio
import json
import shutil
import threading

import pytest
from typer.testing import CliRunner

from onedial.apps.cli import app
from upstream import Upstream, served


def onedial(*arguments, data=None, stdin=None):
    """Run one command; what it did is in `exit_code`, `stdout` and `stderr`."""
    before = [] if data is None else ["--data", str(data)]
    result = CliRunner().invoke(app, [*before, *map(str, arguments)], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def read(*arguments, **options):
    """Run one command with --json and read what it prints."""
    result = onedial(*arguments, "--json", **options)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No configuration of the folder that the tests are started in."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def fitted(tmp_path_factory):
    """A data folder with outcomes of the smallest model, and a fit. Not to be written to."""
    folder = tmp_path_factory.mktemp("fitted")
    assert onedial("collect", "--lab", 60, "--samples", 2, "--models", "tiny", data=folder).exit_code == 0
    assert onedial("fit", data=folder).exit_code == 0
    return folder


@pytest.fixture
def own(fitted, tmp_path):
    """A copy of it to do with as one likes."""
    return shutil.copytree(fitted, tmp_path / "own")


@pytest.fixture
def upstream():
    """An endpoint served from a thread of its own, since a command has its own event loop."""
    played, ready, end = Upstream(), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve():
        async with served(played):
            ready.set()
            await end.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait()
    yield played
    loop.call_soon_threadsafe(end.set)
    thread.join()
    loop.close()


@pytest.fixture
def config(tmp_path, upstream):
    """A configuration file for that endpoint; more is written after its one model."""

    def write(more="", model=""):
        path = tmp_path / "onedial.toml"
        path.write_text(
            f'[[models]]\nname = "up"\nurl = "{upstream.url}"\nprice = {{ input = 1, output = 2 }}\nretries = 0\n{model}\n'
            f"max_output_tokens = 8\n{more}"
        )
        return path

    return write


@pytest.fixture
def prompts(tmp_path):
    """A file of prompts to which the answer is four."""

    def write(n=60):
        path = tmp_path / "prompts.jsonl"
        path.write_text("".join(json.dumps({"prompt": f"what is {i} ?", "reference": "four"}) + "\n" for i in range(n)))
        return path

    return write
