from functools import partial

import pytest

from onedial.core.arm import Source
from onedial.core.ask import Completion, Sample, Samples
from onedial.core.query import Query
from onedial.core.usage import Usage
from onedial.strategies.best_of_n import best_of_n
from onedial.strategies.draw import Reading
from onedial.strategies.pessimistic_best import lower_bound, pessimistic_best
from onedial.verifiers.extract import number

QUERY, SOURCE = Query("q", "2 + 2 ?"), Source("small", "0")


def best(*texts, strategy=pessimistic_best, **scores):
    """The answer when these completions come; `_4=0.9` scores the answer 4, and what is not named has no score."""
    steps = strategy(QUERY, SOURCE, len(texts), Reading(number, lambda query, answer: scores.get(f"_{answer}")))
    assert next(steps) == Sample("q", SOURCE, QUERY.messages, len(texts), 0)
    with pytest.raises(StopIteration) as end:
        steps.send(Samples(tuple(map(Completion, texts)), Usage(1), 0.0))
    return end.value.value


def test_a_rare_answer_of_a_slightly_higher_score_loses_to_a_frequent_one():
    drawn, scores = ("4", *"3333333"), {"_3": 0.8, "_4": 0.85}
    assert best(*drawn, strategy=best_of_n, **scores).answer == "4"
    answer = best(*drawn, **scores)
    assert (answer.answer, answer.stopped) == ("3", "8 of 8 samples are in and scored, rare answers with doubt")


def test_a_rare_answer_of_a_clearly_higher_score_wins():
    assert best(*"43333333", _3=0.2, _4=0.9).answer == "4"


def test_without_pessimism_the_highest_score_wins_and_with_much_the_plurality():
    drawn, scores = "43333333", {"_3": 0.1, "_4": 0.9}
    assert best(*drawn, strategy=partial(pessimistic_best, pessimism=0.0), **scores).answer == "4"
    assert best(*drawn, strategy=partial(pessimistic_best, pessimism=10.0), **scores).answer == "3"


def test_the_bound_rises_with_votes_and_falls_with_the_number_of_samples():
    assert lower_bound([0.5], 8, 0.1) < lower_bound([0.5] * 2, 8, 0.1) < 0.5
    assert lower_bound([0.5], 64, 0.1) < lower_bound([0.5], 8, 0.1)
    assert lower_bound([0.5], 1, 0.1) == 0.5, "one sample leaves nothing to choose from, and nothing to doubt"


def test_without_scores_it_is_a_vote():
    assert best("3", "4", "4").answer == "4"


def test_no_score_is_below_every_score_a_zero_too():
    assert best("3", "3", "4", _4=0.0).answer == "4"


def test_votes_decide_among_equal_scores_and_the_earliest_wins_if_they_tie_too():
    assert best("4", "5", "5", _4=0.9, _5=0.9).answer == "5"
    assert best("4", "5", _4=0.9, _5=0.9).answer == "4"


def test_without_any_answer_the_first_sample_is_shown():
    assert (best("no", "perhaps").answer, best("no", "perhaps").text) == (None, "no")
