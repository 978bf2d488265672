"""The embedded models answer asks like any other model client."""

import asyncio
from math import isclose
from threading import enumerate as enumerate_threads

import pytest

from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.core.errors import ConfigError, ModelError, QueryError
from onedial.core.query import Message
from onedial.lab import client as client_module
from onedial.lab.client import LabClient
from onedial.lab.families import check
from onedial.lab.tokenizer import encode

NAME = next(iter(LabClient().models))
PROMPT = "compute modulo 10 : start with 7 . #1 minus 5 . what is the result ?"


def ask(prompt=PROMPT, effort="3", n=4, query_id="q", **options):
    return Sample(query_id, Source(NAME, effort), (Message("user", prompt),), n, **options)


@pytest.fixture
async def lab():
    client = LabClient(seed=3)
    yield client
    await client.aclose()


async def test_a_trained_model_answers_and_the_reply_counts_everything_it_wrote(lab):
    reply = await lab.sample(ask(n=8))
    assert sum(check(PROMPT, one.text) for one in reply.completions) >= 5
    for one in reply.completions:
        assert one.output_tokens == len(encode(one.thinking)) + 1 + len(encode(one.text)) + (one.finish == "stop")
        assert one.thinking_tokens == len(encode(one.thinking))
        assert one.logprobs is None
    usage = reply.usage
    assert (usage.calls, usage.input_tokens, usage.cached_tokens) == (1, len(encode(PROMPT)) + 1, 0)
    assert usage.output_tokens == sum(one.output_tokens for one in reply.completions)
    assert usage.thinking_tokens == sum(one.thinking_tokens for one in reply.completions)
    assert reply.applied_effort == "3" and reply.latency_s > 0


async def test_a_reply_costs_what_its_tokens_cost_and_a_cached_prompt_a_tenth(lab):
    first, again = [await lab.sample(ask()) for _ in range(2)]
    price = lab.models[NAME].price
    tokens = first.usage.input_tokens + first.usage.output_tokens
    assert isclose(first.cost_usd, tokens * price.output_usd_per_mtok / 1e6)
    assert again.usage.cached_tokens == again.usage.input_tokens
    assert isclose(first.cost_usd - again.cost_usd, 0.9 * first.usage.input_tokens * price.input_usd_per_mtok / 1e6)
    assert again.completions == first.completions


async def test_asks_in_flight_together_get_the_same_samples_as_alone(lab, questions):
    asks = [ask(q.example.prompt, str(i % 4), 1 + i % 5, q.id) for i, q in enumerate(questions)]
    together = await asyncio.gather(*map(lab.sample, asks))
    alone = [await lab.sample(each) for each in reversed(asks)][::-1]
    assert [one.completions for one in together] == [one.completions for one in alone]


async def test_two_models_asked_together_work_in_threads_of_their_own(lab):
    names = list(lab.models)[:2]
    replies = await asyncio.gather(*(lab.sample(Sample("q", Source(name, "2"), (Message("user", PROMPT),), 4)) for name in names))
    assert all(len(reply.completions) == 4 for reply in replies)
    running = {thread.name for thread in enumerate_threads()}
    assert running >= {f"onedial-lab-{name}" for name in names}
    await lab.aclose()
    assert not running & {thread.name for thread in enumerate_threads() if thread.name.startswith("onedial-lab")}


async def test_samples_follow_seed_query_and_index_and_nothing_else(lab):
    subset = "numbers : 3 13 17 11 8 21 . pick some that sum to 20 ."
    texts = {}
    for key, seed, query_id in (("same", 3, "q"), ("seed", 4, "q"), ("query", 3, "p")):
        other = LabClient([NAME], seed)
        texts[key] = (await other.sample(ask(subset, n=12, query_id=query_id))).completions
        await other.aclose()
    expected = (await lab.sample(ask(subset, n=12))).completions
    assert texts["same"] == expected
    assert texts["seed"] != expected != texts["query"]
    assert (await lab.sample(ask(subset, n=5, first_index=7))).completions == expected[7:]


