import pytest

from confident import QUERY, SOURCE, brought, ended
from onedial.core.ask import Completion, Failure, Sample, Samples
from onedial.core.usage import Usage
from onedial.strategies.deepconf import deepconf, threshold
from onedial.strategies.deepconf_online import deepconf_online
from onedial.strategies.draw import Reading
from onedial.verifiers.extract import number


def offline(said, **settings):
    steps = deepconf(QUERY, SOURCE, len(said.split()), Reading(number), **settings)
    next(steps)
    return ended(steps, brought(said))


def online(n, *blocks, **settings):
    """What comes of these blocks, and how many samples each ask was for."""
    steps, asked = deepconf_online(QUERY, SOURCE, n, Reading(number), **settings), []
    ask = next(steps)
    try:
        for block in blocks:
            asked.append(ask.n)
            assert ask == Sample("q", SOURCE, QUERY.messages, ask.n, sum(asked[:-1]), logprobs=True, top_logprobs=20)
            ask = steps.send(brought(block))
    except StopIteration as end:
        return end.value, asked
    raise AssertionError(f"it asks for {ask.n} more")


def test_votes_weigh_by_confidence():
    assert offline("3:1 3:1 4:5", keep=1.0).answer == "4"
    assert offline("3:3 3:3 4:5", keep=1.0).answer == "3"


def test_the_least_sure_do_not_vote():
    said = "3:1 3:1 3:1 4:2"
    assert (offline(said, keep=1.0).answer, offline(said, keep=0.25).answer) == ("3", "4")
    assert "1 of them sure enough to vote" in offline(said, keep=0.25).stopped


def test_at_least_one_sample_votes_and_one_without_an_answer_takes_no_place():
    assert offline("3:1 4:2", keep=0.01).answer == "4"
    assert offline("none:9 3:1 4:2", keep=0.5).answer == "4"
    assert threshold([], 0.5) == 0.0


@pytest.mark.parametrize(("measure", "expected"), [("mean", "3"), ("lowest", "4"), ("bottom", "4"), ("tail", "3")])
def test_the_measure_says_where_doubt_is_looked_for(measure, expected):
    """The answer 3 is sure on the whole and at its end, with one moment of doubt."""
    steps = deepconf(QUERY, SOURCE, 2, Reading(number), measure=measure, window=2)
    next(steps)
    pair = (Completion("3", confidences=(9.0, 1.0, 1.0, 9.0, 9.0, 9.0)), Completion("4", confidences=(5.0,) * 6))
    assert ended(steps, Samples(pair, Usage(1), 0.0)).answer == expected


def test_online_stops_as_soon_as_those_that_are_sure_agree():
    answer, asked = online(16, "3:5 3:6 3:4 3:5", warm=4)
    assert (answer.answer, asked) == ("3", [4]) and "100% of the weight agrees" in answer.stopped


def test_online_goes_on_block_by_block_while_they_do_not():
    answer, asked = online(8, "3:5 4:5 3:5 4:5", "4:5 4:5", "4:5 3:5", warm=4, block=2)
    assert (answer.answer, asked) == ("4", [4, 2, 2]) and len(answer.candidates) == 8


def test_a_late_sample_less_sure_than_the_warm_up_is_paid_and_does_not_vote():
    answer, _ = online(6, "3:5 4:5 3:6", "4:1 4:1 4:1", warm=3, block=3, keep=1.0)
    assert answer.answer == "3" and len(answer.candidates) == 6
    assert "3 samples, written to their end, do not vote" in answer.stopped


def test_the_consensus_says_how_much_must_agree():
    half, asked = online(8, "3:5 4:5", warm=2, consensus=0.5)
    assert asked == [2] and half.answer == "3"


def test_online_ends_at_the_first_ask_that_brings_less_than_it_asked_for():
    steps = deepconf_online(QUERY, SOURCE, 8, Reading(number), warm=2)
    next(steps)
    steps.send(brought("3:5 4:6"))
    answer = ended(steps, Failure("timed out"))
    assert answer.answer == "4" and "timed out" in answer.stopped


def test_samples_with_and_without_the_likeliest_tokens_are_not_compared_across_asks():
    answer, _ = online(4, "3:5 4:4", "4 4", warm=2, block=2)
    assert answer.answer == "3" and "2 samples came without" in answer.stopped
