"""The bill of every registered strategy and judge, against an endpoint that knows what it read and wrote; new ones enter by themselves."""

import asyncio
from dataclasses import dataclass

import pytest

from onedial.core.answer import Candidate
from onedial.core.arm import Arm, Source
from onedial.core.ask import Sample, Samples
from onedial.core.errors import ModelError, OnedialError
from onedial.core.model import Model
from onedial.core.query import Query
from onedial.core.usage import Price, Usage
from onedial.runtime.composed import WITHOUT_GAIN, Composed
from onedial.runtime.driver import answer, run
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.ledger import Grant
from onedial.runtime.openai import OpenAIClient
from onedial.runtime.pool import Pool
from onedial.runtime.reward import RewardClient
from onedial.runtime.reward_wire import RewardEndpoint
from onedial.strategies.draw import Reading
from onedial.strategies.registry import SETTINGS, STRATEGIES, steps_of
from onedial.verifiers.judges.contract import metered
from onedial.verifiers.judges.pointwise import pointwise
from onedial.verifiers.judges.registry import JUDGES
from onedial.verifiers.process import Process
from upstream import Upstream, served

QUERY = Query("q", "which of these colours comes next ?", system="be brief")
SINGLY = frozenset({"logprobs", "continue", "cache"})
ABLE = SINGLY | {"n", "thinking_cap"}
MODELS = {"m": Price(1.0, 4.0, 0.1), "other": Price(2.0, 8.0, 0.2), "wise": Price(10.0, 40.0, 1.0)}
REWARDS = ("outcome", "process")
TEXTS = ["so it may\n\nbe that it\n\nis red", "blue", "Score: 3", "no it\n\nis green", "red", "so\nScore: 8", "hm", "2"]
EXTRA = {"others": "other", "warm": "2", "block": "1"}
"""What is set of strategies that have it to set: more than one source, and small blocks."""

every_strategy = pytest.mark.parametrize("name", STRATEGIES)
every_judge = pytest.mark.parametrize("kind", JUDGES)


@pytest.fixture
async def upstream():
    async with served(Upstream()) as played:
        played.texts, played.thought, played.caches = TEXTS, 2, True
        yield played


def reading(judge=None):
    judge = judge or pointwise(Source("wise"))
    return Reading(verify=lambda query, said: {"red": 0.4, "green": 0.6}.get(said), judge=judge, process=Process(judge=judge, tokens=7))


async def at_once(seconds):
    await asyncio.sleep(0)


def pool_of(upstream, capabilities=ABLE, retries=3):
    models = [Model(name, price, max_output_tokens=30, capabilities=capabilities) for name, price in MODELS.items()]
    ends = [Endpoint(model, upstream.url, "up", retries=retries, thinking_end="</think>", cache_from_tokens=1) for model in models]
    rewards = [RewardEndpoint.at(name, upstream.url, 0.5) for name in REWARDS]
    return Pool([OpenAIClient(ends, sleep=at_once), RewardClient(rewards, sleep=at_once)])


def steps(name, judge=None):
    settings = tuple((key, EXTRA[key]) for key in SETTINGS.get(name, {}) if key in EXTRA)
    return steps_of(Arm(Source("m"), name, 4, settings), QUERY, reading(judge))


@dataclass
class Played:
    """What came of a run, or the error that ended it."""

    grant: Grant
    answer: object = None
    error: Exception | None = None


async def played(upstream, name, faults=(), judge=None, **options):
    upstream.faults, upstream.names, grant = [*faults], ["up", *REWARDS], Grant()
    async with pool_of(upstream, **options) as pool:
        try:
            return Played(grant, await run(steps(name, judge), pool, grant))
        except OnedialError as error:
            return Played(grant, error=error)


def cost_usd(upstream):
    """The least that the true bill can cost."""
    return min(price.cost_usd(upstream.billed) for price in MODELS.values())


def covers(used, billed):
    """Whether a bill with bounds in it is one: flagged, and nowhere below the truth."""
    return used.bounded and used.calls >= billed.calls and used.input_tokens >= billed.input_tokens and (
        used.output_tokens >= billed.output_tokens and used.input_tokens - used.cached_tokens >= billed.input_tokens - billed.cached_tokens
    )  # fmt: skip


@every_strategy
@pytest.mark.parametrize("capabilities", [ABLE, SINGLY], ids=["n", "singly"])
async def test_every_call_and_every_prompt_cached_thinking_and_output_token_is_counted(upstream, name, capabilities):
    run = await played(upstream, name, capabilities=capabilities)
    assert run.answer.text is not None and run.answer.spend.usage == run.grant.usage == upstream.billed
    assert upstream.billed.calls == len(upstream.bodies) and upstream.billed.thinking_tokens > 0
    assert run.grant.spent.usd == pytest.approx(run.answer.spend.cost_usd) and not run.grant.usage.bounded


@every_strategy
@pytest.mark.parametrize("capabilities", [ABLE, SINGLY], ids=["n", "singly"])
async def test_refused_attempts_are_free_and_asked_again(upstream, name, capabilities):
    run = await played(upstream, name, [429, 500, None, 503, None, None, 429], capabilities=capabilities)
    assert run.answer.spend.usage == run.grant.usage == upstream.billed and len(upstream.bodies) > upstream.billed.calls


@every_strategy
async def test_of_a_partial_batch_what_came_is_counted_and_nothing_else(upstream, name):
    run = await played(upstream, name, [500, None, 500, None, None, 500], capabilities=SINGLY, retries=0)
    assert run.answer.spend.usage == run.grant.usage == upstream.billed


