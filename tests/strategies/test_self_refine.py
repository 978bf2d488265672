import pytest

from onedial.core.arm import Source
from onedial.core.ask import Completion, Refusal, Sample, Samples
from onedial.core.query import Message, Query
from onedial.core.steps import drive
from onedial.core.usage import Usage
from onedial.strategies.draw import Reading
from onedial.strategies.self_refine import REQUEST, improved, self_refine
from onedial.verifiers.extract import number, words

QUERY, SOURCE = Query("q", "2 + 2 ?"), Source("small", "0")


def sample(text):
    return Samples((Completion(text),), Usage(1), 0.0)


def refined(*texts, n=None, extract=number, **scores):
    """The answer when these completions come, and the asks; `_4=0.9` scores the answer 4, and what is not named has no score."""
    asks, replies = [], iter([sample(text) for text in texts] + [Refusal("no budget")])
    steps = self_refine(QUERY, SOURCE, n or len(texts), Reading(extract, lambda query, answer: scores.get(f"_{answer}")))
    return drive(steps, lambda ask: asks.append(ask) or next(replies)), asks


def shown(text):
    return (*QUERY.messages, Message("assistant", text), Message("user", REQUEST))


def test_each_round_shows_the_version_before_it_without_the_feedback_that_led_to_it():
    answer, asks = refined("it is 5", "Off by 1.\nImproved answer:\nit is 3", "Too low.\nImproved answer:\nit is 4")
    assert asks == [
        Sample("q", SOURCE, QUERY.messages),
        Sample("q", SOURCE, shown("it is 5"), 1, 1),
        Sample("q", SOURCE, shown("it is 3"), 1, 2),
    ]
    assert (answer.answer, answer.stopped, len(answer.candidates)) == ("4", "3 of 3 versions are in", 3)


def test_the_answer_is_read_from_the_new_version_alone():
    assert refined("4", "All well.\nImproved answer: 4", extract=words)[0].answer == "4"
    assert refined("4", "Improved answer: 5\n(3 mistakes)", "no mark, but 6")[0].answer == "6"


@pytest.mark.parametrize(("text", "rest"), [
    ("4", "4"),
    ("Good.\n\n## Improved Answer:\n4", "4"),
    ("**Improved answer**: -4", "-4"),
    ("Improved answer:\n3\nNo.\nImproved answer:\n4", "4"),
    ("There is no improved answer: it was right", "There is no improved answer: it was right"),
    ("Improved answer:", ""),
])  # fmt: skip
def test_the_last_line_that_announces_the_new_version_counts(text, rest):
    assert improved(text) == rest


def test_a_version_without_an_answer_is_not_the_answer_and_not_shown():
    answer, asks = refined("4", "I give up", "Improved answer:\n")
    assert answer.answer == "4" and asks[2].messages == shown("4")


def test_an_earlier_version_that_scores_higher_is_kept_and_the_later_of_equals_taken():
    assert refined("4", "5", _4=0.9, _5=0.2)[0].answer == "4"
    assert refined("4", "5", _4=0.5, _5=0.5)[0].answer == "5"
    assert refined("4", "5", _4=0.0)[0].answer == "4", "no score is below every score"


def test_without_any_answer_the_first_version_is_shown():
    answer, asks = refined("no", "")
    assert (answer.answer, answer.text) == (None, "no") and asks[1].messages == shown("no")


def test_it_stops_at_the_first_trouble_with_what_it_has():
    answer, asks = refined("5", "4", n=8)
    assert (answer.answer, len(asks), answer.stopped) == ("4", 3, "2 of 8 versions are in (no budget)")
