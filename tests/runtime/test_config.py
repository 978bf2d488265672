import pytest

from onedial.core.errors import ConfigError
from onedial.core.model import Effort, Model
from onedial.core.usage import Price
from onedial.runtime.config import load_config
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.prices import list_price

FULL = """
[[models]]
name = "small"
url = "http://localhost:8000/v1"
model = "Qwen/Qwen3-8B"
api_key_env = "SMALL_KEY"
price = { input = 0.1, output = 0.4, cached = 0.01 }
context_tokens = 4096
max_output_tokens = 2048
capabilities = ["n", "logprobs"]
thinking_end = "</think>"
timeout_s = 60
retries = 1
usage_counts_one_choice = false

[models.efforts.none]
kind = "level"
body = { chat_template_kwargs = { enable_thinking = false } }
[models.efforts.brief]
kind = "prompt"
prompt = "Think briefly."
[models.efforts.1k]
kind = "cap"
max_thinking_tokens = 1024
body = { thinking_token_budget = 1024 }

[[models]]
name = "large"
url = "http://localhost:8001/v1"
price = { input = 1, output = 4 }

[answers]
extract = "number"
[store]
path = "data/o.db"
[grid]
samples = 6
"""


def load(tmp_path, text):
    path = tmp_path / "onedial.toml"
    path.write_text(text)
    return load_config(path)


def test_without_a_file_there_is_no_configuration(tmp_path):
    assert load_config(tmp_path / "onedial.toml") is None


def test_an_empty_file_means_the_defaults_and_no_models(tmp_path):
    config = load(tmp_path, "")
    assert (config.models, config.extract, config.verifier, config.samples) == ((), "words", "none", 4)
    assert config.store_path == tmp_path / "onedial-data" / "outcomes.db"


def test_a_full_file_is_read_with_efforts_in_the_order_written(tmp_path):
    config = load(tmp_path, FULL)
    efforts = (Effort("none"), Effort("brief", "prompt"), Effort("1k", "cap", 1024))
    small = Model("small", Price(0.1, 0.4, 0.01), efforts, 4096, 2048, frozenset({"n", "logprobs"}))
    assert config.models[0] == Endpoint(
        model=small,
        url="http://localhost:8000/v1",
        upstream="Qwen/Qwen3-8B",
        api_key_env="SMALL_KEY",
        effort_bodies={"none": {"chat_template_kwargs": {"enable_thinking": False}}, "brief": {}, "1k": {"thinking_token_budget": 1024}},
        effort_prompts={"brief": "Think briefly."},
        thinking_end="</think>",
        timeout_s=60.0,
        retries=1,
        usage_counts_one_choice=False,
    )
    assert config.models[1].upstream == "large" and config.models[1].model.labels() == (None,)
    assert (config.extract, config.samples) == ("number", 6)
    assert config.store_path == tmp_path / "data" / "o.db"


