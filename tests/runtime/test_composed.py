import pytest

from onedial.core.arm import Arm, Source
from onedial.core.ask import Completion, Failure, Refusal, Sample, Samples
from onedial.core.errors import ConfigError, QueryError
from onedial.core.model import Effort, Model
from onedial.core.query import Message
from onedial.core.usage import Price, Usage
from onedial.runtime.bound import worst_case
from onedial.runtime.composed import Composed, parse_method
from onedial.runtime.driver import answer
from onedial.runtime.ledger import Budget, Grant
from onedial.runtime.pool import Pool
from onedial.runtime.scripted import ScriptedClient, samples_of
from onedial.strategies.draw import Reading

SMALL = Model("small", Price(1.0, 4.0), (Effort("low"), Effort("high")), 2000, 50, frozenset({"n"}))
MESSAGES = (Message("system", "be brief"), Message("user", "how many ?"))
REVISED = Source("small+revise3", "low")
READING = Reading(verify=lambda query, answer: float(answer == "right"))


def wiser(ask, model):
    """A first attempt is wrong, and one that has seen two others is right."""
    seen = sum(message.role == "assistant" for message in ask.messages)
    return samples_of(ask, model, [Completion("right" if seen == 2 else f"wrong{seen}", output_tokens=10 + seen)] * ask.n)


def pool_of(script=wiser, methods=("revise=3",)):
    client = ScriptedClient([SMALL], script)
    inner = Pool([client])
    return Pool([client, Composed(inner, methods, READING)]), client


def ask(n=1, first=0, source=REVISED, messages=MESSAGES, **fields):
    return Sample("q", source, messages, n, first, **fields)


def test_a_method_over_a_model_is_one_more_model_of_the_same_efforts_and_price():
    pool, _ = pool_of(methods=("revise=3", "usc=4"))
    made = pool.models["small+revise3"]
    assert list(pool.models) == ["small", "small+revise3", "small+usc4"]
    assert made.composed and not SMALL.composed
    assert (made.price, made.labels(), made.asks) == (SMALL.price, SMALL.labels(), 4)
    assert Source("small+revise3", "low").base == "small" == Source("small").base
    assert Arm.parse("org/small+revise3/think=low/vote=2") == Arm(Source("org/small+revise3", "low"), "vote", 2)


async def test_one_completion_is_a_whole_run_and_costs_all_that_the_run_cost():
    pool, client = pool_of()
    reply = await pool.sample(ask(n=2, first=5))
    assert isinstance(reply, Samples)
    assert [c.text for c in reply.completions] == ["right", "right"]
    assert len(client.asked) == 6 and {a.source for a in client.asked} == {Source("small", "low")}
    assert [c.output_tokens for c in reply.completions] == [10 + 11 + 12] * 2
    assert reply.usage == reply.completions[0].usage + reply.completions[1].usage
    assert reply.usage.calls == 6 and reply.usage.output_tokens == 66
    assert reply.cost_usd == pytest.approx(SMALL.price.cost_usd(reply.usage))
    assert reply.applied_effort == "low"


async def test_every_run_draws_under_a_name_of_its_own():
    pool, client = pool_of()
    await pool.sample(ask(n=2, first=5))
    assert {a.query_id for a in client.asked} == {"q+revise3.5", "q+revise3.6"}


async def test_the_worst_case_is_reserved_before_and_never_passed():
    pool, _ = pool_of(lambda a, m: samples_of(a, m, [Completion("word " * 50, output_tokens=50)] * a.n))
    made, asked = pool.models["small+revise3"], ask(n=2)
    worst = worst_case(asked, made, pool.input_tokens(asked))
    assert worst.calls == 8 and worst.output_tokens == 2 * 4 * 50
    grant = Grant(Budget(tokens=worst.tokens, calls=worst.calls))
    reply = await answer(asked, pool, grant)
    assert isinstance(reply, Samples)
    assert reply.usage.input_tokens <= worst.input_tokens and reply.usage.output_tokens <= worst.output_tokens
    assert grant.usage == reply.usage and grant.overrun.tokens == 0
    assert isinstance(await answer(asked, pool, Grant(Budget(tokens=worst.tokens - 1))), Refusal)


async def test_a_run_that_brings_nothing_is_a_failure_with_what_it_cost():
    pool, _ = pool_of(lambda a, m: Failure("timed out", Usage(1, 7, 0, 3), 1.9e-5))
    reply = await pool.sample(ask(n=2))
    assert isinstance(reply, Failure) and "timed out" in reply.message
    assert reply.usage == Usage(2, 14, 0, 6) and reply.cost_usd == pytest.approx(3.8e-5)


async def test_what_is_no_plain_query_or_not_there_is_refused_before_anything_is_asked():
    pool, client = pool_of()
    wrong = [ask(source=Source("small+revise3", "huge")), ask(source=Source("small+revise9")), ask(continue_from="so"), ask(logprobs=True)]
    for one in wrong:
        with pytest.raises(ConfigError):
            await pool.client("small+revise3").sample(one)
    with pytest.raises(QueryError, match="empty prompt"):
        await pool.sample(ask(messages=(Message("user", " "),)))
    assert not client.asked


async def test_the_first_error_of_a_run_is_raised_as_it_was():
    def broken(ask, model):
        raise QueryError("too long")

    pool, _ = pool_of(broken)
    with pytest.raises(QueryError, match="too long"):
        await pool.sample(ask(n=3))


@pytest.mark.parametrize("text", ["revise", "revise=0", "revise=x", "nothing=3", "vote=4", "direct=1", "best=2"])
def test_a_method_that_is_none_or_that_adds_nothing_is_refused(text):
    with pytest.raises(ConfigError, match=text):
        parse_method(text)


async def test_reflections_fit_into_the_bound_of_a_run():
    client = ScriptedClient([SMALL], wiser)
    reading = Reading(verify=lambda query, answer: 0.0)
    pool = Pool([client, Composed(Pool([client]), ["reflect=3"], reading)])
    reply = await pool.sample(ask(source=Source("small+reflect3", "low")))
    assert reply.usage.calls == pool.models["small+reflect3"].asks == 5
