import json

import pytest

from apps.conftest import onedial, read


def states(found):
    return {check["what"]: check["state"] for check in found["checks"]}


def test_all_is_well_where_models_answer_and_there_is_a_fit(fitted):
    found = read("doctor", data=fitted)
    assert found["well"] and found["cost_usd"] > 0
    kept = {what: state for what, state in states(found).items() if what in ("configuration", "model tiny", "outcomes", "fit")}
    assert set(kept.values()) == {"well"} and len(kept) == 4


def test_what_is_yet_to_be_made_is_not_broken(tmp_path):
    result = onedial("doctor", data=tmp_path / "none")
    assert result.exit_code == 0
    assert "onedial collect" in result.stdout and "onedial fit" in result.stdout
    assert not (tmp_path / "none").exists()


def broken(*arguments, **options):
    """The one check that is broken."""
    result = onedial(*arguments, "doctor", "--json", **options)
    assert result.exit_code == 1
    (found,) = (check for check in json.loads(result.stdout)["checks"] if check["state"] == "broken")
    assert found["advice"]
    return found


def test_an_endpoint_is_asked_for_two_choices_and_its_count_is_tested(upstream, config):
    path = config(model='capabilities = ["n", "logprobs"]')
    upstream.texts = ["one two three"]
    assert read("--config", path, "doctor")["well"]
    upstream.ignores_n = True
    assert "returned one choice" in broken("--config", path)["found"]
    assert len(upstream.bodies) == 2


@pytest.mark.parametrize(("url", "said"), [("http://127.0.0.1:9/v1", "cannot be reached"), ("{url}/nowhere", "404")])
def test_an_endpoint_that_is_not_there_is_broken(url, said, upstream, tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(f'[[models]]\nname = "m"\nurl = "{url.format(url=upstream.url)}"\nprice = {{ input = 1, output = 2 }}\nretries = 0\n')
    assert said in broken("--config", path)["found"]


def test_a_key_that_is_refused_is_broken_and_the_variable_is_named(upstream, config, monkeypatch):
    upstream.needs_key = True
    monkeypatch.setenv("UP_KEY", "sk-wrong")
    found = broken("--config", config(model='api_key_env = "UP_KEY"'))
    assert "UP_KEY" in found["found"] and "sk-wrong" not in found["found"]


def test_a_malformed_configuration_is_broken(tmp_path):
    (tmp_path / "c.toml").write_text("models = [")
    assert "not a TOML file" in broken("--config", tmp_path / "c.toml")["found"]


def test_a_store_that_is_none_is_broken(tmp_path):
    (tmp_path / "outcomes.db").write_text("something else")
    assert broken(data=tmp_path)["what"] == "outcomes"
