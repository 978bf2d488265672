"""How several samples are asked for where each takes a request of its own."""

import asyncio

import pytest

from onedial.core.arm import Source
from onedial.core.ask import Failure, Sample, Samples
from onedial.core.errors import ModelError
from onedial.core.model import Model
from onedial.core.query import Message
from onedial.core.usage import Price, Usage
from onedial.runtime.driver import answer
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.fan_out import Warmth, share_saved
from onedial.runtime.ledger import Budget, Grant
from onedial.runtime.openai import OpenAIClient
from onedial.runtime.pool import Pool

CAP, WORDS = 20, 60
LONG, SHORT = "word " * WORDS, "word"
CACHES = frozenset({"cache"})
PRICE = Price(1.0, 3.0, 0.1)


def ask(n=4, prompt=LONG, query="q"):
    return Sample(query, Source("m"), (Message("user", prompt),), n)


@pytest.fixture
async def asking(upstream):
    """Make a function that asks the upstream, through one client; closed at the end."""
    pools = []

    def make(capabilities=CACHES, price=PRICE, retries=0, **fields):
        model = Model("m", price, max_output_tokens=CAP, capabilities=capabilities)
        endpoint = Endpoint(model, upstream.url, "up", retries=retries, **{"cache_from_tokens": 50, **fields})
        pools.append(Pool([OpenAIClient([endpoint], sleep=lambda seconds: asyncio.sleep(0))]))
        return lambda asked, grant=None: answer(asked, pools[-1], grant or Grant())

    yield make
    for pool in pools:
        await pool.aclose()


async def test_where_choices_come_in_one_reply_one_request_is_sent(upstream, asking):
    await asking(CACHES | {"n"})(ask())
    assert [body.get("n") for body in upstream.bodies] == [4]


async def test_a_prompt_that_is_worth_caching_is_read_once_before_the_others_are_sent_together(upstream, asking):
    upstream.caches = True
    reply = await asking()(ask())
    assert [bill.cached_tokens for bill in upstream.bills] == [0, *[WORDS] * 3]
    assert reply.usage == upstream.billed and len(reply.completions) == 4
    assert reply.cost_usd == pytest.approx(PRICE.cost_usd(upstream.billed))


async def test_the_others_go_together_once_the_first_is_answered(upstream, asking):
    upstream.caches, ask_it = True, asking()
    await ask_it(ask(1))
    upstream.together = 4
    await ask_it(ask())
    assert upstream.most_under_way == 4, "the prompt is warm, so that none has to go first"


@pytest.mark.parametrize(("change", "prompt"), [
    ({"capabilities": frozenset()}, LONG),
    ({"price": Price(1.0, 3.0)}, LONG),
    ({"price": Price(1.0, 300.0, 0.1)}, LONG),
    ({"cache_from_tokens": 1024}, LONG),
    ({}, SHORT),
], ids=["not cached", "no cheaper when cached", "too little of the bill", "below the provider's minimum", "short"])  # fmt: skip
async def test_where_no_cache_pays_all_are_sent_at_once(upstream, asking, change, prompt):
    upstream.together = 4
    reply = await asking(**change)(ask(prompt=prompt))
    assert upstream.most_under_way == 4 and reply.usage == upstream.billed


async def test_after_a_first_that_saved_nothing_none_goes_first_again(upstream, asking):
    ask_it = asking()
    await ask_it(ask())
    upstream.together = 4
    await ask_it(ask(prompt=LONG + "more"))
    assert upstream.most_under_way == 4


def test_a_prompt_cools_down_and_only_so_many_are_remembered(monkeypatch):
    from onedial.runtime import fan_out
    from onedial.runtime.cutting import Part

    now, came = [0.0], [Part(("text",), Usage(1, 9, 9))] * 2
    warmth, endpoint = Warmth(lambda: now[0]), Endpoint(Model("m", PRICE, max_output_tokens=CAP, capabilities=CACHES), "", "up")
    one, other = ask(prompt="word " * 2000), ask(prompt="other " * 2000)
    assert warmth.first_alone(one, endpoint)
    warmth.note(one, came, alone=True)
    assert not warmth.first_alone(one, endpoint) and warmth.first_alone(other, endpoint)
    now[0] = fan_out.WARM_S
    assert warmth.first_alone(one, endpoint)
    monkeypatch.setattr(fan_out, "REMEMBERED", 1)
    for each in (one, other):
        warmth.note(each, came, alone=True)
    assert warmth.first_alone(one, endpoint) and not warmth.first_alone(other, endpoint)


