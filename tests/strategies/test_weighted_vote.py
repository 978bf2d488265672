import pytest

from onedial.core.arm import Source
from onedial.core.ask import Completion, Sample, Samples
from onedial.core.query import Query
from onedial.core.usage import Usage
from onedial.strategies.draw import Reading
from onedial.strategies.weighted_vote import weighted_vote
from onedial.verifiers.extract import number

QUERY, SOURCE = Query("q", "2 + 2 ?"), Source("small", "0")


def weighed(*texts, **scores):
    """The answer when these completions come; `_4=0.9` scores the answer 4, and what is not named has no score."""
    steps = weighted_vote(QUERY, SOURCE, len(texts), Reading(number, lambda query, answer: scores.get(f"_{answer}")))
    assert next(steps) == Sample("q", SOURCE, QUERY.messages, len(texts), 0)
    with pytest.raises(StopIteration) as end:
        steps.send(Samples(tuple(map(Completion, texts)), Usage(1), 0.0))
    return end.value.value


def test_many_votes_of_a_middling_score_outweigh_one_of_a_high_score():
    answer = weighed("4", "3", "3", "3", _3=0.4, _4=0.9)
    assert (answer.answer, answer.stopped) == ("3", "4 of 4 votes are in and weighed")


def test_few_votes_of_a_high_score_outweigh_many_of_a_low_score():
    assert weighed("3", "3", "3", "4", _3=0.2, _4=0.9).answer == "4"


def test_the_earliest_wins_a_tie():
    assert weighed("5", "4", "4", "4", _5=0.75, _4=0.25).answer == "5"
    assert weighed("4", "5", "4", "4", _5=0.75, _4=0.25).answer == "4"


def test_without_scores_it_is_a_vote():
    assert weighed("3", "4", "4").answer == "4"


def test_where_every_score_is_zero_the_votes_decide():
    assert weighed("3", "4", "4", _3=0.0, _4=0.0).answer == "4"


def test_a_vote_without_a_score_weighs_nothing_beside_one_that_has():
    assert weighed("3", "3", "4", _4=0.1).answer == "4"


def test_samples_without_an_answer_do_not_vote():
    assert weighed("no", "no", "4", _4=0.1).answer == "4"
    assert (weighed("no", "perhaps").text, weighed("no").answer) == ("no", None)


def test_a_score_that_came_with_the_sample_is_its_weight():
    steps = weighted_vote(QUERY, SOURCE, 3, Reading(number))
    next(steps)
    with pytest.raises(StopIteration) as end:
        steps.send(Samples((Completion("3"), Completion("3", verifier_score=0.1), Completion("4", verifier_score=0.2)), Usage(1), 0.0))
    assert end.value.value.answer == "4"
