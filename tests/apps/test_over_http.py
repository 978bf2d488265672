"""The embedded weights behind a real HTTP server: what any user's endpoint gets, held against the same weights in process."""

import asyncio
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from onedial.apps.cli import app
from onedial.apps.workspace import embedded, load
from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.engine.fitted import Fit
from onedial.lab import weights
from onedial.lab.client import LabClient
from onedial.lab.export import export_gguf
from onedial.lab.prompts import lab_queries
from onedial.policies.assessor import Assessor
from onedial.policies.controller import Controller, Menu

NAME = next(iter(weights.find()))
MODEL = LabClient([NAME]).models[NAME]


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """A configuration of a llama.cpp server that serves the smallest embedded model, priced as the embedded one."""
    xllamacpp = pytest.importorskip("xllamacpp", reason="the extra `llamacpp` is not installed")
    folder = tmp_path_factory.mktemp("served")
    params = xllamacpp.CommonParams()
    params.model.path = str(export_gguf(NAME, folder / "model.gguf"))
    params.n_ctx, params.n_parallel, params.port, params.warmup, params.verbosity = 2048, 8, 0, False, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    price = MODEL.price
    efforts = "\n".join(f'[models.efforts.{e}]\nkind = "level"\nbody = {{ chat_template_kwargs = {{ budget = "{e}" }} }}' for e in "0123")
    path = folder / "onedial.toml"
    path.write_text(
        f'[answers]\nextract = "words"\nverifier = "lab"\ngrader = "lab"\n[store]\npath = "{folder / "data" / "outcomes.db"}"\n'
        f'[[models]]\nname = "{NAME}"\nurl = "{server.listening_address}/v1"\nthinking_end = "<ans>"\n'
        f"price = {{ input = {price.input_usd_per_mtok!r}, output = {price.output_usd_per_mtok!r}, "
        f"cached = {price.cached_usd_per_mtok!r} }}\n"
        f'context_tokens = 256\nmax_output_tokens = 128\ncapabilities = ["n", "logprobs", "cache"]\n{efforts}\n'
    )
    yield path
    del server


def onedial(*arguments):
    found = CliRunner().invoke(app, [str(a) for a in arguments])
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


def test_greedy_answers_token_counts_and_costs_are_those_of_the_process(config):
    queries = lab_queries(30, "test", seed=3)

    async def greedy(client):
        asks = [Sample(q.id, Source(NAME, e), q.messages, temperature=0.0) for q in queries for e in ("0", "2", "3")]
        try:
            return [await client.sample(ask) for ask in asks]
        finally:
            await client.aclose()

    served, here = asyncio.run(greedy(load(config).pool)), asyncio.run(greedy(LabClient([NAME], prefix_bytes=0)))
    same = [
        (a.completions[0].text, a.completions[0].thinking) == (b.completions[0].text, b.completions[0].thinking)
        for a, b in zip(served, here, strict=True)
    ]
    assert np.mean(same) > 0.9  # the server computes in half precision: where two tokens are close it may take the other
    for one, other, equal in zip(served, here, same, strict=True):
        assert one.usage.input_tokens == other.usage.input_tokens
        if equal:
            assert one.usage.output_tokens == other.usage.output_tokens
        uncached = one.usage.input_tokens - one.usage.cached_tokens
        billed = uncached * MODEL.price.input_usd_per_mtok + one.usage.cached_tokens * MODEL.price.cached_usd_per_mtok
        assert one.cost_usd == pytest.approx((billed + one.usage.output_tokens * MODEL.price.output_usd_per_mtok) / 1e6)


def test_collect_fit_and_ask_work_as_on_any_endpoint_and_the_same_outcomes_give_the_same_decisions(config, tmp_path):
    prompts = tmp_path / "prompts.jsonl"
    onedial("lab", "prompts", "--n", 70, "--split", "train", "--out", prompts, "--json")
    collected = onedial("--config", config, "collect", prompts, "--samples", 3, "--concurrency", 16, "--json")
    assert collected["report"]["stored"] == 70 * 4 * 3 and collected["missing"] == 0
    onedial("--config", config, "fit", "--json")
    asked = onedial("--config", config, "ask", lab_queries(1, "test", seed=9)[0].prompt, "--within", 0.1, "--json")
    assert asked["spend"]["usage"]["calls"] >= 1 and asked["spend"]["cost_usd"] > 0

    onedial("--config", config, "export", tmp_path / "table", "--json")
    here = tmp_path / "here"
    onedial("--data", here, "import", tmp_path / "table", "--json")
    onedial("--data", here, "fit", "--json")
    served = load(config)
    one, other = served.fitted, Fit.load(here / "fit.npz")
    assert one.digest == other.digest

    async def decided(dial, fit):
        assessor = Assessor(fit.forecast, {NAME: dial.pool.model(NAME)})
        policy = Controller(assessor, Menu((0, 1, 2, 3)), float(fit.worths[10]))
        return [policy.choose(q).arm for q in lab_queries(20, "test", seed=4)]

    with embedded(here) as process:
        assert asyncio.run(decided(served, one)) == asyncio.run(decided(process, other))
