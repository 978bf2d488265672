"""Requests that go to one model as they stand."""

import json
import urllib.request
from dataclasses import replace

import pytest

from onedial.apps.gateway.keys import Doorkeeper, Key
from onedial.core.arm import Source
from onedial.core.model import Effort
from onedial.core.objective import Objective
from onedial.runtime.ledger import Budget
from requests_to import post, said

BODY = {"model": "far/think=low", "messages": [{"role": "user", "content": "hello"}]}
TOOLS = [{"type": "function", "function": {"name": "look"}}]
KEY = {"Authorization": "Bearer sk-a"}


@pytest.fixture
def gateway(relayed, serve):
    opened = relayed()
    with serve(opened) as url:
        yield opened, url


def test_unknown_fields_go_and_come_untouched_and_the_effort_is_set(gateway, upstream):
    opened, url = gateway
    status, data, headers = post(url, BODY | {"tools": TOOLS, "seed": 7, "odd": {"a": [1, None]}})
    [sent], reply = upstream.bodies, json.loads(data)
    assert status == 200 and reply["odd"] == {"kept": 1} and reply["choices"][0]["message"]["tool_calls"] == TOOLS
    assert sent == BODY | {"model": "up", "tools": TOOLS, "seed": 7, "odd": {"a": [1, None]}, "reasoning_effort": "low"}
    assert opened.dial.grant.usage.input_tokens == 11 and opened.dial.grant.usage.output_tokens == 3
    assert float(headers["x-onedial-cost-usd"]) == pytest.approx((11 * 1.0 + 3 * 4.0) * 1e-6)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_stream_comes_as_it_is_and_usage_is_counted_whether_or_not_it_was_asked_for(gateway, upstream, wanted):
    opened, url = gateway
    options = {"stream_options": {"include_usage": True}} if wanted else {}
    _, data, _ = post(url, BODY | {"stream": True} | options)
    events = [json.loads(line[6:]) for line in data.split(b"\n\n") if line.startswith(b"data: {")]
    assert "".join(e["choices"][0]["delta"]["content"] for e in events if e["choices"]) == "one two three"
    assert data.rstrip().endswith(b"data: [DONE]") and ("usage" in events[-1]) is wanted
    assert opened.dial.grant.usage.output_tokens == 3


def test_a_stream_that_breaks_off_ends_in_an_error_and_is_charged_as_a_bound(gateway, upstream):
    opened, url = gateway
    upstream.fault = "truncate"
    _, data, _ = post(url, BODY | {"stream": True})
    assert b"[DONE]" not in data and said(data.split(b"\n\n")[-2][6:])["message"].endswith("broke off its answer.")
    assert opened.dial.grant.usage.bounded and opened.dial.grant.usage.output_tokens == 100


def test_an_error_of_the_model_is_passed_on_and_costs_nothing(gateway, upstream):
    opened, url = gateway
    upstream.fault = 429
    status, data, _ = post(url, BODY)
    assert status == 429 and said(data)["type"] == "rate_limit_error"
    assert opened.dial.grant.spent.usd == 0 and opened.dial.grant.reserved.usd == 0


def test_keys_are_needed_where_there_are_any_and_spend_no_more_than_their_own(relayed, serve, upstream):
    def door(grant):
        return Doorkeeper([Key("a", "sk-a", grant.child(Budget(calls=2))), Key("b", "sk-b", grant.child(Budget()))], grant)

    with serve(relayed(door)) as url:
        assert post(url, BODY)[0] == 401 and post(url, BODY, Authorization="Bearer sk-c")[0] == 401
        assert [post(url, BODY, **KEY)[0] for _ in range(3)] == [200, 200, 402]
        assert "2 calls" in said(post(url, BODY, **KEY)[1])["message"]
        assert post(url, BODY, Authorization="Bearer sk-b")[0] == 200
    assert len(upstream.bodies) == 3


