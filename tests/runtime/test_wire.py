import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.core.model import Effort, Model
from onedial.core.query import Message
from onedial.core.usage import Price
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.faults import LONGEST_WAIT_S, message_of, retry_after_s, wait_s
from onedial.runtime.tally import tally
from onedial.runtime.wire import completion_of, drop_repeated, messages_of, received, request_body, seed_of, split_thinking

MODEL = Model("m", Price(1, 1), (Effort("brief", "prompt"),), capabilities=frozenset({"seed", "continue"}))
ENDPOINT = Endpoint(MODEL, "http://x/v1", "up", effort_prompts={"brief": "Think briefly."}, thinking_end="</think>")


def ask(n=1, effort=None, **fields):
    return Sample("q", Source("m", effort), (Message("system", "s"), Message("user", "hi")), n, **fields)


def reply(*choices, usage=None):
    return received(json.dumps({"choices": list(choices), "usage": usage}).encode())


def choice(text="x", finish="stop", **fields):
    return {"message": {"content": text}, "finish_reason": finish, **fields}


def read(one, **fields):
    return completion_of(reply(one).choices[0], ask(**fields), ENDPOINT, 1, None)


def test_a_prompted_effort_is_said_in_the_last_user_turn_and_nowhere_else():
    assert messages_of(ask(effort="brief"), ENDPOINT) == (Message("system", "s"), Message("user", "hi\n\nThink briefly."))
    assert messages_of(ask(), ENDPOINT) == ask().messages


def test_a_continuation_is_sent_as_the_start_of_the_assistants_turn():
    body = request_body(ask(continue_from="So"), ENDPOINT)
    assert body["messages"][-1] == {"role": "assistant", "content": "So"} and body["continue_final_message"] is True


def test_what_a_server_repeats_of_a_continued_text_is_dropped_where_every_choice_begins_with_it():
    repeated, apart = reply(choice("So it is 4"), choice("So no")), reply({"message": {"content": "4", "reasoning_content": "So 2+2"}})
    assert drop_repeated(repeated, "So") and [c.message.content for c in repeated.choices] == [" it is 4", " no"]
    assert drop_repeated(apart, "So") and (apart.choices[0].message.content, apart.choices[0].message.reasoning_content) == ("4", " 2+2")
    only_one = reply(choice("So it is 4"), choice("it is 5"))
    assert not drop_repeated(only_one, "So") and only_one.choices[0].message.content == "So it is 4"
    assert not drop_repeated(reply({"message": {"content": [{"type": "text", "text": "So"}]}}), "So")


def test_seeds_differ_by_sample_and_are_the_same_when_asked_again():
    seeds = {seed_of(ask(first_index=i)) for i in range(100)} | {seed_of(ask(effort="brief"))}
    assert len(seeds) == 101 and all(0 <= seed < 2**31 for seed in seeds)
    assert request_body(ask(), ENDPOINT)["seed"] == seed_of(ask())


@given(st.text(max_size=20), st.text(max_size=20))
def test_thought_and_answer_are_split_at_the_first_marker(thought, answer):
    if "</think>" not in thought:
        assert split_thinking(f"<think>{thought}</think>{answer}", "</think>", cut=False)[1] == answer.strip()


@pytest.mark.parametrize(("text", "marker", "cut", "split"), [
    ("a </think> b </think> c", "</think>", False, ("a", "b </think> c")),
    ("just an answer", "</think>", False, ("", "just an answer")),
    ("<think> cut off here", "</think>", True, ("cut off here", "")),
    ("cut off here", None, True, ("", "cut off here")),
    ("1 + 2 <ans> 3", "<ans>", False, ("1 + 2", "3")),
])  # fmt: skip
def test_text_cut_before_its_marker_is_thought_and_never_an_answer(text, marker, cut, split):
    assert split_thinking(text, marker, cut=cut) == split


def test_every_form_of_a_message_is_read():
    assert read(choice([{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}])).text == "ab"
    assert read({"message": {"content": None, "refusal": "I will not."}, "finish_reason": "stop"}).text == "I will not."
    for field in ("reasoning_content", "reasoning"):
        done = read({"message": {"content": "4", field: "2+2"}, "finish_reason": "stop"})
        assert (done.text, done.thinking) == ("4", "2+2")


@pytest.mark.parametrize(
    ("said", "finish"), [("stop", "stop"), ("tool_calls", "stop"), ("length", "length"), ("content_filter", "error"), (None, "error")]
)
def test_an_end_that_is_none_is_not_taken_for_one(said, finish):
    assert read(choice("</think>x", said)).finish == finish


@pytest.mark.parametrize("body", [b"", b"[]", b'{"choices": []}', b'{"choices": [{}]}', b'{"error": "x"}', b'{"choices": [{"mess'])
def test_bytes_that_are_no_reply_are_an_error(body):
    with pytest.raises(ValueError):  # noqa: PT011 - any, from the decoder or from here
        received(body)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.booleans(), st.booleans(), st.booleans())