@pytest.mark.parametrize(("old", "new", "told"), [
    ("retries = 1", "retrys = 1", "models[0].retrys: unknown key 'retrys'. Known: "),
    ("retries = 1", "retrys = 1", "Did you mean 'retries'?"),
    ("[grid]", "[gird]", "gird: unknown key 'gird'"),
    ("cached = 0.01", "cache = 0.01", "models[0].price.cache: unknown key"),
    ('prompt = "Think', 'promt = "Think', "models[0].efforts.brief.promt: unknown key"),
    ("retries = 1", "retries = -1", "models[0].retries: expected int >= 0"),
    ("timeout_s = 60", 'timeout_s = "60"', "models[0].timeout_s: expected float, found str"),
    ('name = "large"', "", "models[1]: missing required field name"),
    ("[[models]]\nname = \"large\"", "[[models]]\nname = \"small\"", "models[1].name: 'small' is the name of another model"),
    ('name = "small"', 'name = "qwen/small"', "models[0].name: 'qwen/small' is part of arm ids"),
    ("localhost:8000", "", "models[0].url: 'http:///v1' is not an address"),
    ('"logprobs"]', '"logprob"]', "models[0].capabilities: unknown capability 'logprob'"),
    ("thinking_token_budget = 1024", "max_tokens = 9", "models[0].efforts.1k.body.max_tokens: 'max_tokens' is set by onedial"),
    ('kind = "prompt"', 'kind = "level"', "models[0].efforts.brief.prompt: an effort of kind 'level' has no use for 'prompt'"),
    ("max_thinking_tokens = 1024", "", "models[0].efforts.1k.max_thinking_tokens: an effort of kind 'cap' needs"),
    ('"number"', '"nummer"', "answers.extract: unknown extractor 'nummer'"),
    ('extract = "number"', 'grader = "nummber"', "answers.grader: unknown grader 'nummber'. Known: choice, exact, json, math, number, "),
    ('extract = "number"', 'verifier = "json_schema"', "answers.schema: the verifier 'json_schema' needs a JSON schema"),
    ('extract = "number"', 'schema = { type = "object" }', "answers.schema: the verifier 'none' has no use for a JSON schema"),
    ('extract = "number"', 'verifier = "json_schema"\nschema = 1', "answers.schema: expected object | null, found int"),
    ("samples = 6", "samples = 0", "grid.samples: expected int >= 1"),
    ("samples = 6", "votes = [1, 3]", "grid.votes: unknown key 'votes'"),
    ("price = { input = 1, output = 4 }", "", "models[1].price: no list price is known for 'large' at http://localhost:8001/v1"),
    ("price = { input = 1, output = 4 }", "", "price = { input = 0.5, output = 1.5 }"),
    ("[store]", "[store", "not a TOML file"),
])  # fmt: skip
def test_every_error_names_the_file_and_the_key(tmp_path, old, new, told):
    assert old in FULL
    with pytest.raises(ConfigError) as error:
        load(tmp_path, FULL.replace(old, new, 1))
    assert str(error.value).startswith(str(tmp_path / "onedial.toml")) and told in str(error.value), str(error.value)


@pytest.mark.parametrize("grader", ["reference", "exact", "text", "number", "choice", "json", "math"])
def test_a_grader_is_named_under_answers_and_is_the_reference_by_default(tmp_path, grader):
    assert load(tmp_path, f'[answers]\ngrader = "{grader}"\n').grader == grader
    assert load(tmp_path, "").grader == "reference"


def test_a_schema_is_handed_on_as_it_is_written(tmp_path):
    config = load(
        tmp_path, '[answers]\nverifier = "json_schema"\n[answers.schema]\ntype = "object"\nproperties.a = { "$ref" = "#/$defs/a" }'
    )
    assert (config.verifier, config.schema) == ("json_schema", {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}})


def test_a_hosted_model_is_priced_from_the_list_of_its_provider(tmp_path):
    config = load(tmp_path, '[[models]]\nname = "gpt-4o"\nurl = "https://api.openai.com/v1"\n')
    price = config.models[0].model.price
    assert 0 < price.cached_usd_per_mtok < price.input_usd_per_mtok < price.output_usd_per_mtok


def test_a_price_that_rises_with_the_prompt_is_taken_at_the_step_that_the_context_reaches():
    url = "https://generativelanguage.googleapis.com/v1beta/openai"
    short, long = (list_price("gemini-2.5-pro", url, context) for context in (100_000, 1_000_000))
    assert short.input_usd_per_mtok < long.input_usd_per_mtok and short.output_usd_per_mtok < long.output_usd_per_mtok


def test_the_price_of_a_model_of_that_name_elsewhere_is_not_taken():
    assert list_price("gpt-4o", "http://localhost:8000/v1", 8192) is None


THINKING = """
[[models]]
name = "m"
url = "{url}"
price = {{ input = 1, output = 4 }}
max_output_tokens = 4096
{fields}
"""


def thinking(tmp_path, fields, url="http://localhost:8000/v1"):
    return load(tmp_path, THINKING.format(url=url, fields=fields)).models[0]


def test_a_family_that_is_named_says_how_levels_and_caps_are_asked_for(tmp_path):
    efforts = '[models.efforts.none]\n[models.efforts.1k]\nkind = "cap"\nmax_thinking_tokens = 1024'
    endpoint = thinking(tmp_path, f'family = "vllm"\n{efforts}')
    assert endpoint.effort_bodies == {"none": {"chat_template_kwargs": {"enable_thinking": False}}, "1k": {"thinking_token_budget": 1024}}
    assert "thinking_cap" in endpoint.model.capabilities and endpoint.model.efforts == (Effort("none"), Effort("1k", "cap", 1024))


