import asyncio
from dataclasses import replace

import pytest

from onedial.core.arm import Source
from onedial.core.ask import Completion, Failure, Refusal, Sample, Samples
from onedial.core.errors import ConfigError, ModelError, QueryError
from onedial.core.model import Model
from onedial.core.query import Message, Query
from onedial.core.usage import Price, Usage
from onedial.runtime.bound import TOKENS_PER_MESSAGE, TOKENS_PER_PROMPT
from onedial.runtime.driver import run
from onedial.runtime.ledger import Amount, Budget, Grant
from onedial.runtime.pool import Pool
from onedial.runtime.scripted import ScriptedClient, samples_of

PLAIN = Model("plain", Price(1.0, 2.0), max_output_tokens=100)
MANY = Model("many", Price(1.0, 2.0), max_output_tokens=100, capabilities=frozenset({"n"}))
PROMPT = 4 + TOKENS_PER_MESSAGE + TOKENS_PER_PROMPT


def ask(model="many", n=1, **fields):
    return Sample("q", Source(model), (Message("user", "2+2?"),), n, **fields)


def asking(*asks):
    """Steps that make these asks and return the replies."""
    replies = []
    for each in asks:
        reply = yield each
        replies += [reply]
    return replies


def right(asked, model):
    return samples_of(asked, model, [Completion("4", output_tokens=7)] * asked.n)


def pool(script=right, delay_s=0.0):
    return Pool([ScriptedClient([PLAIN, MANY], script, delay_s)])


@pytest.mark.parametrize(("asked", "worst"), [
    (ask(n=3), Usage(1, PROMPT, 0, 300)),
    (ask(n=3, max_tokens=10), Usage(1, PROMPT, 0, 30)),
    (ask(n=3, max_tokens=10_000), Usage(1, PROMPT, 0, 300)),
    (ask("plain", n=3, max_tokens=10), Usage(3, 3 * PROMPT, 0, 30)),
])  # fmt: skip
async def test_an_ask_is_sent_if_and_only_if_its_worst_case_fits(asked, worst):
    cost = PLAIN.price.cost_usd(worst)
    for budget, sent in (
        (Budget(cost, worst.tokens, worst.calls), True),
        (Budget(tokens=worst.tokens - 1), False),
        (Budget(cost * 0.999), False),
    ):
        pooled, grant = pool(), Grant(budget)
        [reply] = await run(asking(asked), pooled, grant)
        assert isinstance(reply, Samples if sent else Refusal)
        assert len(pooled.client("many").asked) == sent
        assert grant.reserved == Amount()


async def test_what_is_settled_is_what_was_used_and_the_rest_is_free_again():
    grant = Grant(Budget(tokens=PROMPT + 300))
    first, second = await run(asking(ask(n=3), ask(n=3)), pool(), grant)
    assert grant.usage == first.usage == Usage(1, 1, 0, 21)
    assert grant.spent.usd == pytest.approx(first.cost_usd)
    assert isinstance(second, Refusal) and f"{PROMPT + 278} tokens" in second.reason and f"{PROMPT + 300} tokens" in second.reason


async def test_siblings_reserve_before_launch_so_that_no_budget_is_spent_twice():
    worst = PROMPT + 100
    grant = Grant(Budget(tokens=5 * worst))
    pooled = pool(lambda a, m: samples_of(a, m, [Completion("", output_tokens=100)]), delay_s=0.001)
    replies = await asyncio.gather(*(run(asking(ask()), pooled, grant) for _ in range(20)))
    assert sum(isinstance(r, Samples) for [r] in replies) == 5
    assert grant.spent.tokens <= grant.budget.tokens


async def test_a_failure_reaches_the_strategy_and_what_it_used_is_settled():
    failure = Failure("timed out", Usage(1, 10, 0, 30, bounded=True), 7e-5)
    grant = Grant()
    assert await run(asking(ask()), pool(lambda a, m: failure), grant) == [failure]
    assert grant.usage == failure.usage and grant.spent.usd == pytest.approx(7e-5)


@pytest.mark.parametrize("error", [QueryError("too long"), ConfigError("no such effort"), ModelError("wrong key")])
async def test_errors_of_the_caller_end_the_run_and_cost_nothing(error):
    def fail(asked, model):
        raise error

    grant, steps = Grant(), asking(ask())
    with pytest.raises(type(error)):
        await run(steps, pool(fail), grant)
    assert grant.spent == grant.reserved == Amount() and steps.gi_frame is None


async def test_a_follow_up_that_does_not_fit_is_refused_and_what_came_before_it_is_kept():
    said = (Message("user", "2+2?"), Message("assistant", "5"), Message("user", "Are you sure?"))

    def short(asked, model):
        if len(asked.messages) > 1:
            raise QueryError("too long")
        return right(asked, model)

    grant = Grant()
    first, second = await run(asking(ask(), replace(ask(), messages=said)), pool(short), grant)
    assert isinstance(first, Samples) and second == Refusal("too long")
    assert grant.usage == first.usage and grant.reserved == Amount()


async def test_a_model_is_never_asked_a_query_without_text():
    grant, pooled = Grant(), pool()
    with pytest.raises(QueryError, match="'q' has no text, only recorded outcomes"):
        await run(asking(Sample("q", Source("many"), Query.without_text("q").messages)), pooled, grant)
    assert grant.spent == grant.reserved == Amount() and pooled.client("many").asked == []


async def test_a_cancelled_ask_is_settled_at_its_worst_case_and_marked():
    grant = Grant()
    task = asyncio.create_task(run(asking(ask(n=2)), pool(delay_s=60), grant))
    await asyncio.sleep(0.01)
    assert grant.reserved.calls == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert grant.usage == Usage(1, PROMPT, 0, 200, bounded=True) and grant.reserved == Amount()
    assert grant.spent.usd == pytest.approx(MANY.price.cost_usd(grant.usage))


async def test_an_unforeseen_error_is_not_free():
    def crash(asked, model):
        raise KeyError("bug")

    grant = Grant()
    with pytest.raises(KeyError):
        await run(asking(ask()), pool(crash), grant)
    assert grant.usage.bounded and grant.usage.output_tokens == 100


async def test_samples_are_shown_to_the_listener_with_their_ask():
    seen = []
    replies = await run(asking(ask(), ask(n=2)), pool(), Grant(), lambda a, s: seen.append((a, s)))
    assert seen == list(zip([ask(), ask(n=2)], replies, strict=True))


async def test_an_unknown_model_is_an_error_that_guesses_the_one_meant():
    with pytest.raises(ConfigError, match="Did you mean 'many'"):
        await run(asking(ask("manny")), pool(), Grant())


def test_two_models_of_one_name_are_an_error():
    with pytest.raises(ConfigError, match="two models are named 'plain'"):
        Pool([ScriptedClient([PLAIN], right), ScriptedClient([PLAIN], right)])


async def test_closing_a_pool_closes_every_client_and_may_be_repeated():
    closed = []

    class Closing(ScriptedClient):
        async def aclose(self):
            closed.append(set(self.models))

    async with Pool([Closing([PLAIN], right), Closing([MANY], right)]) as pooled:
        assert set(pooled.models) == {"plain", "many"}
    await pooled.aclose()
    assert closed == [{"plain"}, {"many"}] * 2
