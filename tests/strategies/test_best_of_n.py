from dataclasses import replace

import pytest

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.ask import Completion, Sample, Samples
from onedial.core.query import Query
from onedial.core.usage import Usage
from onedial.strategies.best_of_n import best_of_n, highest
from onedial.strategies.draw import Reading
from onedial.verifiers.extract import number

QUERY, SOURCE = Query("q", "2 + 2 ?"), Source("small", "0")


def best(*texts, **scores):
    """The answer when these completions come; `_4=0.9` scores the answer 4, and what is not named has no score."""
    steps = best_of_n(QUERY, SOURCE, len(texts), Reading(number, lambda query, answer: scores.get(f"_{answer}")))
    assert next(steps) == Sample("q", SOURCE, QUERY.messages, len(texts), 0)
    with pytest.raises(StopIteration) as end:
        steps.send(Samples(tuple(map(Completion, texts)), Usage(1), 0.0))
    return end.value.value


def test_the_highest_score_wins_against_the_majority():
    answer = best("3", "3", "4", _3=0.4, _4=0.9)
    assert (answer.answer, answer.stopped) == ("4", "3 of 3 samples are in and scored")


def test_votes_decide_among_equal_scores_and_the_earliest_wins_if_they_tie_too():
    assert best("3", "4", "5", "5", _3=0.2, _4=0.9, _5=0.9).answer == "5"
    assert best("4", "5", _4=0.9, _5=0.9).answer == "4"


def test_without_scores_it_is_a_vote():
    assert best("3", "4", "4").answer == "4"


def test_no_score_is_below_every_score_a_zero_too():
    assert best("3", "3", "4", _4=0.0).answer == "4"


def test_without_any_answer_the_first_sample_is_shown():
    answer = best("no", "perhaps", _4=1.0)
    assert (answer.answer, answer.text) == (None, "no")


def test_a_score_that_came_with_the_sample_is_kept():
    steps = best_of_n(QUERY, SOURCE, 2, Reading(number, lambda query, answer: 0.5))
    next(steps)
    with pytest.raises(StopIteration) as end:
        steps.send(Samples((Completion("3", verifier_score=0.1), Completion("4")), Usage(1), 0.0))
    assert [c.score for c in end.value.value.candidates] == [0.1, 0.5] and end.value.value.answer == "4"


def test_a_score_that_is_not_a_number_is_below_every_score_and_loses_no_candidate():
    one = Candidate(SOURCE, 0, "3", "3", score=float("nan"))
    assert highest([one]) == [one]
    assert highest([one, other := replace(one, answer="4", score=0.0)]) == [other]
