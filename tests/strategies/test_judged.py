"""Strategies that use scores, with a judge that is asked and paid for them."""

import pytest

from onedial.core.answer import Spend
from onedial.core.arm import Source
from onedial.core.ask import Completion, Failure, Refusal
from onedial.core.model import Model
from onedial.core.query import Query
from onedial.core.steps import drive, spend_of
from onedial.core.usage import Price, Usage
from onedial.runtime.driver import run
from onedial.runtime.ledger import Budget, Grant
from onedial.runtime.pool import Pool
from onedial.runtime.replay import Recording, Replay
from onedial.runtime.scripted import ScriptedClient, samples_of
from onedial.strategies.draw import Reading
from onedial.strategies.registry import STRATEGIES
from onedial.verifiers.judges.generative import generative
from onedial.verifiers.judges.listwise import listwise
from onedial.verifiers.judges.pairwise import pairwise
from onedial.verifiers.judges.pointwise import pointwise

SMALL = Model("small", Price(1.0, 4.0), max_output_tokens=50, capabilities=frozenset({"n", "continue"}))
WISE = Model("wise", Price(10.0, 40.0), max_output_tokens=50, capabilities=frozenset({"n"}))
QUERY, SOURCE, JUDGE = Query("q", "which word comes next ?"), Source("small"), Source("wise")
DRAWN = ["red", "blue", "blue", "green", "green", "green"]
SCORED = ["best", "wvote", "pbest", "refine", "revise", "force"]
JUDGES = {"pointwise": pointwise(JUDGE), "generative": generative(JUDGE, 2), "pairwise": pairwise(JUDGE), "listwise": listwise(JUDGE)}
with_scores = pytest.mark.parametrize("name", SCORED)
with_judges = pytest.mark.parametrize("judge", JUDGES)


def reply_to(ask, model=None):
    if ask.source == JUDGE:
        return samples_of(ask, WISE, [Completion(verdict_on(ask.messages[1].content), output_tokens=4)] * ask.n)
    drawn = [DRAWN[i % len(DRAWN)] for i in range(ask.first_index, ask.first_index + ask.n)]
    return samples_of(ask, SMALL, [Completion(word, output_tokens=2) for word in drawn])


def verdict_on(told):
    """A judge that likes red, in the words that each kind of judge is asked for."""
    shown = [part.split("\n")[0] for part in told.split(">\n")[3::2]]
    if "Score: " in told:
        return "Score: 9" if shown == ["red"] else "Score: 2"
    if "Order: " in told:
        return "Order: " + " > ".join(sorted(map(str, range(1, len(shown) + 1)), key=lambda i: shown[int(i) - 1] != "red"))
    if "Verdict: tie" in told:
        return {"red": "Verdict: A"}.get(shown[0], {"red": "Verdict: B"}.get(shown[1], "Verdict: tie"))
    return "Verdict: Yes" if shown == ["red"] else "Verdict: No"


def play(name, n, reading, reply=reply_to):
    played = []

    def noted(ask):
        played.append((ask, reply(ask)))
        return played[-1][1]

    return drive(STRATEGIES[name](QUERY, SOURCE, n, reading), noted), played


@with_scores
@with_judges
def test_the_answer_is_the_one_that_the_judge_prefers_and_every_ask_is_in_the_spend(name, judge):
    answer, played = play(name, 6, Reading(judge=JUDGES[judge]))
    assert answer.answer == "red" and {c.answer: c.score for c in answer.candidates}["red"] > 0.5
    due = sum((spend_of(reply) for _, reply in played), Spend())
    assert answer.spend.usage == due.usage and answer.spend.cost_usd == pytest.approx(due.cost_usd)
    asked = [ask for ask, _ in played if ask.source == JUDGE]
    assert 2 <= len(asked) <= 6 and answer.spend.usage.calls == len(played)
    assert [c.text for c in answer.candidates] == DRAWN


@pytest.mark.parametrize("name", sorted({"direct", "vote", "cap", "usc"}))
def test_strategies_that_use_no_scores_pay_no_judge(name):
    _, played = play(name, 4, Reading(judge=JUDGES["pointwise"]))
    assert all(ask.source == SOURCE for ask, _ in played)


