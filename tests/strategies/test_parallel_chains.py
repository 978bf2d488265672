import pytest

from onedial.core.arm import Source
from onedial.core.ask import Completion, Refusal, Samples
from onedial.core.query import Message, Query
from onedial.core.usage import Usage
from onedial.strategies.draw import Reading
from onedial.strategies.parallel_chains import parallel_chains
from onedial.strategies.revision_chain import REQUEST, SHOWN
from onedial.verifiers.extract import number

QUERY, SOURCE = Query("q", "2 + 2 ?"), Source("small", "0")


def play(n, ratio=1.0, reply=None, reading=None):
    """The answer, and every ask; sample i says i unless `reply` says otherwise."""
    steps, asks = parallel_chains(QUERY, SOURCE, n, reading or Reading(number), ratio), []
    try:
        asks.append(next(steps))
        while True:
            ask = asks[-1]
            came = tuple(Completion(str(i)) for i in range(ask.first_index, ask.first_index + ask.n))
            asks.append(steps.send((reply and reply(ask)) or Samples(came, Usage(1), 0.0)))
    except StopIteration as end:
        return end.value, asks


def seen(ask):
    return [m.content for m in ask.messages if m.role == "assistant"]


def test_every_chain_sees_its_own_attempts_only():
    _, asks = play(6, ratio=1.5)
    assert [ask.n for ask in asks] == [2, 1, 1, 1, 1]
    assert [seen(ask) for ask in asks[1:]] == [["0"], ["1"], ["0", "2"], ["1", "3"]]
    assert asks[1].messages[-1] == Message("user", REQUEST)


@pytest.mark.parametrize(("ratio", "width"), [(0.01, 8), (0.5, 4), (1.0, 3), (8.0, 1), (100.0, 1)])
def test_the_ratio_trades_chains_for_length_and_all_are_spent(ratio, width):
    answer, asks = play(8, ratio)
    assert asks[0].n == width and len(answer.candidates) == 8
    assert f"in {width} chains" in answer.stopped


def test_only_the_last_few_of_a_chain_are_in_view():
    assert seen(play(SHOWN + 3, ratio=100.0)[1][-1]) == [str(i) for i in range(2, SHOWN + 2)]


def test_the_choice_is_made_over_all_attempts_of_all_chains():
    scores = {"5": 0.9, "3": 0.8}
    assert play(6, reading=Reading(number, lambda query, answer: scores.get(answer, 0.1)))[0].answer == "5"


def test_it_ends_at_the_first_revision_that_brings_nothing():
    answer, asks = play(8, 0.5, lambda ask: Refusal("no budget") if ask.first_index == 5 else None)
    assert len(asks) == 3 and len(answer.candidates) == 5 and "no budget" in answer.stopped


def test_without_a_first_attempt_there_is_no_chain():
    answer, asks = play(8, reply=lambda ask: Refusal("no budget"))
    assert len(asks) == 1 and answer.text is None
