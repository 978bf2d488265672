"""A LiteLLM proxy's configuration becomes one that is accepted here, and whatever has no place in it is told."""

import builtins

import pytest

from apps.conftest import onedial, read
from onedial.core.errors import ConfigError
from onedial.core.usage import Price
from onedial.runtime.config import load_config

pytest.importorskip("yaml")

PROXY = """
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/MY_KEY, rpm: 480, timeout: 30, max_retries: 0}
  - model_name: team/local one
    litellm_params:
      model: hosted_vllm/Qwen/Qwen3-8B
      api_base: http://localhost:8000/v1/
      api_key: sk-in-the-file
      input_cost_per_token: 1e-7
    model_info: {output_cost_per_token: 0.0000004, cache_read_input_token_cost: 1.0e-8, max_input_tokens: 32768, max_output_tokens: 4096}
  - model_name: gpt-4o
    litellm_params: {model: azure/gpt-4o-eu, api_base: "https://eu.example", api_key: os.environ/AZURE}
  - model_name: gpt-4o
    litellm_params: {model: gpt-4o-mini}
  - model_name: vectors
    litellm_params: {model: openai/text-embedding-3-small}
    model_info: {mode: embedding}
  - model_name: "*"
    litellm_params: {model: "openai/*"}
  - model_name: elsewhere
    litellm_params: {model: openai/m, api_base: os.environ/NOT_SET_ANYWHERE}
router_settings: {routing_strategy: least-busy}
"""


@pytest.fixture
def proxy(tmp_path):
    """Write a proxy's file."""

    def write(text=PROXY):
        (tmp_path / "proxy.yaml").write_text(text)
        return tmp_path / "proxy.yaml"

    return write


def test_models_are_carried_over_with_address_key_price_and_bounds(proxy, tmp_path):
    assert onedial("import", "litellm-config", proxy()).exit_code == 0
    hosted, local, mini = load_config(tmp_path / "onedial.toml").models
    assert (hosted.upstream, hosted.url, hosted.api_key_env) == ("gpt-4o", "https://api.openai.com/v1", "MY_KEY")
    assert (hosted.timeout_s, hosted.retries, hosted.model.price.input_usd_per_mtok) == (30.0, 0, 2.5)
    assert (local.model.name, local.upstream, local.url) == ("team-local-one", "Qwen/Qwen3-8B", "http://localhost:8000/v1")
    assert local.model.price == Price(0.1, 0.4, 0.01)
    assert (local.model.context_tokens, local.model.max_output_tokens, local.api_key_env) == (32768, 4096, None)
    assert (mini.model.name, mini.upstream, mini.api_key_env) == ("gpt-4o-2", "gpt-4o-mini", "OPENAI_API_KEY")


def test_what_has_no_place_is_told_and_keys_are_not(proxy, tmp_path):
    result = onedial("import", "litellm-config", proxy())
    for said in ("azure/gpt-4o-eu", "'embedding'", "openai/*", "router_settings", "litellm_params.rpm", "'gpt-4o-2'", "NOT_SET_ANYWHERE"):
        assert said in result.stderr
    assert "a key that stands in the file is not copied" in result.stderr
    assert "sk-in-the-file" not in result.stderr + result.stdout + (tmp_path / "onedial.toml").read_text()


def test_a_price_that_is_not_known_has_to_be_filled_in(proxy, tmp_path):
    text = "model_list: [{model_name: own, litellm_params: {model: ollama/llama3, api_base: 'http://localhost:11434'}}]"
    assert read("import", "litellm-config", proxy(text))["prices_to_fill_in"] == ["own"]
    path = tmp_path / "onedial.toml"
    with pytest.raises(ConfigError, match=r"models\[0\].price: no list price is known"):
        load_config(path)
    path.write_text(path.read_text().replace("# price = { input = , output = } #", "price = { input = 0, output = 0 } #"))
    (own,) = load_config(path).models
    assert own.url == "http://localhost:11434/v1"


@pytest.mark.parametrize(("text", "said"), [
    ("model_list: [", "line 1: not YAML"), ("a: 1", "no `model_list`"), ("model_list: []", "none of its models"),
    ("model_list: [3, {litellm_params: {}}]", "no table litellm_params"),
])  # fmt: skip
def test_a_file_of_another_kind_is_an_error_and_writes_nothing(text, said, proxy, tmp_path):
    result = onedial("import", "litellm-config", proxy(text))
    assert result.exit_code == 2 and said in result.stderr and not (tmp_path / "onedial.toml").exists()


def test_a_file_that_exists_is_kept_without_force(proxy, tmp_path):
    out = tmp_path / "mine.toml"
    out.write_text("# mine")
    result = onedial("import", "litellm-config", proxy(), "--out", out)
    assert result.exit_code == 2 and "--force" in result.stderr and out.read_text() == "# mine"
    assert onedial("import", "litellm-config", proxy(), "--out", out, "--force").exit_code == 0 and load_config(out).models


def test_without_pyyaml_it_says_what_to_install(proxy, monkeypatch):
    importing = builtins.__import__

    def refusing(name, *more, **options):
        if name == "yaml":
            raise ImportError(name)
        return importing(name, *more, **options)

    path = proxy()
    monkeypatch.setattr(builtins, "__import__", refusing)
    assert "pip install 'onedial[yaml]'" in onedial("import", "litellm-config", path).stderr


def test_a_second_file_after_outcomes_is_refused(proxy):
    assert "one source of outcomes" in onedial("import", "outcomes.csv", proxy()).stderr
