import pytest

from onedial.core.arm import Source
from onedial.core.ask import Completion, Failure, Refusal, Sample, Samples
from onedial.core.query import Message, Query
from onedial.core.usage import Usage
from onedial.strategies.draw import Reading
from onedial.strategies.universal import REQUEST, universal

QUERY, SOURCE = Query("q", "name a king"), Source("small", "0")
KINGS = ("Ludwig of Bavaria", "Ludwig II", "Otto")


def samples(*texts, **fields):
    return Samples(tuple(Completion(text, **fields) for text in texts), Usage(1, 5, 0, 7), 0.25)


def chosen(reply, drawn=KINGS):
    """The answer when these are drawn and this comes as the choice."""
    steps = universal(QUERY, SOURCE, len(drawn), Reading())
    next(steps)
    steps.send(samples(*drawn))
    with pytest.raises(StopIteration) as end:
        steps.send(samples(reply) if isinstance(reply, str) else reply)
    return end.value.value


def test_one_more_ask_lists_the_samples_and_asks_for_a_number():
    steps = universal(QUERY, SOURCE, 3, Reading())
    assert next(steps) == Sample("q", SOURCE, QUERY.messages, 3)
    listed = "Response 1:\nLudwig of Bavaria\n\nResponse 2:\nLudwig II\n\nResponse 3:\nOtto"
    assert steps.send(samples(*KINGS)) == Sample(
        "q", SOURCE, (*QUERY.messages, Message("assistant", listed), Message("user", REQUEST)), 1, 3
    )


def test_the_number_in_the_last_line_chooses_and_the_choice_is_billed_but_no_candidate():
    answer = chosen("1 and 2 mean the same man.\n\nResponse 2.")
    assert (answer.text, answer.stopped) == ("Ludwig II", "3 of 3 samples are in; small/think=0 chose among 3")
    assert [c.text for c in answer.candidates] == list(KINGS)
    assert answer.spend.usage == Usage(2, 10, 0, 14) and answer.spend.cost_usd == 0.5


@pytest.mark.parametrize(
    "reply", ["", "none of them", "2 or 3", "0", "4", "2.5", "9" * 5000, "2\nI am sure", samples(), samples("2", finish="length")]
)
def test_an_unreadable_choice_falls_back_to_the_plurality_and_says_so(reply):
    answer = chosen(reply, ("Otto", "Ludwig", "Ludwig"))
    assert answer.text == "Ludwig"
    assert "no choice among 3 could be read, so the plurality decides" in answer.stopped


@pytest.mark.parametrize("trouble", [Refusal("too dear"), Failure("timed out", Usage(1, 5), 0.125)])
def test_a_choice_that_does_not_come_falls_back_too_and_says_why(trouble):
    answer = chosen(trouble)
    assert answer.text == "Ludwig of Bavaria"
    assert "the plurality decides (" in answer.stopped and ("too dear" in answer.stopped or "timed out" in answer.stopped)


@pytest.mark.parametrize("drawn", [("Otto",), ("Otto", " Otto "), ("Otto", ""), ("", "")])
def test_where_there_is_nothing_to_choose_nothing_more_is_asked(drawn):
    steps = universal(QUERY, SOURCE, len(drawn), Reading())
    next(steps)
    with pytest.raises(StopIteration) as end:
        steps.send(samples(*drawn))
    assert end.value.value.text == drawn[0] and "nothing to choose" in end.value.value.stopped


def test_samples_without_an_answer_are_not_listed():
    steps = universal(QUERY, SOURCE, 3, Reading())
    next(steps)
    assert steps.send(samples("", "Otto", "Ludwig")).messages[1].content == "Response 1:\nOtto\n\nResponse 2:\nLudwig"
    with pytest.raises(StopIteration) as end:
        steps.send(samples("2"))
    assert end.value.value.text == "Ludwig"
