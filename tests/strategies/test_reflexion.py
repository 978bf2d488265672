import pytest

from onedial.core.arm import Source
from onedial.core.ask import Completion, Failure, Refusal, Sample, Samples
from onedial.core.errors import ConfigError
from onedial.core.query import Message, Query
from onedial.core.usage import Usage
from onedial.strategies.draw import Reading
from onedial.strategies.reflexion import REFLECT, RETRY, reflexion
from onedial.verifiers.extract import number

QUERY, SOURCE = Query("q", "2 + 2 ?"), Source("small", "0")
CHECKED = Reading(number, lambda query, answer: {"4": 1.0, "5": 0.3, "9": None}.get(answer, 0.0))


def said(text):
    return Samples((Completion(text),), Usage(1), 0.0)


def play(n, *replies, reading=CHECKED, **settings):
    """The answer after these replies, and every ask."""
    steps, asks = reflexion(QUERY, SOURCE, n, reading, **settings), []
    try:
        for reply in (None, *replies):
            asks += [steps.send(said(reply) if isinstance(reply, str) else reply)]
    except StopIteration as end:
        return end.value, asks
    raise AssertionError(f"it asks on: {asks[-1]}")


def test_an_attempt_that_passes_the_check_ends_it():
    answer, asks = play(5, "4")
    assert (answer.answer, asks) == ("4", [Sample("q", SOURCE, QUERY.messages)])
    assert answer.stopped == "1 of 5 attempts are made: the last is accepted"


def test_a_rejected_attempt_is_reflected_on_and_the_next_one_sees_the_lesson_alone():
    answer, asks = play(3, "3", "I forgot to carry.", "4")
    reflect = (*QUERY.messages, Message("assistant", "3"), Message("user", REFLECT))
    retry = (*QUERY.messages, Message("assistant", "I forgot to carry."), Message("user", RETRY))
    assert [ask.messages for ask in asks] == [QUERY.messages, reflect, retry]
    assert answer.answer == "4" and [c.text for c in answer.candidates] == ["3", "4"]


def test_the_last_three_lessons_are_in_view():
    _, asks = play(5, "3", "one", "3", "two", "3", "three", "3", "four", "4")
    assert asks[-1].messages[1].content == "two\n\nthree\n\nfour"


def test_where_none_passes_the_highest_score_answers_and_n_attempts_end_it():
    answer, asks = play(3, "5", "lesson", "3", "lesson", "2")
    assert (answer.answer, len(asks)) == ("5", 5) and answer.stopped.endswith("none is accepted")


def test_what_is_accepted_is_a_setting():
    assert play(5, "5", accept=0.3)[0].answer == "5"


def test_an_attempt_without_an_answer_is_rejected():
    assert play(3, "no idea", "answer with a number", "4")[0].answer == "4"


def test_a_checker_without_an_opinion_ends_it_for_nothing_says_what_to_mend():
    answer, asks = play(5, "9")
    assert (answer.answer, len(asks)) == ("9", 1) and "no opinion" in answer.stopped


def test_without_a_checker_it_refuses_before_anything_is_asked():
    with pytest.raises(ConfigError, match=r"needs a checker and there is none.*'refine'"):
        next(reflexion(QUERY, SOURCE, 3, Reading(number)))


@pytest.mark.parametrize("trouble", [Refusal("no budget"), Failure("timed out", Usage(1)), Samples((Completion(" "),), Usage(1), 0.0)])
def test_without_a_reflection_it_ends_with_what_it_has(trouble):
    answer, asks = play(5, "3", trouble)
    assert (answer.answer, len(asks)) == ("3", 2) and "no reflection came" in answer.stopped


def test_a_reflection_is_paid_for_and_is_no_candidate():
    answer, _ = play(2, "3", Samples((Completion("4, surely"),), Usage(1, 7, 0, 3), 0.5), "3")
    assert answer.spend.cost_usd == 0.5 and [c.text for c in answer.candidates] == ["3", "3"]
