"""What every family can be told about thinking, and the clear errors where it cannot."""

import json
from dataclasses import replace

import pytest

from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.core.errors import ConfigError
from onedial.core.model import Effort, Model
from onedial.core.query import Message
from onedial.core.usage import Price
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.families import FAMILIES
from onedial.runtime.model_table import SET_BY_ONEDIAL
from onedial.runtime.thinking import BY_NAME, cap_fields, family_of, level_fields, merged
from onedial.runtime.unfit import refuse_unfit
from onedial.runtime.wire import request_body

every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
LEVEL_AND_CAP = (Effort("low"), Effort("2k", "cap", 2048))


def ask(effort=None, cap=None):
    return Sample("q", Source("m", effort), (Message("user", "hi"),), max_thinking_tokens=cap)


def endpoint_of(name, efforts=LEVEL_AND_CAP, bodies=None):
    model = Model("m", Price(1, 1), efforts, max_output_tokens=9000, capabilities=frozenset({"thinking_cap"}))
    return Endpoint(model, "http://x/v1", "up", effort_bodies=bodies or {}, family=BY_NAME[name])


def at(body, path):
    for key in path:
        body = body[key]
    return body


@every_family
def test_every_level_and_cap_of_a_family_is_a_request_field_that_onedial_does_not_set_itself(family):
    assert family.levels or family.cap
    told = [*family.levels.values(), *([cap_fields(family, family.least_cap)] if family.cap else [])]
    assert all(told) and all(json.loads(json.dumps(body)) == body and not set(body) & set(SET_BY_ONEDIAL) for body in told)
    assert len({json.dumps(body, sort_keys=True) for body in told}) == len(told), "no two settings are the same request"


@every_family
def test_a_cap_stands_where_the_family_reads_it_and_one_out_of_range_is_refused(family):
    if not family.cap:
        with pytest.raises(ConfigError, match=f"family '{family.name}' has no hard cap on thought; it knows the levels"):
            cap_fields(family, 2048)
        return
    assert at(cap_fields(family, 2048), family.cap) == 2048
    for tokens in {family.least_cap - 1, (family.most_cap or -1) + 1}:
        with pytest.raises(ConfigError, match=f"takes caps of {family.least_cap}"):
            cap_fields(family, tokens)


@every_family
def test_a_level_that_a_family_lacks_is_refused_with_those_it_has(family):
    with pytest.raises(ConfigError, match="unknown level 'utmost'"):
        level_fields(family, "utmost")


@pytest.mark.parametrize(("url", "model", "name"), [
    ("https://api.openai.com/v1", "o3-mini", "openai-o"),
    ("https://api.openai.com/v1", "gpt-5", "gpt-5"),
    ("https://api.openai.com/v1", "gpt-5-mini-2025-08-07", "gpt-5"),
    ("https://api.openai.com/v1", "gpt-5-pro", "gpt-5-pro"),
    ("https://api.openai.com/v1", "gpt-5.1", "gpt-5.1"),
    ("https://api.openai.com/v1", "gpt-4o", None),
    ("https://api.openai.com/v1", "gpt-5-chat-latest", None),
    ("https://api.anthropic.com/v1", "claude-sonnet-4-5-20250929", "claude"),
    ("https://api.anthropic.com/v1", "claude-opus-4-1", "claude"),
    ("https://api.anthropic.com/v1", "claude-opus-4-7", "claude-adaptive-xhigh"),
    ("https://api.anthropic.com/v1", "claude-3-5-haiku", None),
    ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini-2.5-pro", "gemini-2.5-pro"),
    ("https://generativelanguage.googleapis.com/v1beta/openai", "models/gemini-2.5-flash-lite", "gemini-2.5-flash"),
    ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "qwen-plus", "qwen"),
    ("http://localhost:8000/v1", "Qwen/Qwen3-8B", None),
    ("https://api.openai.com.example/v1", "o3", None),
])  # fmt: skip
def test_a_family_is_guessed_from_host_and_model_together_and_never_for_a_server_of_ones_own(url, model, name):
    found = family_of(url, model)
    assert (found and found.name) == name
    assert family_of(url, model, "vllm") is BY_NAME["vllm"] and family_of(url, model, "none") is None


def test_a_family_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match=r"unknown family 'vlm'.*Did you mean 'vllm'"):
        family_of("http://x", "m", "vlm")


def test_the_smaller_of_the_caps_of_an_ask_and_of_its_effort_is_sent():
    endpoint = endpoint_of("vllm", bodies={"2k": {"thinking_token_budget": 2048, "top_k": 9}})
    for asked, sent in ((None, 2048), (512, 512), (4096, 2048)):
        body = request_body(ask("2k", asked), endpoint)
        assert (body["thinking_token_budget"], body["top_k"]) == (sent, 9)


def test_beside_a_level_a_cap_gives_way_where_both_set_the_same_field():
    off = endpoint_of("qwen", bodies={"low": dict(BY_NAME["qwen"].levels["none"])})
    assert {**request_body(ask("low", 99), off), "model": 0, "messages": 0, "max_tokens": 0} == {
        "model": 0, "messages": 0, "max_tokens": 0, "enable_thinking": False, "thinking_budget": 99,
    }  # fmt: skip


def test_a_family_that_takes_a_level_or_a_cap_is_not_sent_both():
    endpoint = endpoint_of("gemini-2.5-pro", bodies={"low": {"reasoning_effort": "low"}})
    refuse_unfit(ask("low"), endpoint)
    refuse_unfit(ask(None, 512), endpoint)
    with pytest.raises(ConfigError, match="takes a level or a cap, not both"):
        refuse_unfit(ask("low", 512), endpoint)


def test_the_marks_of_a_thought_are_those_written_and_else_those_of_the_family():
    endpoint = endpoint_of("sglang")
    assert (endpoint.opening, endpoint.closing) == ("<think>\n", "</think>")
    lab = replace(endpoint, family=None, thinking_end="<ans>")
    assert (lab.opening, lab.closing) == ("", "<ans>")
    assert replace(lab, thinking_start="<t>").opening == "<t>" and replace(endpoint, family=None).closing == ""


def test_tables_are_merged_within_and_values_of_the_second_win():
    assert merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 4}, "d": {"e": 5}}) == {"a": {"b": 4, "c": 2}, "d": {"e": 5}}
