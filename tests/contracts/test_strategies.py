"""The exam of every registered strategy; adding one to the registry enters it here."""

from dataclasses import replace
from itertools import count
from operator import eq, ge

import pytest

from onedial.core.answer import Answer, Spend
from onedial.core.arm import Source
from onedial.core.ask import Completion, Failure, Refusal, Samples
from onedial.core.model import Effort, Model
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.core.steps import drive
from onedial.core.usage import Price, Usage
from onedial.runtime.driver import run
from onedial.runtime.ledger import Budget, Grant
from onedial.runtime.pool import Pool
from onedial.runtime.replay import Recording, Replay
from onedial.runtime.scripted import ScriptedClient, samples_of
from onedial.strategies.draw import Reading
from onedial.strategies.reflexion import REFLECT
from onedial.strategies.registry import STRATEGIES, most_asks
from onedial.strategies.search.registry import SEARCHES
from onedial.strategies.universal import REQUEST as CHOOSE
from onedial.verifiers.process import Process

ABLE = frozenset({"n", "continue", "logprobs", "thinking_cap"})
MODEL = Model("m", Price(1.0, 4.0, 0.1), (Effort("low"),), max_output_tokens=50, capabilities=ABLE)
SOURCE = Source("m", "low")
QUERY = Query("q", "which word comes next ?")
ANSWERS = ["red", "blue", "blue", "green", "red", "blue", "green", "green", "green", "red", "red", "red"]
READING = Reading(verify=lambda query, answer: {"blue": 0.9, "red": 0.5}.get(answer), process=Process(lambda _, text: len(text) % 7 / 7))
FOLLOWING = {"usc", "refine", "revise", "force", "reflect", "chains"}
"""Those whose later asks rest on earlier replies, beside the searches."""
STEPS = 3
"""Parts of a text that is written in steps; the last is a word of `ANSWERS`."""
VERIFIERS = [lambda i: 0.0, lambda i: 1.0, lambda i: None, lambda i: 1 / (1 + i), lambda i: i / (1 + i), lambda i: (None, 0.0, 1.0)[i % 3]]
"""From the how manieth call it is to a score: what a verifier could do to a strategy that hopes for more."""
TROUBLES = [Refusal("no budget"), Failure("timed out", Usage(1, 5, 0, 9), 4.1e-5)]

every_strategy = pytest.mark.parametrize("name", STRATEGIES)
every_n = pytest.mark.parametrize("n", [1, 2, 5, 8])


def most(name, n):
    """Samples at most, and so calls: `usc` asks once more to choose, `reflect` between attempts."""
    return most_asks(name, n) if name in ("usc", "reflect") else n


def chooses(ask):
    return bool(ask.messages) and ask.messages[-1].content == CHOOSE


def aside(ask):
    """Whether its completions are no candidates: a choice, or a reflection."""
    return chooses(ask) or (bool(ask.messages) and ask.messages[-1].content == REFLECT)


def unobserved(ask):
    return not ask.independent or ask.logprobs


def reply_to(ask):
    """The same samples whenever they are asked for; of candidates, the second."""
    if chooses(ask):
        return samples_of(ask, MODEL, [Completion("The most consistent is\n2", output_tokens=6)])
    drawn = [ANSWERS[i % len(ANSWERS)] for i in range(ask.first_index, ask.first_index + ask.n)]
    if ask.in_steps:
        return samples_of(ask, MODEL, [step_behind(ask, word) for word in drawn])
    sure = {"logprobs": (-0.1, -0.4), "confidences": (9.0, 5.0)} if ask.logprobs else {}
    return samples_of(ask, MODEL, [Completion(word, output_tokens=3 + len(word), **sure) for word in drawn])


def step_behind(ask, word):
    """One part where the ask is for a step and the text is not at its end; else the rest of it."""
    rest = STEPS - 1 - ask.continue_from.count("\n\n")
    if ask.max_tokens is not None and rest > 0:
        return Completion(f"not {word}\n\nso", finish="length", output_tokens=5)
    return Completion("so\n\n" * rest + word, output_tokens=3 + rest)


def play(name, n, answer=reply_to, query=QUERY, reading=READING):
    """The strategy's result, and every ask with its reply."""
    played = []

    def noted(ask):
        played.append((ask, answer(ask)))
        return played[-1][1]

    return drive(STRATEGIES[name](query, SOURCE, n, reading), noted), played


def spend_of(replies):
    billed = [r for r in replies if not isinstance(r, Refusal)]
    return sum((Spend(r.usage, r.cost_usd, r.latency_s) for r in billed), Spend())


def texts_of(played):
    heard = [(ask, reply) for ask, reply in played if isinstance(reply, Samples) and not aside(ask)]
    return [(ask.continue_from if ask.in_steps else "") + c.text for ask, reply in heard for c in reply.completions]


@every_strategy
@every_n
def test_the_same_replies_give_the_same_asks_and_the_same_answer(name, n):
    assert play(name, n) == play(name, n)


@every_strategy
@every_n
def test_asks_concern_the_query_and_the_source_and_stay_within_n(name, n):
    _, played = play(name, n)
    asks = [ask for ask, _ in played]
    assert asks and sum(ask.n for ask in asks) <= most(name, n)
    assert all((ask.query_id, ask.source) == (QUERY.id, SOURCE) for ask in asks)
    assert all(ask.messages == QUERY.messages for ask in asks if not ask.follows_up)
    assert not asks[0].follows_up and (name in FOLLOWING or name in SEARCHES or not any(ask.follows_up for ask in asks))
    drawn = [i for ask in asks for i in range(ask.first_index, ask.first_index + ask.n)]
    assert drawn == list(range(len(drawn))), "each sample is drawn once, and the stream has no gaps"


