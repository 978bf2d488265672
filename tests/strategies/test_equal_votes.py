"""Votes for the same answer in other words are votes for the same answer."""

import pytest

from onedial.core.arm import Source
from onedial.core.ask import Completion, Samples
from onedial.core.query import Query
from onedial.core.usage import Usage
from onedial.strategies.draw import Reading, alike
from onedial.strategies.registry import STRATEGIES
from onedial.verifiers.equal.value import number
from onedial.verifiers.extract import words

SPLIT = ["2", "2", "3/4", ".75", "75%"]


def answer_of(name, texts, equal, verify=lambda query, answer: 0.5):
    steps = STRATEGIES[name](Query("q", "three quarters ?"), Source("m"), len(texts), Reading(words, verify, equal=equal))
    ask, sent = next(steps), 0
    try:
        while True:
            came = [Completion(text, confidences=(1.0,) if ask.logprobs else None) for text in texts[sent : sent + ask.n]]
            sent += ask.n
            ask = steps.send(Samples(tuple(came), Usage(1), 0.0))
    except StopIteration as end:
        return end.value


@pytest.mark.parametrize("name", ["vote", "best", "wvote", "pbest", "revise", "certain", "deepconf", "deepstop"])
def test_a_majority_that_is_spelt_in_three_ways_wins_where_an_equality_says_so(name):
    assert answer_of(name, SPLIT, None).answer == "2"
    assert answer_of(name, SPLIT, number).answer == "3/4"


def test_nothing_is_left_to_choose_where_all_say_the_same_in_other_words():
    assert "nothing to choose" in answer_of("usc", ["3/4", ".75"], number).stopped


def test_what_an_equality_cannot_read_is_a_vote_of_its_own():
    candidates = answer_of("vote", ["red", "3/4", "blue", "0.75", "red"], number).candidates
    assert alike(candidates, number) == ["red", "3/4", "blue", "3/4", "red"]


def test_candidates_keep_the_words_of_their_own():
    assert [c.answer for c in answer_of("vote", SPLIT, number).candidates] == SPLIT


@pytest.mark.parametrize("name", ["vote", "best", "wvote", "pbest", "revise", "refine"])
def test_a_score_that_is_not_a_number_is_no_opinion_and_loses_no_candidate(name):
    for first in ("3", "4"):
        scores = {first: float("nan")}
        answer = answer_of(name, ["3", "4"], None, lambda query, said, scores=scores: scores.get(said, 0.1))
        assert answer.answer in ("3", "4") and [c.score for c in answer.candidates].count(None) == 1
        assert name == "vote" or answer.answer != first