def test_a_bill_is_the_truth_where_it_is_reported_or_shown_and_else_no_less_than_the_text_must_have_taken(lengths, shown, one, known):
    """Texts of one token per five characters; a report of the last choice only, or of all."""
    cap = 30
    truth = [length + (length < cap) for length in lengths]
    choices = [
        choice("word " * length, "stop" if length < cap else "length", **({"token_ids": [1] * tokens} if shown else {}))
        for length, tokens in zip(lengths, truth, strict=True)
    ]
    usage = {"prompt_tokens": 5, "completion_tokens": truth[-1] if one else sum(truth)}
    counted = tally(reply(*choices, usage=usage), cap, 99, one_choice=known and one)
    if len(lengths) == 1 or shown or not one:
        assert counted.usage.output_tokens == sum(truth) and not counted.usage.bounded
    elif known:
        assert counted.usage.bounded and counted.usage.output_tokens == cap * len(lengths)
    else:
        assert counted.usage.output_tokens >= sum(cap if length == cap else max(1, length * 5 // 6) for length in lengths)
    assert counted.usage.calls == 1 and len(counted.output_tokens) == len(lengths)


@pytest.mark.parametrize(("usage", "output", "thinking"), [
    ({"completion_tokens": 10, "completion_tokens_details": {"reasoning_tokens": 6}}, 10, 6),
    ({"completion_tokens": 10, "completion_tokens_details": {"reasoning_tokens": 50}}, 60, 50),
    ({"completion_tokens": 10, "total_tokens": 75}, 70, 0),
    ({"completion_tokens": 10, "completion_tokens_details": None}, 10, 0),
])  # fmt: skip
def test_thought_that_a_server_counts_apart_is_output_all_the_same(usage, output, thinking):
    counted = tally(reply(choice(), usage={"prompt_tokens": 5, **usage}), 100, 99)
    assert (counted.usage.output_tokens, counted.usage.thinking_tokens) == (output, thinking)
    assert counted.output_tokens == (output,)


def test_an_end_token_that_is_counted_and_not_shown_leaves_the_lengths_known():
    two = [choice("a", token_ids=[1, 2]), choice("b", token_ids=[1])]
    assert tally(reply(*two, usage={"prompt_tokens": 5, "completion_tokens": 5}), 9, 9).output_tokens == (2, 1)
    assert tally(reply(*two, usage={"prompt_tokens": 5, "completion_tokens": 50}), 9, 9).output_tokens == (None, None)


@given(st.integers(0, 40), st.none() | st.floats(0, 100), st.integers())
def test_waits_double_with_jitter_and_never_undercut_what_was_asked_for(attempt, asked, seed):
    wait = wait_s(attempt, asked, random.Random(seed))
    base = min(LONGEST_WAIT_S, 0.5 * 2**attempt)
    assert (asked or 0) + base / 2 <= wait <= (asked or 0) + base


@pytest.mark.parametrize("value", ["", "soon", "-3", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_wait_that_cannot_be_understood_is_none(value):
    assert retry_after_s({"Retry-After": value}) is None


@pytest.mark.parametrize(("body", "text"), [
    (b'{"error": {"message": "no"}}', "no."),
    (b'{"error": "no!"}', "no!"),
    (b'{"message": "no"}', "no."),
    (b'{"detail": [1]}', "[1]."),
    (b"<html>", "<html>."),
    (b"", "nothing."),
    (b"{}", "{}."),
    (b"\xff\xfe", "\ufffd\ufffd."),
])  # fmt: skip
def test_the_words_of_an_error_are_found_whatever_its_form(body, text):
    assert message_of(body) == text


def shown(logprob, *top):
    return {"token": "?", "logprob": logprob, "top_logprobs": [{"token": "?", "logprob": one} for one in top]}


def test_the_likeliest_tokens_are_asked_for_and_become_the_confidence_of_each_token():
    body = request_body(ask(logprobs=True, top_logprobs=2), ENDPOINT)
    assert (body["logprobs"], body["top_logprobs"]) == (True, 2) and "top_logprobs" not in request_body(ask(logprobs=True), ENDPOINT)
    sent = choice(logprobs={"content": [shown(-0.5, -0.5, -1.5), shown(-0.25, -0.25, -9999.0)]})
    done = read(sent, logprobs=True, top_logprobs=2)
    assert (done.logprobs, done.confidences) == ((-0.5, -0.25), (1.0, 50.125))
    assert read(sent, logprobs=True).confidences is None


@pytest.mark.parametrize("content", [None, [], [{"logprob": -0.5}], [shown(-0.5, -0.5, -1), shown(-0.5)], [shown(-0.5, -0.5)]])
def test_there_is_no_confidence_where_the_likeliest_tokens_are_not_given_or_are_only_the_chosen_one(content):
    assert read(choice(logprobs={"content": content}), logprobs=True, top_logprobs=2).confidences is None
