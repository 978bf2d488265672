"""A cap on thought over HTTP: never an empty answer, every token billed as the upstream counts it."""

import random
from contextlib import asynccontextmanager

import pytest

from onedial.core.arm import Arm, Source
from onedial.core.ask import Failure, Sample, Samples
from onedial.core.errors import ConfigError
from onedial.core.model import Effort, Model
from onedial.core.query import Query
from onedial.core.usage import Price, Usage
from onedial.runtime.bound import worst_case
from onedial.runtime.composed import Composed
from onedial.runtime.driver import run
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.ledger import Budget, Grant
from onedial.runtime.openai import OpenAIClient
from onedial.runtime.pool import Pool
from onedial.runtime.thinking import BY_NAME
from onedial.strategies.budget_forcing import SUFFIX
from onedial.strategies.draw import Reading
from onedial.strategies.registry import steps_of
from upstream import Upstream, served

QUERY = Query("q", "what is six times seven")
THOUGHT, ANSWER, CAP, MOST = "a b c d e f", "it is 42", 3, 40
CUT = {"capabilities": frozenset({"continue"}), "thinking_end": "</think>"}
NATIVE = {"capabilities": frozenset({"thinking_cap", "continue"}), "thinking_end": "</think>", "family": BY_NAME["vllm"]}


class Thinker(Upstream):
    """Thinks, closes its thought and answers, a token per word and mark; continues what it is given.

    Attributes:
        thinks, answer: What it writes.
        apart: Whether it shows thought in a field of its own.
        keeps_cap: Whether it heeds `thinking_token_budget`.
        mistakes: Whether its parser takes an answer for thought where it did not see the mark before it.
    """

    def __init__(self, apart=False):
        super().__init__()
        self.thinks, self.answer, self.apart, self.keeps_cap, self.mistakes = THOUGHT, ANSWER, apart, True, False

    def _choice(self, body):
        last = body["messages"][-1]
        said = last["content"] if last["role"] == "assistant" else ""
        thought, closed, answer = said.removeprefix("<think>").partition("</think>")
        budget = body.get("thinking_token_budget", 99) if self.keeps_cap else 99
        left = [] if closed else [*self.thinks.split()[len(thought.split()) :][:budget], "</think>"]
        words = left + self.answer.split()[len(answer.split()) :]
        cut = len(words) >= body["max_tokens"]
        words = words[: body["max_tokens"]]
        end = words.index("</think>") if "</think>" in words else len(words) if left else 0
        message = self._message(words[:end], " " * bool(answer.split()) + " ".join(words[end + bool(left) :]), "</think>" in words, said)
        return {"message": message, "finish_reason": "length" if cut else "stop"}, len(words) + (not cut), end

    def _message(self, thought, text, over, said):
        if self.apart:
            aside = self.mistakes and said and not thought
            return {"content": None if aside else text, "reasoning_content": text if aside else " ".join(thought)}
        opened = "<think>\n" * (not said) + " ".join(thought) + "\n</think>\n\n" * over
        return {"content": (opened if thought or over else "") + text}


@asynccontextmanager
async def client_of(upstream, efforts=(), **fields):
    capabilities = fields.pop("capabilities", frozenset())
    model = Model("m", Price(1.0, 3.0), efforts, max_output_tokens=MOST, capabilities=capabilities)
    async with served(upstream):
        client = OpenAIClient([Endpoint(model, upstream.url, "up", **fields)], rng=random.Random(0))
        try:
            yield client
        finally:
            await client.aclose()


def ask(n=1, effort=None, cap=CAP, **fields):
    return Sample("q", Source("m", effort), QUERY.messages, n, max_thinking_tokens=cap, **fields)


def truth(upstream, thinking):
    """The bill as the upstream counts it, of which so much is thought."""
    assert upstream.billed.thinking_tokens == thinking
    return upstream.billed


@pytest.mark.parametrize("apart", [False, True], ids=["inline", "apart"])
async def test_a_thought_is_cut_at_the_cap_closed_with_its_mark_and_answered(apart):
    upstream = Thinker(apart)
    async with client_of(upstream, **CUT) as client:
        reply = await client.sample(ask())
    first, second = upstream.bodies
    assert (first["max_tokens"], second["max_tokens"]) == (CAP, MOST - CAP)
    thought = "a b c"
    assert second["messages"][-1] == {"role": "assistant", "content": f"<think>\n{thought}\n</think>\n\n"}
    assert second["continue_final_message"] is True and second["add_generation_prompt"] is False
    done = reply.completions[0]
    assert (done.text, done.thinking, done.finish) == (ANSWER, thought, "stop")
    assert (done.thinking_tokens, done.output_tokens) == (CAP, upstream.output_tokens)
    assert reply.usage == truth(upstream, CAP) == done.usage and not reply.usage.bounded


