from dataclasses import replace

import pytest

from onedial.core.arm import Source
from onedial.core.ask import Completion, Refusal, Sample, Samples
from onedial.core.query import Query
from onedial.core.steps import drive
from onedial.core.usage import Usage
from onedial.strategies.budget_forcing import SUFFIX, budget_forcing
from onedial.strategies.draw import Reading
from onedial.verifiers.extract import number

QUERY, SOURCE = Query("q", "2 + 2 ?"), Source("small", "0")


def forced(*completions, n=None, **scores):
    """The answer when these come, and the texts that were to be continued; `_4=0.9` scores the answer 4."""
    asks, listed = [], [Completion(c) if isinstance(c, str) else c for c in completions]
    replies = iter([Samples((c,), Usage(1), 0.0) for c in listed] + [Refusal("no budget")])
    steps = budget_forcing(QUERY, SOURCE, n or len(listed), Reading(number, lambda query, answer: scores.get(f"_{answer}")))
    answer = drive(steps, lambda ask: asks.append(ask) or next(replies))
    assert asks[0].needs == ({"continue"} if (n or len(listed)) > 1 else set()), "what later asks need is said before the first is paid"
    expected = [Sample("q", SOURCE, QUERY.messages, 1, i, continue_from=ask.continue_from) for i, ask in enumerate(asks)]
    assert [replace(asks[0], needs=frozenset()), *asks[1:]] == expected
    return answer, [ask.continue_from for ask in asks]


def test_every_ask_continues_all_that_was_said_with_a_doubt_at_its_end():
    answer, continued = forced("It is 5.", " that is 3.\n", "no, 4.")
    assert continued == ["", f"It is 5.{SUFFIX}", f"It is 5.{SUFFIX} that is 3.{SUFFIX}"]
    assert (answer.answer, answer.text, answer.stopped) == ("4", "no, 4.", "the thought was ended 3 of 3 times")


def test_where_the_thought_is_shown_it_is_what_is_continued():
    _, continued = forced(Completion("5", thinking="two and three"), "4")
    assert continued[1] == f"two and three{SUFFIX}"


def test_a_thought_is_continued_from_its_opening_mark_which_stands_there_once():
    thoughts = [Completion("5", thinking="two and three", opening="<think>\n"), Completion("4", thinking="no"), "4"]
    _, continued = forced(*thoughts)
    assert continued == ["", f"<think>\ntwo and three{SUFFIX}", f"<think>\ntwo and three{SUFFIX} no{SUFFIX}"]


@pytest.mark.parametrize(
    "last", [Completion("it is 7 and", finish="length"), Completion("7", finish="error"), Completion(""), Completion("hm")]
)
def test_an_empty_or_cut_reply_is_not_the_answer_if_there_is_an_earlier_one(last):
    assert forced("4", last)[0].answer == "4"


@pytest.mark.parametrize("last", [Completion("it is 7 and", finish="length"), Completion(" ")])
def test_nothing_is_continued_after_an_empty_or_cut_reply(last):
    answer, continued = forced("4", last, n=8)
    assert len(continued) == 2 and answer.stopped == "the thought was ended 2 of 8 times"


def test_a_cut_reply_is_the_answer_where_there_is_no_other():
    assert forced(Completion("it is 7 and", finish="length"))[0].answer == "7"
    assert forced("hm", Completion("it is 7 and", finish="length"))[0].answer == "7"


def test_an_earlier_answer_that_scores_higher_is_kept():
    assert forced("4", "5", _4=0.9, _5=0.2)[0].answer == "4"


def test_without_any_answer_the_first_reply_is_shown():
    answer, _ = forced("hm", "well")
    assert (answer.answer, answer.text) == (None, "hm")


def test_it_stops_at_the_first_trouble_with_what_it_has():
    answer, continued = forced("5", "4", n=8)
    assert (answer.answer, len(continued), answer.stopped) == ("4", 3, "the thought was ended 2 of 8 times (no budget)")
