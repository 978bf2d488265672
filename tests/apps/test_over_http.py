"""The embedded weights behind a real HTTP server: what any user's endpoint gets, held against the same weights in process."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from onedial.apps.cli import app
from onedial.apps.workspace import embedded, load
from onedial.engine.fitted import Fit
from onedial.lab import weights
from onedial.lab.prompts import lab_queries
from onedial.policies.assessor import Assessor
from onedial.policies.controller import Controller, Menu

NAME = next(iter(weights.find()))


@pytest.fixture(scope="module")
def config(llama_cpp, tmp_path_factory):
    """A configuration of a llama.cpp server that serves the smallest embedded model, priced as the embedded one."""
    folder = tmp_path_factory.mktemp("served")
    path = folder / "onedial.toml"
    path.write_text(
        f'[answers]\nextract = "words"\nverifier = "lab"\ngrader = "lab"\n[store]\npath = "{folder / "data" / "outcomes.db"}"\n'
        + llama_cpp.toml([NAME], ["n", "logprobs", "cache"])
    )
    return path


def onedial(*arguments):
    found = CliRunner().invoke(app, [str(a) for a in arguments])
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


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
