import pytest

from onedial.core.arm import Source
from onedial.core.ask import Completion, Sample, Samples
from onedial.core.query import Query
from onedial.core.usage import Usage
from onedial.strategies.draw import Reading
from onedial.strategies.self_consistency import self_consistency
from onedial.verifiers.extract import number

QUERY, SOURCE = Query("q", "2 + 2 ?"), Source("small", "0")


def voted(*texts, n=None, verify=lambda query, answer: None):
    """The answer when these completions come in this order."""
    n = n or len(texts)
    steps = self_consistency(QUERY, SOURCE, n, Reading(number, verify))
    assert next(steps) == Sample("q", SOURCE, QUERY.messages, n, 0)
    with pytest.raises(StopIteration) as end:
        steps.send(Samples(tuple(map(Completion, texts)), Usage(1), 0.0))
    return end.value.value


def test_the_most_frequent_answer_wins_whatever_the_words_around_it():
    answer = voted("3", "it is 4", "so 4.0")
    assert (answer.answer, answer.text, answer.stopped) == ("4", "it is 4", "3 of 3 votes are in")


def test_the_earliest_answer_wins_a_tie():
    assert voted("5", "4", "4", "5").answer == "5"
    assert voted("4", "5", "5", "4").answer == "4"


def test_samples_without_an_answer_do_not_vote():
    answer = voted("no", "no", "no", "4")
    assert (answer.answer, answer.text, len(answer.candidates)) == ("4", "4", 4)


def test_without_any_answer_the_first_sample_is_shown():
    answer = voted("no", "perhaps")
    assert (answer.answer, answer.text) == (None, "no")


def test_scores_do_not_sway_a_vote():
    assert voted("3", "3", "4", verify=lambda query, answer: float(answer == "4")).answer == "3"


def test_votes_that_did_not_come_are_named():
    assert voted("4", "4", n=3).stopped == "2 of 3 votes are in (small/think=0 returned 2 of 3 samples)"