def test_onedial_itself_needs_a_fit_and_says_so(gateway):
    _, url = gateway
    status, data, _ = post(url, BODY | {"model": "onedial"})
    assert status == 400 and "onedial fit" in said(data)["message"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "expected a JSON object"),
        (b'{"model": 3}', "model is 3"),
        (b'{"model": "onedial"}', "messages"),
        (b'{"model": "onedial", "messages": [1]}', r"messages[0]"),
        (b'{"model": "onedial", "messages": [{"role": "user", "content": "x"}], "stream": "yes"}', "stream is 'yes'"),
        (b'{"model": "onedial", "messages": [{"role": "user", "content": " "}]}', "empty"),
        (b'{"model": "onedial/fast", "messages": [{"role": "user", "content": "x"}]}', "not understood"),
        (b'{"model": "onedial/speed=2", "messages": [{"role": "user", "content": "x"}]}', "unknown wish"),
        (b'{"model": "onedial", "onedial": 5, "messages": [{"role": "user", "content": "x"}]}', "expected an object"),
    ],
)
def test_what_cannot_be_understood_is_a_clear_error(gateway, body, words):
    status, data, _ = post(gateway[1], body)
    assert status == 400 and words in said(data)["message"] and said(data)["type"] == "invalid_request_error"


def test_an_address_that_is_not_there_is_an_error_of_the_same_form(gateway):
    status, data, _ = post(gateway[1], b"{}", "/v1/nothing")
    assert status == 404 and said(data)["code"] == "not_found"


def test_prometheus_is_told_what_was_answered_and_spent(gateway, upstream):
    _, url = gateway
    post(url, BODY)
    upstream.fault = 503
    post(url, BODY)
    with urllib.request.urlopen(url + "/metrics", timeout=20) as response:
        page = response.read().decode()
    assert 'onedial_requests_total{route="/v1/chat/completions",status="200"} 1.0' in page
    assert 'onedial_requests_total{route="/v1/chat/completions",status="503"} 1.0' in page
    assert 'onedial_tokens{kind="output"} 3.0' in page and 'onedial_spent_usd{key=""} 2.3e-05' in page


def test_where_the_best_model_fails_the_next_one_answers_and_it_is_said(relayed, serve, upstream, monkeypatch):
    opened = relayed()
    monkeypatch.setattr(opened, "targets", lambda request, query, wish: (Source("far", "low"), Source("far")))
    upstream.faults = [503]
    with serve(opened) as url:
        status, data, headers = post(url, BODY)
        assert status == 200 and json.loads(data)["model"] == "up"
        assert headers["x-onedial-arm"] == "far" and headers["x-onedial-skipped"] == "far/think=low: status 503"
        upstream.faults = [503, 429]
        assert post(url, BODY)[0] == 429
        upstream.faults = [400]
        assert post(url, BODY)[0] == 400 and "x-onedial-skipped" not in post(url, BODY)[2]
    assert opened.dial.grant.reserved.usd == 0 and opened.dial.grant.usage.calls == 2


def test_a_cap_that_the_client_keeps_by_cutting_takes_no_request_as_it_stands(relayed):
    opened = relayed()
    assert opened._takes_all(Source("far", "low"))
    client = opened.dial.pool.client("far")
    client.models["far"] = replace(client.models["far"], efforts=(Effort("low", "cap", 20, native=False),))
    assert not opened._takes_all(Source("far", "low"))


def test_no_more_promises_are_kept_than_clients_could_fill_the_memory_with(lab, monkeypatch):
    opened, _ = lab
    monkeypatch.setattr("onedial.apps.gateway.gateway.PROMISES_KEPT", 2)
    for within in (0.1, 0.2, 0.3, 0.4):
        opened.promise(Objective(within=within))
    assert len(opened._promises) == 2


def test_thought_that_is_listed_apart_is_billed_as_by_the_ordinary_client(gateway, upstream):
    opened, url = gateway
    upstream.usage = {
        "prompt_tokens": 11,
        "completion_tokens": 3,
        "total_tokens": 34,
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    post(url, BODY)
    assert (opened.dial.grant.usage.output_tokens, opened.dial.grant.usage.thinking_tokens) == (23, 20)
