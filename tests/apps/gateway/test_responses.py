"""The official OpenAI client's responses, unchanged."""

import pytest

openai = pytest.importorskip("openai")

QUESTION = "modulo 10 , begin at 7 and do #1 plus 5 . what do you get ?"
TOOL = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}, "strict": True}


def test_a_question_is_answered(lab, client):
    gateway, url = lab
    reply = client(url).responses.create(model="onedial", instructions="be right", input=QUESTION, store=False)
    assert reply.output_text and reply.status == "completed"
    assert reply.model_extra["onedial"]["cost_usd"] > 0
    assert reply.usage.output_tokens == gateway.dial.grant.usage.output_tokens


def test_a_stream_says_the_same(lab, client):
    with client(lab[1]).responses.stream(model="onedial", input=QUESTION) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert text == final.output_text and final.usage.output_tokens > 0


@pytest.fixture
def far(relayed, serve):
    with serve(relayed()) as url:
        yield url


def test_functions_structure_and_earlier_turns_are_carried_over(far, upstream, client):
    reply = client(far).responses.create(
        model="far",
        input=[
            {"role": "user", "content": [{"type": "input_text", "text": "look"}]},
            {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "seen"},
        ],
        tools=[TOOL],
        reasoning={"effort": "high"},
        text={"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}},
        max_output_tokens=40,
    )
    [sent] = upstream.bodies
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    assert sent["messages"] == [
        {"role": "user", "content": "look"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "seen"},
    ]
    assert sent["tools"] == [{"type": "function", "function": {key: value for key, value in TOOL.items() if key != "type"}}]
    assert sent["reasoning_effort"] == "high" and sent["max_completion_tokens"] == 40
    assert sent["response_format"] == {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    assert reply.output_text == "one two three" and reply.output[1].type == "function_call" and reply.usage.input_tokens == 11


def test_what_is_handed_on_streams_too_and_a_break_is_an_error(far, upstream, client):
    events = list(client(far).responses.create(model="far", input="hello", stream=True))
    assert [e.sequence_number for e in events] == list(range(len(events)))
    assert events[-1].type == "response.completed" and events[-1].response.output_text == "one two three"
    upstream.fault = "truncate"
    with pytest.raises(openai.APIError, match="broke off"):
        list(client(far).responses.create(model="far", input="hello", stream=True))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"input": "x", "previous_response_id": "r"}, "previous_response_id is not carried over"),
        ({"input": "x", "tools": [{"type": "web_search"}]}, "only functions are carried over"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}, "holds 'input_image'"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "is 'item_reference'"),
    ],
)
def test_what_has_no_counterpart_is_refused(far, upstream, fields, words, client):
    with pytest.raises(openai.BadRequestError, match=words):
        client(far).responses.create(model="far", **fields)
    assert not upstream.bodies