@pytest.mark.parametrize("apart", [False, True], ids=["inline", "apart"])
async def test_a_thought_that_is_over_in_time_takes_no_second_request_unless_its_answer_was_cut(apart):
    upstream = Thinker(apart)
    async with client_of(upstream, **CUT) as client:
        whole, cut = await client.sample(ask(cap=30)), await client.sample(ask(cap=8))
    assert [r.completions[0].text for r in (whole, cut)] == [ANSWER, ANSWER]
    assert (whole.usage.calls, cut.usage.calls) == (1, 2)
    assert upstream.bodies[2]["messages"][-1]["content"].endswith("</think>\n\nit")


async def test_several_samples_are_cut_one_by_one_and_the_bill_is_within_the_bound():
    upstream = Thinker()
    async with client_of(upstream, **{**CUT, "capabilities": frozenset({"continue", "n"})}) as client:
        bound = worst_case(ask(3), client.models["m"], client.input_tokens(ask(3)))
        reply = await client.sample(ask(3))
    assert [c.text for c in reply.completions] == [ANSWER] * 3 and reply.usage == truth(upstream, 3 * CAP)
    assert bound.calls == reply.usage.calls == 6
    assert bound.input_tokens >= reply.usage.input_tokens and bound.output_tokens >= reply.usage.output_tokens


async def test_an_answer_that_a_parser_takes_for_thought_is_an_answer_all_the_same():
    upstream = Thinker(apart=True)
    upstream.mistakes = True
    async with client_of(upstream, **CUT) as client:
        assert (await client.sample(ask())).completions[0].text == ANSWER


async def test_where_nothing_is_said_once_the_thought_is_closed_there_is_no_answer_and_a_bill():
    upstream = Thinker()
    upstream.answer = ""
    async with client_of(upstream, **CUT) as client:
        failed = await client.sample(ask())
    assert isinstance(failed, Failure) and "said nothing once its thought was closed" in failed.message
    assert failed.usage == truth(upstream, CAP)


async def test_a_thought_that_is_hidden_cannot_be_closed_and_what_it_took_is_charged():
    upstream = Thinker()
    upstream._message = lambda *_: {"content": ""}
    async with client_of(upstream, **CUT) as client:
        failed = await client.sample(ask())
    assert isinstance(failed, Failure) and "shows nothing of its thought, so that one cut after 3 tokens" in failed.message
    assert failed.usage == truth(upstream, CAP) == Usage(1, 5, 0, CAP, CAP)


async def test_a_cap_that_is_kept_by_cutting_is_not_handed_on_without_it():
    upstream = Thinker()
    async with client_of(upstream, (Effort("low", "cap", CAP, native=False), Effort("high")), **CUT) as client:
        with pytest.raises(ConfigError, match="'m/think=low' caps its thought by cutting it"):
            await client.forward(Source("m", "low"), {"messages": []})
    assert upstream.bodies == []


async def test_a_capped_strategy_as_a_model_reserves_both_requests_and_no_more():
    upstream = Thinker()
    async with client_of(upstream, **CUT) as client:
        base = Pool([client])
        pool = Pool([client, Composed(base, ["cap=3", "revise=2"], Reading())])
        asked = Sample("q", Source("m+cap3"), QUERY.messages)
        worst = worst_case(asked, pool.model("m+cap3"), pool.input_tokens(asked))
        reply = await pool.sample(asked)
    assert (pool.model("m+cap3").asks, pool.model("m+revise2").asks, worst.calls) == (2, 3, 2)
    assert reply.completions[0].text == ANSWER and reply.usage == truth(upstream, CAP)


async def test_a_strategy_over_efforts_whose_cap_is_cut_reserves_two_requests_for_each_of_its_own():
    upstream = Thinker()
    async with client_of(upstream, (Effort("low", "cap", CAP, native=False),), **CUT) as client:
        pool = Pool([client, Composed(Pool([client]), ["revise=2"], Reading())])
        asked = Sample("q", Source("m+revise2", "low"), QUERY.messages)
        reply = await pool.sample(asked)
    assert worst_case(asked, pool.model("m+revise2"), 1).calls == 6 and reply.usage.calls == len(upstream.bodies) == 4


async def test_a_second_request_that_fails_is_charged_like_the_first_and_no_answer_comes_of_it():
    upstream = Thinker()
    async with client_of(upstream, retries=0, **CUT) as client:
        upstream.faults = [None, "garbage"]
        failed = await client.sample(ask())
    assert isinstance(failed, Failure) and "cannot be read" in failed.message
    assert failed.usage.calls == 2 and failed.usage.bounded and failed.usage.output_tokens >= upstream.output_tokens