def test_a_family_is_guessed_for_hosted_models_and_what_is_written_goes_before_it(tmp_path):
    url = "https://generativelanguage.googleapis.com/v1beta/openai"
    endpoint = thinking(tmp_path, 'model = "gemini-2.5-pro"\n[models.efforts.low]\n[models.efforts.own]\nbody = { x = 1 }', url)
    assert endpoint.effort_bodies == {"low": {"reasoning_effort": "low"}, "own": {"x": 1}} and endpoint.family.name == "gemini-2.5-pro"
    assert thinking(tmp_path, 'model = "gemini-2.5-pro"\nfamily = "none"', url).family is None


def test_a_cap_without_fields_is_kept_by_cutting_where_a_text_can_be_continued(tmp_path):
    cap = '[models.efforts.1k]\nkind = "cap"\nmax_thinking_tokens = 1024'
    endpoint = thinking(tmp_path, f'capabilities = ["continue"]\nthinking_end = "</think>"\n{cap}')
    assert endpoint.model.efforts == (Effort("1k", "cap", 1024, native=False),) and endpoint.effort_bodies == {"1k": {}}


def test_a_level_with_an_empty_body_is_what_the_model_does_by_itself(tmp_path):
    assert thinking(tmp_path, "[models.efforts.default]\nbody = {}").effort_bodies == {"default": {}}


@pytest.mark.parametrize(("fields", "told"), [
    ("[models.efforts.high]", "models[0].efforts.high: what asks for the level 'high' is not known. Write the request fields as body"),
    ('family = "vllm"\n[models.efforts.high]', "models[0].efforts.high: family 'vllm': unknown level 'high'. Known: full, none."),
    ('family = "vlm"', "models[0].family: unknown family 'vlm'"),
    ('family = "gpt-5"\n[models.efforts.1k]\nkind = "cap"\nmax_thinking_tokens = 1024', "family 'gpt-5' has no hard cap on thought"),
    ('[models.efforts.1k]\nkind = "cap"\nmax_thinking_tokens = 1024', "what caps the thought of this model is not known"),
    ('family = "claude"\n[models.efforts.1]\nkind = "cap"\nmax_thinking_tokens = 1', "family 'claude' takes caps of 1024 tokens or more"),
    ('family = "vllm"\n[models.efforts.4k]\nkind = "cap"\nmax_thinking_tokens = 4096', "leaves no room for an answer in its 4096 output"),
])  # fmt: skip
def test_a_level_or_cap_that_a_family_lacks_is_an_error_and_never_dropped(tmp_path, fields, told):
    with pytest.raises(ConfigError) as error:
        thinking(tmp_path, fields)
    assert told in str(error.value), str(error.value)


REWARD = '[[rewards]]\nname = "prm"\nurl = "http://h"\nprice = 0.05\nform = "pooling"\nstep_mark = "<extra_0>"\nmodel = "org/prm"\n'


def test_a_reward_model_is_read_and_gives_scores_only(tmp_path):
    (tmp_path / "onedial.toml").write_text(REWARD)
    [reward] = load_config(tmp_path / "onedial.toml").rewards
    assert (reward.endpoint.upstream, reward.form, reward.step_mark, reward.raw) == ("org/prm", "pooling", "<extra_0>", False)
    model = reward.endpoint.model
    assert (model.name, model.price.input_usd_per_mtok, model.max_output_tokens, model.capabilities) == ("prm", 0.05, 0, {"scores"})


@pytest.mark.parametrize(("text", "told"), [
    (REWARD + REWARD, r"rewards\[1\].name: 'prm' is the name of another model already"),
    (REWARD.replace("pooling", "polling"), r"rewards\[0\].form"),
    (REWARD.replace("http://h", "h"), r"rewards\[0\].url: 'h' is not an address"),
    (REWARD.replace("price = 0.05\n", ""), "price"),
])  # fmt: skip
def test_a_reward_model_that_is_written_wrongly_is_named(tmp_path, text, told):
    (tmp_path / "onedial.toml").write_text(text)
    with pytest.raises(ConfigError, match=told):
        load_config(tmp_path / "onedial.toml")