@every_strategy
@every_n
def test_a_follow_up_begins_with_the_query_and_the_turns_alternate(name, n):
    for query in (QUERY, replace(QUERY, system="be brief"), Query.without_text("q")):
        for ask, _ in play(name, n, query=query)[1]:
            assert ask.messages[: len(query.messages)] == query.messages
            told = ask.messages[len(query.messages) :]
            assert [m.role for m in told] == ["assistant", "user"] * (len(told) // 2)
            assert all(m.content for m in told)


@every_strategy
@every_n
@pytest.mark.parametrize("verify", VERIFIERS, ids=range(len(VERIFIERS)))
def test_no_verifier_makes_it_ask_for_more_or_lose_what_was_paid_for(name, n, verify):
    calls = count()
    process = Process(lambda query, text: verify(next(calls)))
    answer, played = play(name, n, reading=Reading(verify=lambda query, answer: verify(next(calls)), process=process))
    assert sum(ask.n for ask, _ in played) <= most(name, n)
    assert answer.text in texts_of(played) and answer.spend == spend_of(reply for _, reply in played)


@every_strategy
@every_n
def test_the_answer_is_one_of_the_candidates_and_all_that_was_paid_for_is_there(name, n):
    answer, played = play(name, n)
    assert [c.text for c in answer.candidates] == texts_of(played)
    assert answer.text in texts_of(played)
    assert answer.spend == spend_of(reply for _, reply in played)
    assert answer.stopped


@every_strategy
@every_n
@pytest.mark.parametrize("trouble", TROUBLES, ids=["refused", "failed"])
@pytest.mark.parametrize("hits", [eq, ge], ids=["once", "from then on"])
def test_trouble_at_any_step_leaves_the_best_candidate_paid_for_or_none(name, n, trouble, hits):
    for step in range(len(play(name, n)[1])):
        calls = count()
        answer, played = play(name, n, lambda ask, s=step, c=calls: trouble if hits(next(c), s) else reply_to(ask))
        assert sum(ask.n for ask, _ in played) <= most(name, n)
        texts = texts_of(played)
        assert isinstance(answer, Answer)
        assert answer.text in texts if texts else answer.text is answer.answer is None
        assert answer.spend == spend_of(reply for _, reply in played)
        assert (getattr(trouble, "reason", "") or getattr(trouble, "message", "")) in answer.stopped


@every_strategy
@every_n
def test_fewer_samples_than_asked_for_are_still_an_answer(name, n):
    answer, played = play(name, n, lambda ask: samples_of(ask, MODEL, reply_to(ask).completions[:-1]))
    assert [c.text for c in answer.candidates] == texts_of(played)
    assert (answer.text is None) == (not texts_of(played))


@every_strategy
@every_n
def test_a_completion_without_an_answer_never_becomes_one(name, n):
    answer, _ = play(name, n, lambda ask: samples_of(ask, MODEL, [Completion("", output_tokens=1)] * ask.n))
    assert answer.answer is None and answer.text == ""


@every_strategy
@every_n
def test_replay_gives_the_same_answer_and_the_same_bill_but_refuses_what_was_not_observed(name, n):
    tokens = len(QUERY.prompt.split())
    recorded = [
        Outcome("q", "m", "low", i, None, word, tokens, 3 + len(word), thinking_tokens=0) for i, word in enumerate(ANSWERS)
    ]  # fmt: skip
    replay = Replay(Recording.of(recorded), {"m": MODEL.price})
    replayed, played = play(name, n, replay)
    assert replayed == play(name, n, lambda ask: replay(ask) if unobserved(ask) else reply_to(ask))[0]
    assert all(isinstance(reply, Refusal) == unobserved(ask) for ask, reply in played)


@every_strategy
@every_n
async def test_live_under_a_ledger_it_does_what_it_does_when_driven(name, n):
    client, grant = ScriptedClient([MODEL], lambda ask, model: reply_to(ask)), Grant()
    live = await run(STRATEGIES[name](QUERY, SOURCE, n, READING), Pool([client]), grant)
    driven, played = play(name, n)
    assert live == driven and client.asked == [ask for ask, _ in played]
    assert grant.usage == live.spend.usage and grant.spent.usd == pytest.approx(live.spend.cost_usd)


@every_strategy
@every_n
async def test_live_with_a_budget_of_one_call_it_answers_with_what_that_brought(name, n):
    grant = Grant(Budget(calls=1))
    live = await run(STRATEGIES[name](QUERY, SOURCE, n, READING), Pool([ScriptedClient([MODEL], lambda ask, model: reply_to(ask))]), grant)
    assert grant.usage == live.spend.usage and grant.usage.calls == 1
    assert live.text in [c.text for c in live.candidates]


@every_strategy
@every_n
async def test_live_without_a_budget_it_returns_no_answer_and_spends_nothing(name, n):
    grant = Grant(Budget(usd=0.0))
    live = await run(STRATEGIES[name](QUERY, SOURCE, n, READING), Pool([ScriptedClient([MODEL], lambda ask, model: reply_to(ask))]), grant)
    assert live.text is None and live.spend == Spend() and "exceeds what is left" in live.stopped
