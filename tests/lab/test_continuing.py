"""The embedded models go on from a text, in steps, within their grammar of thoughts and an answer."""

from dataclasses import replace

import pytest

from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.core.errors import QueryError
from onedial.core.query import Message
from onedial.lab.client import ANSWER_ROOM, LabClient
from onedial.lab.tokenizer import encode

NAME = next(iter(LabClient().models))
PROMPT = "compute modulo 10 : start with 7 . #1 minus 5 #2 plus 3 #3 times 7 #4 plus 1 . what is the result ?"


def ask(**options):
    return Sample("q", Source(NAME, "3"), (Message("user", PROMPT),), **({"n": 3} | options))


@pytest.fixture
async def lab():
    client = LabClient([NAME], seed=3)
    yield client
    await client.aclose()


async def test_a_step_is_cut_within_the_thought_and_no_answer_is_forced(lab):
    reply = await lab.sample(ask(max_tokens=ANSWER_ROOM + 4, in_steps=True))
    for one in reply.completions:
        assert (one.text, one.finish, one.output_tokens, one.thinking_tokens) == ("", "length", 4, 4)
        assert len(encode(one.thinking)) == 4
    assert reply.usage.output_tokens == reply.usage.thinking_tokens == 12


async def test_steps_and_the_rest_join_to_one_thought_and_its_answer(lab):
    whole = (await lab.sample(ask(n=1, temperature=0.0))).completions[0]
    said, one = "", None
    while one is None or one.finish == "length":
        one = (await lab.sample(ask(n=1, temperature=0.0, max_tokens=ANSWER_ROOM + 4, in_steps=True, continue_from=said))).completions[0]
        said += one.thinking
    assert (said, one.text) == (whole.thinking, whole.text)


async def test_what_is_continued_is_billed_as_input_and_cached_where_it_was_read(lab):
    await lab.sample(ask())
    reply = await lab.sample(ask(continue_from="#1 minus 5 2"))
    assert reply.usage.input_tokens == len(encode(PROMPT)) + 1 + 4 == lab.input_tokens(ask(continue_from="#1 minus 5 2"))
    assert reply.usage.cached_tokens == len(encode(PROMPT)) + 1
    assert all(one.thinking.startswith(" #2") for one in reply.completions)


async def test_an_answer_that_has_begun_is_gone_on_with(lab):
    reply = await lab.sample(ask(continue_from="#1 minus 5 2 <ans>"))
    for one in reply.completions:
        assert one.thinking == "" and one.text.startswith(" ") and one.thinking_tokens == 0
    begun = await lab.sample(ask(continue_from="<ans> 6"))
    assert all("<ans>" not in one.text for one in begun.completions)


async def test_a_step_without_a_bound_runs_to_its_end(lab):
    assert (await lab.sample(ask(in_steps=True))).completions == (await lab.sample(ask())).completions


async def test_a_step_too_short_for_a_thought_is_an_error_with_the_numbers(lab):
    with pytest.raises(QueryError, match=f"step of {ANSWER_ROOM} tokens leaves no thought"):
        await lab.sample(ask(max_tokens=ANSWER_ROOM, in_steps=True))
    with pytest.raises(QueryError, match="no token"):
        await lab.sample(replace(ask(continue_from="#1"), messages=(Message("user", " "),)))
