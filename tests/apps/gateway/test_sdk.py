"""The official OpenAI client, unchanged."""

import pytest

openai = pytest.importorskip("openai")

QUESTION = "modulo 10 , begin at 7 and do #1 plus 5 . what do you get ?"
ASK = [{"role": "user", "content": QUESTION}]
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]


def test_a_question_is_answered_with_what_it_cost_and_why(lab, client):
    gateway, url = lab
    reply = client(url).chat.completions.create(model="onedial", messages=ASK)
    said = reply.model_extra["onedial"]
    assert reply.choices[0].message.content and reply.choices[0].finish_reason == "stop"
    assert said["cost_usd"] > 0 and said["calls"] >= 1 and said["drawn"][0]["reason"] and said["promise"]
    assert reply.usage.completion_tokens == said["tokens"]["output"] == gateway.dial.grant.usage.output_tokens
    assert said["model"] == "tiny" and said["applied_effort"] in "0123"


def test_a_stream_says_the_same_as_it_ends(lab, client):
    _, url = lab
    stream = client(url).chat.completions.create(model="onedial", messages=ASK, stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text and chunks[-2].choices[0].finish_reason == "stop" and chunks[-2].model_extra["onedial"]["cost_usd"] > 0
    assert chunks[-1].usage.completion_tokens > 0
    without = list(client(url).chat.completions.create(model="onedial", messages=ASK, stream=True))
    assert without[-1].choices[0].finish_reason == "stop" and without[-1].usage is None


def test_a_goal_may_be_said_in_three_places_and_not_in_two_ways(lab, client):
    _, url = lab
    asked = client(url).chat.completions.create
    for form in (
        {"model": "onedial/within=0.3"},
        {"model": "onedial", "extra_body": {"onedial": {"within": 0.3}}},
        {"model": "onedial", "extra_headers": {"x-onedial-within": "0.3"}},
    ):
        assert asked(messages=ASK, **form).choices[0].message.content
    with pytest.raises(openai.BadRequestError, match="within is asked to be"):
        asked(model="onedial/within=0.3", messages=ASK, extra_headers={"x-onedial-within": "0.2"})
    with pytest.raises(openai.BadRequestError, match="one of quality, within or budget"):
        asked(model="onedial/within=0.3/quality=0.9", messages=ASK)
    with pytest.raises(openai.BadRequestError, match="beyond this pool"):
        asked(model="onedial/quality=1.0", messages=ASK)


def test_a_model_or_an_arm_is_asked_by_name_and_others_are_not_there(lab, client):
    _, url = lab
    asked = client(url).chat.completions.create
    reply = asked(model="tiny/think=2/vote=3", messages=ASK)
    assert reply.model == "tiny/think=2/vote=3" and reply.usage.completion_tokens > 3
    with pytest.raises(openai.NotFoundError, match="Known: "):
        asked(model="gpt-none", messages=ASK)
    with pytest.raises(openai.NotFoundError, match="unknown effort"):
        asked(model="tiny/think=9", messages=ASK)
    names = [model.id for model in client(url).models.list()]
    assert names[0] == "onedial" and "tiny/think=2" in names


def test_what_embedded_models_cannot_take_is_refused_and_not_dropped(lab, client):
    _, url = lab
    for fields in ({"tools": TOOLS}, {"temperature": 0.3}, {"messages": [*ASK, {"role": "assistant", "content": "x"}, *ASK]}):
        with pytest.raises(openai.BadRequestError, match="only an endpoint can take"):
            client(url).chat.completions.create(**{"model": "onedial", "messages": ASK, **fields})
