"""What a person gets wrong: one message on standard error that says what to do, exit code 2, and nothing on standard output."""

import json

import pytest

from apps.conftest import onedial

PROMPT = "compute modulo 10 : start with 2 . #1 minus 4 . what is the result ?"
MODEL = '[[models]]\nname = "m"\nurl = "http://127.0.0.1:9/v1"\nprice = { input = 1, output = 2 }\nretries = 0\n'


def refused(*arguments, **options):
    """The message; that it is an object where JSON was asked for is looked at too."""
    result = onedial(*arguments, **options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr
    as_json = json.loads(onedial(*arguments, "--json", **options).stderr)["error"]
    assert result.stderr.strip() == f"{as_json['kind']}: {as_json['message']}"
    return result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ask", ""], "empty prompt"),
        (["ask", "  \n"], "empty prompt"),
        (["ask", "a b " * 300], "whose context is 256"),
        (["ask", PROMPT, "--quality", "1"], "beyond this pool"),
        (["ask", PROMPT, "--quality", "92"], "0.92 means 92 % right"),
        (["ask", PROMPT, "--quality", "0.5", "--within", "0.1"], "one of quality, within or budget"),
        (["ask", PROMPT, "--budget", "1e-15"], "below the cheapest policy"),
        (["ask", PROMPT, "--max-calls", "0"], "expected a positive number"),
        (["promise", "--quality", "0.999"], "beyond this pool"),
        (["promise", "--within", "0.02", "--delta", "2"], "expected a probability in (0, 1)"),
        (["collect", "--lab", "2", "--models", "big"], "unknown model 'big'. Known: "),
        (["collect", "--lab", "0"], "expected at least 1"),
        (["collect", "--lab", "2", "--samples", "0"], "samples is 0; expected at least 1"),
        (["collect", "nowhere.jsonl"], "nowhere.jsonl cannot be read"),
        (["collect", "nowhere.jsonl", "--lab", "2"], "expected one of them"),
        (["lab", "prompts", "--split", "trian", "--out", "p.jsonl"], "Did you mean 'train'?"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(arguments, said, own):
    assert said in refused(*arguments, data=own)


@pytest.mark.parametrize("arguments", [["ask", PROMPT], ["promise"], ["promise", "--within", "0.02"]])
def test_before_there_is_a_fit_it_says_how_to_get_one(arguments, tmp_path):
    assert "onedial fit" in refused(*arguments, data=tmp_path / "none")


@pytest.mark.parametrize("arguments", [["fit"], ["report"], ["export", "t"]])
def test_before_there_are_outcomes_it_says_how_to_get_some(arguments, tmp_path):
    assert "onedial collect" in refused(*arguments, data=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_too_few_outcomes_to_fit_says_how_many_it_takes(tmp_path):
    onedial("collect", "--lab", 8, "--samples", 1, "--models", "tiny", data=tmp_path)
    assert "at least 20" in refused("fit", data=tmp_path)


@pytest.mark.parametrize("arguments", [["fit"], ["report"], ["export", "t"], ["collect", "--lab", "2"]])
def test_a_store_that_is_none_is_refused_and_left_as_it_is(arguments, tmp_path):
    store = tmp_path / "outcomes.db"
    store.write_text("something else")
    assert "is not an outcome store" in refused(*arguments, data=tmp_path)
    assert store.read_text() == "something else"


@pytest.mark.parametrize("content", [b"", b"something else", b"PK\x03\x04 cut short"])
def test_a_fit_that_is_none_is_refused(content, tmp_path):
    (tmp_path / "fit.npz").write_bytes(content)
    assert "is not a fit" in refused("promise", data=tmp_path)


def test_a_configuration_that_is_not_there_is_refused():
    assert "there is no configuration file nowhere.toml" in refused("--config", "nowhere.toml", "arms")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models = [", "not a TOML file"),
        (MODEL + "timeout = 3\n", "Did you mean 'timeout_s'?"),
        (MODEL + '[answers]\nverifier = "lap"\n', "Did you mean 'lab'?"),
        (MODEL + '[answers]\ngrader = "refrence"\n', "Did you mean 'reference'?"),
    ],
)
def test_a_malformed_configuration_is_refused(text, said, tmp_path):
    (tmp_path / "onedial.toml").write_text(text)
    message = refused("arms")
    assert said in message and "onedial.toml" in message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"prompt": "hi"', "line 2: not JSON"),
        ('{"prompt": ""}', "line 2: query"),
        ('{"promt": "hi"}', "Did you mean 'prompt'?"),
        ('{"prompt": "hi", "reference": 4}', "expected text in quotes"),
    ],
)
def test_a_malformed_line_of_prompts_is_refused_before_anything_is_asked(line, said, tmp_path):
    (tmp_path / "p.jsonl").write_text('{"prompt": "2+2?"}\n' + line + "\n")
    assert said in refused("collect", "p.jsonl", data=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_reference_that_its_own_grader_finds_wrong_is_refused_before_anything_is_paid(upstream, config, prompts):
    path = config('[answers]\nextract = "number"\n')
    assert "would not be graded right" in refused("--config", path, "collect", prompts(1))
    assert upstream.bodies == []


def test_an_endpoint_that_is_not_there_is_an_error_not_a_score(tmp_path, prompts):
    (tmp_path / "onedial.toml").write_text(MODEL)
    assert "cannot be reached" in refused("collect", prompts(1))


def test_a_key_that_is_refused_is_told_without_the_key(upstream, config, prompts, monkeypatch):
    upstream.needs_key = True
    path = config(model='api_key_env = "UP_KEY"')
    assert "Set the environment variable UP_KEY" in refused("--config", path, "collect", prompts(1))
    monkeypatch.setenv("UP_KEY", "sk-wrong")
    message = refused("--config", path, "collect", prompts(1))
    assert "401" in message and "sk-wrong" not in message


def test_a_fit_of_models_that_are_not_configured_is_refused(fitted, config):
    assert "unknown model 'tiny'" in refused("--config", config(), "ask", PROMPT, data=fitted)


def test_an_option_that_does_not_exist_is_named():
    result = onedial("ask", "hi", "--qualty", "0.9")
    assert result.exit_code == 2 and "--qualty" in result.stderr