async def test_more_effort_takes_more_thinking_and_a_cap_cuts_it(lab):
    text = PROMPT.replace("#1 minus 5", "#1 minus 5 #2 plus 3 #3 times 7 #4 plus 1")
    thinking = [(await lab.sample(ask(text, str(level), 16))).usage.thinking_tokens for level in range(4)]
    assert thinking[0] == 0 and thinking[1] < thinking[2] < thinking[3]
    capped = (await lab.sample(ask(text, n=16, max_thinking_tokens=5))).completions
    assert max(one.thinking_tokens for one in capped) == 5
    assert all(one.text for one in capped)
    short = (await lab.sample(ask(text, n=16, max_tokens=2))).completions
    assert all(one.text and one.output_tokens == 2 and one.finish == "length" for one in short)


async def test_system_text_comes_first_and_is_counted(lab):
    messages = (Message("user", "start with 7 ."), Message("system", "compute modulo 10 :"))
    each = Sample("q", Source(NAME, "1"), messages)
    assert lab._prompt(each)[:-1] == tuple(encode("compute modulo 10 : start with 7 ."))
    assert lab.input_tokens(each) == (await lab.sample(each)).usage.input_tokens


async def test_logprobs_come_when_asked_for(lab):
    for one in (await lab.sample(ask(logprobs=True))).completions:
        assert len(one.logprobs) == one.output_tokens
        assert max(one.logprobs) <= 0 and one.confidences is None
    for one in (await lab.sample(ask(logprobs=True, top_logprobs=20))).completions:
        assert len(one.confidences) == one.output_tokens and min(one.confidences) > 0


async def test_a_prompt_that_leaves_no_room_is_an_error_with_the_numbers(lab):
    fits = await lab.sample(ask("1 " * 252, "0"))
    assert all(one.text for one in fits.completions) and fits.usage.input_tokens == 253
    with pytest.raises(QueryError, match=r"254 tokens .* context is 256; .* Shorten it to 253"):
        await lab.sample(ask("1 " * 253))
    with pytest.raises(QueryError, match="no token"):
        await lab.sample(ask(" "))
    with pytest.raises(QueryError, match="max_tokens is 1"):
        await lab.sample(ask(max_tokens=1))


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (Source(NAME), {}, "without an effort"),
        (Source(NAME, "4"), {}, "unknown effort '4'. Known: 0, 1, 2, 3"),
        (Source("tinny", "1"), {}, "unknown model 'tinny'"),
        (Source(NAME, "1"), {"temperature": -1.0}, "negative"),
    ],
)
async def test_what_the_client_cannot_do_is_a_configuration_error(lab, source, options, message):
    with pytest.raises(ConfigError, match=message):
        await lab.sample(Sample("q", source, (Message("user", PROMPT),), **options))


async def test_an_ask_that_is_given_up_does_not_disturb_the_others(lab, questions):
    asks = [ask(q.example.prompt, "3", 64, q.id) for q in questions[:8]]
    tasks = [asyncio.create_task(lab.sample(each)) for each in asks]
    await asyncio.sleep(0.005)
    for task in tasks[::2]:
        task.cancel()
    replies = await asyncio.gather(*tasks, return_exceptions=True)
    assert any(isinstance(reply, asyncio.CancelledError) for reply in replies)
    for each, reply in list(zip(asks, replies, strict=True))[1::2]:
        assert reply.completions == (await lab.sample(each)).completions


def test_one_client_serves_one_event_loop_after_another():
    client = LabClient()
    replies = [asyncio.run(client.sample(ask())) for _ in range(2)]
    assert replies[0].completions == replies[1].completions
    asyncio.run(client.aclose())
    asyncio.run(client.aclose())


async def test_closing_fails_what_is_in_flight():
    client = LabClient()
    task = asyncio.create_task(client.sample(ask(n=3000)))
    await asyncio.sleep(0.02)
    await client.aclose()
    with pytest.raises(ModelError, match="closed"):
        await task


async def test_a_defect_while_decoding_fails_the_ask_and_not_the_client(lab, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(client_module.Decoder, "step", lambda self: 1 / 0)
        with pytest.raises(ModelError, match="ZeroDivisionError"):
            await lab.sample(ask())
    assert len((await lab.sample(ask())).completions) == 4


def test_models_come_smallest_first_and_larger_ones_cost_more():
    models = list(LabClient().models.values())
    prices = [model.price.output_usd_per_mtok for model in models]
    assert prices == sorted(prices)
    assert models[0].labels() == ("0", "1", "2", "3")
    with pytest.raises(ConfigError, match="unknown embedded model 'tinny'"):
        LabClient(["tinny"])
