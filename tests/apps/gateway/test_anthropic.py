"""The official Anthropic client, unchanged, over whatever is behind."""

import json

import pytest

from requests_to import post

anthropic = pytest.importorskip("anthropic")

ASK = [{"role": "user", "content": "modulo 10 , begin at 7 and do #1 plus 5 . what do you get ?"}]
TOOLS = [{"name": "look", "description": "looks", "input_schema": {"type": "object", "properties": {"at": {"type": "string"}}}}]


@pytest.fixture
def client():
    """How to open a client of an address; all are closed at the end."""
    opened = []

    def connect(url):
        opened.append(anthropic.Anthropic(base_url=url, api_key="none", max_retries=0, timeout=30))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


def test_a_question_is_answered(lab, client):
    gateway, url = lab
    reply = client(url).messages.create(model="onedial", max_tokens=1000, system="be right", messages=ASK)
    assert reply.content[0].text and reply.stop_reason == "end_turn" and reply.role == "assistant"
    assert reply.model_extra["onedial"]["cost_usd"] > 0
    assert reply.usage.output_tokens == gateway.dial.grant.usage.output_tokens


def test_a_stream_says_the_same(lab, client):
    with client(lab[1]).messages.stream(model="onedial", max_tokens=1000, messages=ASK) as stream:
        text, final = "".join(stream.text_stream), stream.get_final_message()
    assert text == final.content[0].text and final.usage.output_tokens > 0 and final.stop_reason == "end_turn"


def test_a_limit_that_ties_the_answer_is_not_dropped(lab, client):
    with pytest.raises(anthropic.BadRequestError, match="only an endpoint can take"):
        client(lab[1]).messages.create(model="onedial", max_tokens=5, messages=ASK)


@pytest.fixture
def far(relayed, serve):
    with serve(relayed()) as url:
        yield url


def test_tools_and_their_results_are_carried_over(far, upstream, client):
    turns = [
        {"role": "user", "content": [{"type": "text", "text": "look there"}]},
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "so"}, {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": "x"}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "seen"}]},
    ]
    reply = client(far).messages.create(
        model="far",
        max_tokens=50,
        messages=turns,
        tools=TOOLS,
        tool_choice={"type": "any"},
        stop_sequences=["."],
        extra_body={"temperature": 0.5},
    )
    [sent] = upstream.bodies
    call = {"id": "t1", "type": "function", "function": {"name": "look", "arguments": '{"at":"x"}'}}
    assert sent["messages"] == [
        {"role": "user", "content": "look there"},
        {"role": "assistant", "content": "so", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "t1", "content": "seen"},
    ]
    assert sent["tools"][0]["function"]["parameters"] == TOOLS[0]["input_schema"] and sent["tool_choice"] == "required"
    assert (sent["stop"], sent["temperature"], sent["max_tokens"]) == (["."], 0.5, 50)
    assert reply.content[0].text == "one two three" and reply.content[1].type == "tool_use"
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (11, 3)


def test_what_is_handed_on_streams_too_and_a_break_is_an_error(far, upstream, client):
    with client(far).messages.stream(model="far", max_tokens=50, messages=ASK) as stream:
        assert "".join(stream.text_stream) == "one two three"
        assert stream.get_final_message().usage.output_tokens == 3
    upstream.fault = "truncate"
    with (
        pytest.raises(anthropic.APIError, match="broke off"),
        client(far).messages.stream(model="far", max_tokens=50, messages=ASK) as stream,
    ):
        stream.get_final_message()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"model": "far", "max_tokens": 5}, "messages is missing"),
        ({"model": "far", "max_tokens": 5, "messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}, "holds 'image'"),
        ({"model": "far", "max_tokens": 5, "messages": ASK, "thinking": {"type": "enabled"}}, "thinking is not carried over"),
        ({"model": "far", "max_tokens": 5, "messages": ASK, "tools": [{"type": "web_search"}]}, "no input_schema"),
        ({"model": "nobody", "max_tokens": 5, "messages": ASK}, "unknown model"),
    ],
)
def test_what_has_no_counterpart_is_refused_in_the_format_of_the_client(far, upstream, body, words):
    status, data, _ = post(far, body, "/v1/messages")
    found = json.loads(data)
    assert status in (400, 404) and found["type"] == "error" and words in found["error"]["message"]
    assert not upstream.bodies