def test_what_going_first_saves_is_a_share_of_the_whole_bill():
    assert share_saved(2, 100, 0, Price(1.0, 1.0, 0.0)) == 0.5
    assert share_saved(2, 100, 0, Price(0.0, 0.0, 0.0)) == share_saved(8, 100, 10, Price(1.0, 1.0)) == 0.0


async def test_no_more_requests_are_under_way_than_the_model_takes(upstream, asking):
    upstream.together = 2
    reply = await asking(frozenset(), concurrency=2)(ask(6))
    assert upstream.most_under_way == 2 and len(reply.completions) == 6 and reply.usage == upstream.billed


async def test_the_worst_case_is_reserved_before_and_what_was_used_is_settled_after(upstream, asking):
    upstream.caches, grant = True, Grant(Budget(tokens=10_000))
    reply = await asking()(ask(), grant)
    assert grant.usage == reply.usage == upstream.billed and grant.reserved.tokens == 0
    assert "exceeds what is left" in (await asking()(ask(), Grant(Budget(calls=3)))).reason and len(upstream.bodies) == 4


@pytest.mark.parametrize("capabilities", [frozenset(), CACHES])
async def test_of_a_partial_batch_what_came_is_kept_in_order_and_all_is_charged(upstream, asking, capabilities):
    upstream.faults, grant = [None, 500, "garbage"], Grant()
    reply = await asking(capabilities, concurrency=1)(ask(), grant)
    assert isinstance(reply, Samples) and [c.text for c in reply.completions] == ["one two three", "five six"]
    used = grant.usage
    assert used == reply.usage and used.bounded and used.calls == len(upstream.bills) == 3
    assert used.output_tokens >= upstream.output_tokens and used.input_tokens >= upstream.prompt_tokens


async def test_a_foreseen_error_among_others_that_came_is_kept_from_them_and_alone_it_is_raised(upstream, asking):
    upstream.faults = [None, 401]
    reply = await asking(frozenset())(ask(3))
    assert len(reply.completions) == 2 and reply.usage == upstream.billed
    upstream.faults = [401] * 4
    with pytest.raises(ModelError, match="answered 401"):
        await asking()(ask())
    assert len(upstream.bodies) == 3 + 1, "the first goes alone, and its error is the others' too"


@pytest.mark.parametrize("n", [1, 2])
async def test_what_was_lost_before_an_error_that_ends_it_is_charged(upstream, asking, n):
    upstream.faults, grant = ["garbage"] * n + [401] * n, Grant()
    with pytest.raises(ModelError):
        await asking(frozenset(), retries=1)(ask(n), grant)
    assert grant.usage.bounded and grant.usage.calls == len(upstream.bills) == n
    assert grant.usage.output_tokens >= upstream.output_tokens and grant.reserved.calls == 0


async def test_cancelled_it_is_charged_what_came_and_a_bound_of_what_was_under_way_and_nothing_of_what_was_not_sent(upstream, asking):
    upstream.faults, grant = [None, "hang"], Grant()
    task = asyncio.create_task(asking(frozenset(), concurrency=1)(ask(5), grant))
    await upstream.hanging.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert grant.usage.bounded and grant.usage.calls == 2
    assert grant.usage.output_tokens == upstream.bills[0].output_tokens + CAP and grant.usage.input_tokens >= upstream.prompt_tokens


async def test_cancelled_while_it_waits_to_try_again_it_is_charged_what_was_lost(upstream):
    waits = asyncio.Event()

    async def sleep(seconds):
        waits.set()
        await asyncio.sleep(30)

    upstream.faults, grant = ["garbage"], Grant()
    endpoint = Endpoint(Model("m", PRICE, max_output_tokens=CAP), upstream.url, "up")
    async with Pool([OpenAIClient([endpoint], sleep=sleep)]) as pool:
        task = asyncio.create_task(answer(ask(1), pool, grant))
        await waits.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert grant.usage.bounded and (grant.usage.calls, grant.usage.output_tokens) == (1, CAP)


async def test_a_failure_of_all_is_a_failure_that_tells_every_reason_once(upstream, asking):
    upstream.faults = [500] * 4
    reply = await asking()(ask())
    assert isinstance(reply, Failure) and reply.usage == Usage() and reply.message.count("busy") == 1