@with_scores
@pytest.mark.parametrize("trouble", [Refusal("no budget"), Failure("timed out", Usage(1, 5, 0, 9), 4.1e-5)], ids=["refused", "failed"])
def test_a_judge_that_cannot_be_asked_leaves_candidates_unscored_and_that_is_told(name, trouble):
    answer, played = play(name, 5, Reading(judge=JUDGES["pointwise"]), lambda ask: trouble if ask.source == JUDGE else reply_to(ask))
    unjudged, _ = play(name, 5, Reading())
    assert (answer.answer, answer.candidates) == (unjudged.answer, unjudged.candidates)
    assert "judging ended early: " in answer.stopped and len(played) == unjudged.spend.usage.calls + 1
    assert answer.spend == unjudged.spend + spend_of(trouble)


@with_scores
def test_verdicts_that_cannot_be_read_are_no_zeros_and_are_counted(name):
    def mumbles(ask):
        return samples_of(ask, WISE, [Completion("hm", output_tokens=1)]) if ask.source == JUDGE else reply_to(ask)

    answer, _ = play(name, 5, Reading(judge=JUDGES["pointwise"]), mumbles)
    assert {c.score for c in answer.candidates} == {None} and "3 of 3 verdicts could not be read" in answer.stopped


def test_what_the_verifier_or_a_recording_scores_is_not_judged():
    def recorded(ask):
        return reply_to(ask) if ask.source == JUDGE else samples_of(ask, SMALL, [Completion("red", verifier_score=0.1), Completion("blue")])

    answer, played = play("best", 2, Reading(verify=lambda query, answer: 0.3, judge=JUDGES["pointwise"]), recorded)
    assert [c.score for c in answer.candidates] == [0.1, 0.3] and len(played) == 1
    answer, played = play("best", 2, Reading(judge=JUDGES["pointwise"]), recorded)
    assert [c.score for c in answer.candidates] == [0.1, 0.2] and len(played) == 2


def test_a_completion_without_an_answer_is_not_judged():
    answer, played = play("best", 2, Reading(extract=lambda text: None, judge=JUDGES["pointwise"]))
    assert len(played) == 1 and answer.answer is None


def test_a_judge_that_returns_too_few_scores_or_never_ends_loses_no_candidate():
    def lazy(query, candidates):
        verdicts = yield from JUDGES["pointwise"](query, candidates[:1])
        return verdicts

    answer, _ = play("best", 4, Reading(judge=lazy))
    assert [c.score for c in answer.candidates] == [0.9, None, None, None] and answer.answer == "red"


def test_a_replay_never_takes_recorded_samples_for_verdicts():
    answer, played = play("best", 2, Reading(judge=pointwise(SOURCE)), lambda ask: reply_to(ask) if not ask.judging else replay(ask))
    assert isinstance(played[-1][1], Refusal) and "independent samples only" in answer.stopped


replay = Replay(Recording.of([]))


@with_scores
async def test_live_the_ledger_holds_what_the_answer_says_was_spent_and_the_judge_is_within_the_budget(name):
    pool, grant = Pool([ScriptedClient([SMALL, WISE], reply_to)]), Grant()
    live = await run(STRATEGIES[name](QUERY, SOURCE, 6, Reading(judge=JUDGES["pointwise"])), pool, grant)
    assert live == play(name, 6, Reading(judge=JUDGES["pointwise"]))[0]
    assert grant.usage == live.spend.usage and grant.spent.usd == pytest.approx(live.spend.cost_usd)
    short = Grant(Budget(calls=grant.usage.calls - 1))
    cut = await run(STRATEGIES[name](QUERY, SOURCE, 6, Reading(judge=JUDGES["pointwise"])), pool, short)
    assert short.usage == cut.spend.usage and "judging ended early: the worst case" in cut.stopped and cut.text is not None


async def test_a_response_too_long_for_the_judge_leaves_it_unscored_and_loses_nothing():
    from onedial.core.errors import QueryError

    def narrow(ask, model):
        if ask.source == JUDGE:
            raise QueryError("the prompt does not fit")
        return reply_to(ask)

    pool = Pool([ScriptedClient([SMALL, WISE], narrow)])
    live = await run(STRATEGIES["best"](QUERY, SOURCE, 3, Reading(judge=JUDGES["pointwise"])), pool, Grant())
    assert live.answer == "blue" and "does not fit" in live.stopped
