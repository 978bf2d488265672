"""A llama.cpp server with the embedded models, in a process of its own: what a user would start, and its counters of what it did."""

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from urllib.request import Request, urlopen

from onedial.lab.client import LabClient
from onedial.lab.export import export_gguf

PROGRAM = Path(__file__).with_name("llama_cpp_server.py")
READY_S = 60.0
MODEL = """
[[models]]
name = "{name}"
url = "{url}/v1"
price = {{ input = {price.input_usd_per_mtok!r}, output = {price.output_usd_per_mtok!r}, cached = {price.cached_usd_per_mtok!r} }}
context_tokens = {model.context_tokens}
max_output_tokens = {model.max_output_tokens}
capabilities = {capabilities}
thinking_end = "<ans>"
usage_counts_one_choice = true
"""
EFFORT = """
[models.efforts.{label}]
body = {{ chat_template_kwargs = {{ budget = "{label}" }} }}
"""


@dataclass(frozen=True)
class Counters:
    """Tokens that a server has read anew, found in its cache, and written, since it was started."""

    read: int = 0
    cached: int = 0
    written: int = 0

    def __add__(self, other):
        return Counters(self.read + other.read, self.cached + other.cached, self.written + other.written)

    def __sub__(self, other):
        return Counters(self.read - other.read, self.cached - other.cached, self.written - other.written)


@dataclass(frozen=True)
class Engine:
    """A running server for each of some embedded models."""

    urls: dict[str, str]

    def post(self, name, path, **body):
        """Send JSON to the server of a model and return what it answers."""
        request = Request(self.urls[name] + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urlopen(request) as reply:
            return json.load(reply)

    def counters(self, *names):
        """What the servers of these models, else of all, have counted themselves, whatever they wrote into their replies."""
        return sum((self._counters(name) for name in names or self.urls), Counters())

    def _counters(self, name):
        with urlopen(self.urls[name] + "/metrics") as reply:
            lines = [line.split() for line in reply.read().decode().splitlines() if line.startswith("llamacpp:")]
        found = {key.removeprefix("llamacpp:"): int(float(value)) for key, value in lines}
        return Counters(found["prompt_tokens_total"], found["prompt_tokens_cached_total"], found["tokens_predicted_total"])

    def toml(self, names=None, capabilities=("n", "logprobs", "seed", "continue", "cache")):
        """`[[models]]` of a configuration file that names these servers, priced as the embedded models are."""
        models, text = LabClient(names or self.urls).models, ""
        for name, model in models.items():
            text += MODEL.format(name=name, url=self.urls[name], price=model.price, model=model, capabilities=json.dumps(capabilities))
            text += "".join(EFFORT.format(label=effort.label) for effort in model.efforts)
        return text


@contextmanager
def served(names, folder):
    """Export the models to a folder and serve them until the block ends; the process ends with this one in any case."""
    files = {name: str(export_gguf(name, Path(folder) / f"{name}.gguf")) for name in names}
    with (Path(folder) / "server.log").open("wb") as log:
        command = [sys.executable, PROGRAM, json.dumps(files)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
    try:
        yield Engine(json.loads(_first_line(process, Path(folder) / "server.log")))
    finally:
        process.kill()
        process.communicate()


def _first_line(process, log):
    with DefaultSelector() as ready:
        ready.register(process.stdout, EVENT_READ)
        line = process.stdout.readline() if ready.select(READY_S) else b""
    if not line:
        raise RuntimeError(f"llama.cpp was not ready within {READY_S:g} s; it said: {log.read_text(errors='replace')[-2000:] or 'nothing'}")
    return line