@every_strategy
@pytest.mark.parametrize("capabilities", [ABLE, SINGLY], ids=["n", "singly"])
async def test_what_was_generated_and_did_not_arrive_is_charged_a_bound_that_is_flagged(upstream, name, capabilities):
    run = await played(upstream, name, ["garbage", None, "truncate", "no_choices", None, "drop"], capabilities=capabilities)
    used = run.answer.spend.usage
    assert used == run.grant.usage and covers(used, upstream.billed) and used.calls == upstream.billed.calls
    assert run.grant.spent.usd >= cost_usd(upstream)


@every_strategy
@pytest.mark.parametrize("capabilities", [ABLE, SINGLY], ids=["n", "singly"])
async def test_where_nothing_is_reported_a_bound_is_charged_and_flagged(upstream, name, capabilities):
    upstream.no_usage = True
    run = await played(upstream, name, capabilities=capabilities)
    assert covers(run.grant.usage, upstream.billed) and run.grant.usage.calls == upstream.billed.calls == len(upstream.bodies)


@every_strategy
@pytest.mark.parametrize("lost", [False, True], ids=["nothing lost", "an attempt lost"])
async def test_an_error_that_ends_it_leaves_all_that_was_used_on_the_ledger(upstream, name, lost):
    faults = ["garbage", None, None, "garbage", *[401] * 99] if lost else [None, None, None, *[401] * 99]
    run = await played(upstream, name, faults, capabilities=SINGLY)
    assert isinstance(run.error, ModelError | None) and (run.error is None or upstream.bills)
    used = run.grant.usage
    assert (covers(used, upstream.billed) and used.calls == upstream.billed.calls) if lost else used == upstream.billed
    assert run.grant.reserved.calls == 0


@every_strategy
@pytest.mark.parametrize("capabilities", [ABLE, SINGLY], ids=["n", "singly"])
async def test_cancelled_in_the_middle_it_is_charged_what_came_and_a_bound_of_the_rest(upstream, name, capabilities):
    for faults in ([None, "hang"], ["hang"]):
        upstream.faults, grant, before = faults, Grant(), len(upstream.bills)
        async with pool_of(upstream, capabilities) as pool:
            task, hangs = asyncio.create_task(run(steps(name), pool, grant)), asyncio.create_task(upstream.hanging.wait())
            await asyncio.wait([task, hangs], return_when=asyncio.FIRST_COMPLETED)
            hangs.cancel()
            if task.cancel():
                with pytest.raises(asyncio.CancelledError):
                    await task
                break
    assert covers(grant.usage, sum(upstream.bills[before:], Usage())) and grant.reserved.calls == 0


@pytest.mark.parametrize("name", [name for name in STRATEGIES if name not in WITHOUT_GAIN])
@pytest.mark.parametrize("faults", [(), (None, None, "garbage", None), (None, None, *[401] * 99)], ids=["well", "lost", "refused"])
async def test_a_run_that_is_a_model_is_billed_for_all_that_it_asks(upstream, name, faults):
    upstream.faults, grant = [*faults], Grant()
    async with pool_of(upstream, SINGLY) as pool:
        made = Pool([Composed(pool, [f"{name}=3"], reading(pointwise(Source("m"))), ["m"])])
        try:
            reply = await answer(Sample("q", Source(f"m+{name}3"), QUERY.messages, 2), made, grant)
            assert isinstance(reply, Samples) and reply.usage == grant.usage
        except ModelError:
            assert 401 in faults
    assert covers(grant.usage, upstream.billed) if grant.usage.bounded else grant.usage == upstream.billed
    assert not grant.usage.bounded or faults, "a run that ends the other one under way is charged a bound of that"


def judge_of(kind):
    model = Model("wise", MODELS["wise"], capabilities=ABLE)
    return JUDGES[kind](Source(kind if kind in REWARDS else "wise"), model)


@every_judge
@pytest.mark.parametrize("faults", [[], [429, None, 500, 503]], ids=["well", "refused"])
async def test_every_token_of_a_judge_is_counted(upstream, kind, faults):
    run = await played(upstream, "best", [None, *faults], judge_of(kind))
    assert run.answer.spend.usage == run.grant.usage == upstream.billed and upstream.billed.calls >= 2
    assert run.grant.spent.usd == pytest.approx(run.answer.spend.cost_usd)


@every_judge
@pytest.mark.parametrize("fault", ["garbage", "truncate", "no report"])
async def test_a_verdict_that_is_lost_or_not_reported_is_charged_a_bound_that_is_flagged(upstream, kind, fault):
    upstream.no_usage = fault == "no report"
    run = await played(upstream, "best", [None, None if upstream.no_usage else fault], judge_of(kind))
    assert run.answer.spend.usage == run.grant.usage and covers(run.grant.usage, upstream.billed)
    assert run.grant.usage.calls == upstream.billed.calls


@every_judge
async def test_a_judge_that_is_cancelled_is_charged_a_bound_that_is_flagged(upstream, kind):
    upstream.faults, grant, upstream.names = ["hang"], Grant(), ["up", *REWARDS]
    candidates = [Candidate(Source("m"), i, text, text) for i, text in enumerate(["it is red", "it is blue"])]
    async with pool_of(upstream) as pool:
        task = asyncio.create_task(run(metered(judge_of(kind), QUERY, candidates), pool, grant))
        await upstream.hanging.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert covers(grant.usage, upstream.billed) and grant.usage.calls >= 1


def test_usage_that_holds_a_bound_stays_flagged_however_it_is_added():
    assert (Usage(1) + Usage(1, bounded=True) + Usage(1)).bounded and not (Usage(1) + Usage(1)).bounded