@pytest.mark.parametrize("apart", [False, True], ids=["inline", "apart"])
async def test_a_family_with_a_hard_cap_is_asked_for_it_in_one_request(apart):
    upstream = Thinker(apart)
    async with client_of(upstream, **NATIVE) as client:
        reply = await client.sample(ask())
    assert [body["thinking_token_budget"] for body in upstream.bodies] == [CAP]
    assert (reply.completions[0].text, reply.usage.calls) == (ANSWER, 1)


async def test_an_endpoint_that_does_not_keep_its_cap_is_found_out_and_its_thoughts_are_cut_from_then_on():
    upstream = Thinker()
    upstream.keeps_cap, upstream.thinks = False, "on and on " * 20
    async with client_of(upstream, **NATIVE) as client:
        failed = await client.sample(ask())
        assert isinstance(failed, Failure) and "does not keep the cap" in failed.message and "--reasoning-config" in failed.message
        assert failed.usage.output_tokens == MOST and "thinking_cap" not in client.models["m"].capabilities
        reply = await client.sample(ask())
    assert isinstance(reply, Samples) and reply.completions[0].text == ANSWER
    assert "thinking_token_budget" not in upstream.bodies[-1]


async def test_an_effort_of_kind_cap_is_kept_by_cutting_where_nobody_else_keeps_it():
    upstream, low = Thinker(), Effort("low", "cap", CAP, native=False)
    async with client_of(upstream, (low,), **CUT) as client:
        reply = await client.sample(ask(effort="low", cap=None))
        assert (reply.completions[0].text, reply.completions[0].thinking_tokens) == (ANSWER, CAP)
        with pytest.raises(ConfigError, match="where a text is continued"):
            await client.sample(ask(effort="low", cap=None, continue_from="so"))


async def test_an_ask_that_itself_allows_no_more_than_the_cap_is_sent_as_it_is():
    upstream = Thinker()
    async with client_of(upstream, **CUT) as client:
        reply = await client.sample(ask(max_tokens=2))
    assert len(upstream.bodies) == 1 and reply.completions[0].finish == "length"


@pytest.mark.parametrize(("asked", "fields", "told"), [
    (ask(), {}, "no hard cap of its endpoint is known"),
    (ask(), {"capabilities": frozenset({"continue"})}, "thinking_end = the mark behind a thought"),
    (ask(), {"family": BY_NAME["gpt-5"]}, "family 'gpt-5' has no hard cap"),
    (ask(cap=MOST), CUT, "leaves no room for an answer in its 40 output tokens. Allow 48"),
    (ask(), {"family": BY_NAME["claude"], "capabilities": frozenset({"thinking_cap"})}, "takes caps of 1024 tokens or more, found 3"),
])  # fmt: skip
async def test_a_cap_that_cannot_be_kept_is_an_error_before_anything_is_sent(asked, fields, told):
    upstream = Thinker()
    async with client_of(upstream, **fields) as client:
        with pytest.raises(ConfigError) as error:
            await client.sample(asked)
    assert told in str(error.value) and upstream.bodies == []


async def test_a_capped_arm_runs_live_within_its_budget():
    upstream = Thinker()
    async with client_of(upstream, **CUT) as client:
        for calls, text in ((1, None), (2, ANSWER)):
            grant = Grant(Budget(calls=calls))
            answer = await run(steps_of(Arm.parse("m/cap=3"), QUERY, Reading()), Pool([client]), grant)
            assert answer.text == text and answer.spend.usage == grant.usage
    assert grant.usage == truth(upstream, CAP)


@pytest.mark.parametrize("apart", [False, True], ids=["inline", "apart"])
async def test_a_forced_thought_goes_on_from_its_opening_mark_over_http(apart):
    upstream = Thinker(apart)
    async with client_of(upstream, **CUT) as client:
        answer = await run(steps_of(Arm.parse("m/force=2"), QUERY, Reading()), Pool([client]), Grant())
    assert upstream.bodies[1]["messages"][-1] == {"role": "assistant", "content": f"<think>\n{THOUGHT}{SUFFIX}"}
    assert answer.text == ANSWER and len(answer.candidates) == 2


async def test_a_model_that_cannot_be_continued_is_refused_by_force_before_anything_is_paid():
    upstream, grant = Thinker(), Grant()
    async with client_of(upstream) as client:
        with pytest.raises(ConfigError, match="lacks the capability 'continue' that a later ask of this run takes, so nothing was asked"):
            await run(steps_of(Arm.parse("m/force=2"), QUERY, Reading()), Pool([client]), grant)
        assert upstream.bodies == [] and grant.usage == Usage()
        assert (await run(steps_of(Arm.parse("m/force=1"), QUERY, Reading()), Pool([client]), grant)).text
