"""What endpoints have and can do becomes a configuration that is accepted, within a budget, and nothing is claimed that was not shown."""

import pytest

from apps.conftest import onedial, read
from onedial.core.errors import ConfigError
from onedial.core.usage import Price
from onedial.runtime.config import load_config
from onedial.runtime.probe_abilities import BEGUN
from upstream import KEY


@pytest.fixture
def priced(monkeypatch):
    """List prices for every model, as for hosted ones."""
    for module in ("config_text", "model_table"):
        monkeypatch.setattr(f"onedial.runtime.{module}.list_price", lambda *which: Price(1.0, 2.0))


@pytest.mark.usefixtures("priced")
def test_what_is_shown_is_written_and_accepted_and_the_spend_is_the_bill(upstream, tmp_path):
    upstream.caches, upstream.texts, upstream.listing = True, ["en eight nine"], {"max_model_len": 4096}
    found = read("init", upstream.url)["found"]
    (endpoint,) = load_config(tmp_path / "onedial.toml").models
    assert (endpoint.url, endpoint.upstream, endpoint.model.context_tokens) == (upstream.url, "up", 4096)
    assert endpoint.model.capabilities == {"n", "logprobs", "continue", "cache"}
    assert found["usage"]["calls"] == len(upstream.bodies) and not found["usage"]["bounded"]
    assert found["cost_usd"] == pytest.approx(Price(1.0, 2.0).cost_usd(upstream.billed)) and found["cost_usd"] < 0.05


@pytest.mark.usefixtures("priced")
def test_what_is_not_shown_is_not_claimed(upstream, tmp_path):
    upstream.ignores_n = upstream.plain_choices = True
    assert onedial("init", upstream.url).exit_code == 0
    (endpoint,) = load_config(tmp_path / "onedial.toml").models
    assert (
        endpoint.model.capabilities == frozenset() and "not shown: n, logprobs, continue, cache" in (tmp_path / "onedial.toml").read_text()
    )


@pytest.mark.usefixtures("priced")
def test_usage_that_counts_one_choice_is_found_out(upstream, tmp_path):
    upstream.counts_one_choice, upstream.texts = True, [f"{BEGUN} one two three"]
    assert onedial("init", upstream.url).exit_code == 0
    (endpoint,) = load_config(tmp_path / "onedial.toml").models
    assert endpoint.usage_counts_one_choice and "n" in endpoint.model.capabilities
    assert "continue" not in endpoint.model.capabilities


@pytest.mark.usefixtures("priced")
def test_a_thinking_switch_without_effect_is_not_written(upstream, tmp_path):
    upstream.listing = {"owned_by": "vllm"}
    assert onedial("init", upstream.url).exit_code == 0
    (endpoint,) = load_config(tmp_path / "onedial.toml").models
    assert endpoint.model.efforts == () and endpoint.family is None
    assert [body["chat_template_kwargs"]["enable_thinking"] for body in upstream.bodies[-2:]] == [False, True]
    assert "showed no effect" in (tmp_path / "onedial.toml").read_text()


@pytest.mark.usefixtures("priced")
def test_nothing_is_asked_that_the_budget_does_not_cover(upstream, tmp_path):
    result = onedial("init", upstream.url, "--budget", "0.0005")
    assert result.exit_code == 0 and Price(1.0, 2.0).cost_usd(upstream.billed) <= 0.0005
    assert "cache: not asked, as the budget does not cover it" in (tmp_path / "onedial.toml").read_text()
    result = onedial("init", upstream.url, "--budget", "1e-9", "--force")
    assert result.exit_code == 2 and "no model answered" in result.stderr


def test_a_price_that_is_not_known_is_a_line_to_fill_in(upstream, tmp_path):
    result, path = onedial("init", upstream.url), tmp_path / "onedial.toml"
    assert result.exit_code == 0 and "No price is known of up" in result.stderr
    assert "tokens of models whose price is not known" in result.stdout
    with pytest.raises(ConfigError, match=r"models\[0\].price: no list price is known"):
        load_config(path)
    path.write_text(path.read_text().replace("# price = { input = , output = } #", "price = { input = 1, output = 2 } #"))
    assert load_config(path).models


def test_a_file_that_exists_is_kept_and_nothing_is_asked_without_force(upstream, tmp_path):
    (tmp_path / "onedial.toml").write_text("# mine")
    result = onedial("init", upstream.url)
    assert result.exit_code == 2 and "--force" in result.stderr and upstream.bodies == []
    assert (tmp_path / "onedial.toml").read_text() == "# mine"
    assert onedial("init", upstream.url, "--force").exit_code == 0


def test_models_are_chosen_by_name_and_one_that_fails_is_left_out_and_told(upstream, tmp_path):
    upstream.names = ["a", "b/c", "d"]
    assert "Did you mean 'b/c'" in onedial("init", upstream.url, "--model", "b/d").stderr
    upstream.faults = [(400, {}, "no chat model")]
    result = onedial("init", upstream.url, "--model", "b/c")
    assert result.exit_code == 2 and "no chat model" in result.stderr and not (tmp_path / "onedial.toml").exists()
    assert [one["name"] for one in read("init", upstream.url, "--model", "b/c", "--model", "d")["found"]["entries"]] == ["b-c", "d"]


def test_too_many_models_are_listed_and_not_asked(upstream):
    upstream.names = [f"m{i}" for i in range(17)]
    result = onedial("init", upstream.url)
    assert result.exit_code == 2 and "Name those wanted with --model" in result.stderr and upstream.bodies == []


def test_a_key_is_sent_where_it_belongs_and_written_nowhere(upstream, tmp_path, monkeypatch):
    upstream.needs_key = True
    monkeypatch.setenv("UP_KEY", KEY)
    assert "one for each" in onedial("init", upstream.url, "http://localhost:9/v1", "--key-env", "UP_KEY").stderr
    assert "MISSING" in onedial("init", upstream.url, "--key-env", "MISSING").stderr
    assert onedial("init", upstream.url, "--key-env", "UP_KEY").exit_code == 0
    written = (tmp_path / "onedial.toml").read_text()
    assert 'api_key_env = "UP_KEY"' in written and KEY not in written


@pytest.mark.parametrize(("url", "said"), [("localhost:8000", "not an address"), ("http://127.0.0.1:9/v1", "cannot be reached")])
def test_an_endpoint_that_is_none_is_an_error(url, said):
    result = onedial("init", url)
    assert result.exit_code == 2 and said in result.stderr
