"""AB-MCTS makes fresh answers or improves on earlier ones, and asks the models that do best."""

from collections import Counter
from dataclasses import replace

import pytest

from onedial.core.arm import Arm, Source
from onedial.core.ask import Completion, Refusal, Sample, Samples
from onedial.core.query import Query
from onedial.core.steps import drive
from onedial.core.usage import Usage
from onedial.strategies.draw import Reading
from onedial.strategies.follow_up import follow_up
from onedial.strategies.registry import steps_of
from onedial.strategies.revision_chain import REQUEST
from onedial.strategies.search.ab_mcts import ab_mcts
from onedial.verifiers.extract import number
from onedial.verifiers.judges.contract import Verdicts

QUERY, SMALL, LARGE = Query("q", "2 + 2 ?"), Source("small", "0"), Source("large", "0")


def made(n, write, query=QUERY, reading=None, **settings):
    """The answer and the asks, where `write(ask)` says what comes, and an answer is its score in tenths."""
    asks = []
    reading = reading or Reading(number, lambda query, answer: int(answer) / 10)

    def reply(ask):
        asks.append(ask)
        return Samples((Completion(write(ask)),), Usage(1), 1.0)

    return drive(ab_mcts(query, SMALL, n, reading, **settings), reply), asks


def deep(ask):
    return ask.follows_up


def test_the_first_answer_is_fresh_and_one_that_improves_shows_the_one_it_improves_on():
    _, asks = made(8, lambda ask: "9" if deep(ask) else "1")
    assert asks[0] == Sample("q", SMALL, QUERY.messages)
    improving = [ask for ask in asks if deep(ask)]
    assert improving and all(ask.messages in (follow_up(QUERY, ["1"], REQUEST), follow_up(QUERY, ["9"], REQUEST)) for ask in improving)
    assert [ask.first_index for ask in asks] == list(range(8))


@pytest.mark.parametrize("deeper_pays", [True, False])
def test_it_goes_deeper_where_that_pays_and_wider_where_that_does(deeper_pays):
    asks = [ask for name in "pqrs" for ask in made(30, lambda a: "9" if deep(a) == deeper_pays else "1", replace(QUERY, id=name))[1]]
    assert sum(deep(ask) == deeper_pays for ask in asks) > 0.7 * len(asks)


def test_of_several_models_the_one_that_scores_best_is_asked_most_and_each_has_a_stream_of_its_own():
    answer, asks = made(40, lambda ask: "9" if ask.source == LARGE else "2", others=(LARGE, SMALL))
    asked = Counter(ask.source for ask in asks)
    assert asked[LARGE] > 2 * asked[SMALL] > 0
    for source in asked:
        assert [ask.first_index for ask in asks if ask.source == source] == list(range(asked[source]))
    assert answer.answer == "9" and len(answer.candidates) == 40


def test_an_arm_may_name_the_others():
    steps = steps_of(Arm.parse("small/think=0/abmcts=6/others=large@0"), QUERY, Reading(number))
    asks = []
    drive(steps, lambda ask: asks.append(ask) or Samples((Completion("4"),), Usage(1), 0.0))
    assert {ask.source for ask in asks} <= {SMALL, LARGE} and len(asks) == 6


def test_chance_is_that_of_the_query():
    runs = [made(20, lambda ask: "5", replace(QUERY, id=name))[1] for name in ("q", "q", "p")]
    depths = [[deep(ask) for ask in asks] for asks in runs]
    assert depths[0] == depths[1] != depths[2]


@pytest.mark.parametrize("score", [None, float("nan"), 7.0, -1.0])
def test_without_a_score_that_can_be_used_chance_decides_and_the_plurality_is_the_answer(score):
    answer, asks = made(9, lambda ask: "4" if ask.first_index % 3 else "5", reading=Reading(number, lambda query, answer: score))
    assert answer.answer == "4" and len(asks) == 9 and {deep(ask) for ask in asks} == {True, False}
    assert answer.stopped == "9 of 9 answers are in, none of them scored, so chance alone said where to go on"


def test_a_judge_is_asked_about_every_answer_as_it_comes_and_is_paid():
    def judge(query, candidates):
        assert len(candidates) == 1
        yield Sample("q", LARGE, QUERY.messages, judging=True)
        return Verdicts((0.9 if candidates[0].answer == "8" else 0.1,), 1)

    answer, asks = made(6, lambda ask: "8" if ask.first_index == 2 else "3", reading=Reading(number, judge=judge))
    assert [ask.judging for ask in asks] == [False, True] * 6
    assert (answer.answer, answer.spend.cost_usd) == ("8", 12)


def test_it_stops_at_the_first_trouble_with_what_it_has():
    replies = iter([Samples((Completion("4"),), Usage(1), 1.0)])
    answer = drive(ab_mcts(QUERY, SMALL, 8, Reading(number)), lambda ask: next(replies, Refusal("no budget")))
    assert answer.answer == "4" and answer.stopped.startswith("1 of 8 answers are in") and answer.stopped.endswith("(no budget)")
