from onedial.core.arm import Source
from onedial.core.ask import Completion, Refusal, Sample, Samples
from onedial.core.query import Message, Query
from onedial.core.steps import drive
from onedial.core.usage import Usage
from onedial.strategies.draw import Reading
from onedial.strategies.follow_up import NOTHING
from onedial.strategies.revision_chain import REQUEST, SHOWN, revision_chain
from onedial.verifiers.extract import number

QUERY, SOURCE = Query("q", "2 + 2 ?", system="be brief"), Source("small", "0")


def revised(*texts, n=None, **scores):
    """The answer when these completions come, and the asks; `_4=0.9` scores the answer 4, and what is not named has no score."""
    asks, replies = [], iter([Samples((Completion(text),), Usage(1), 0.0) for text in texts] + [Refusal("no budget")])
    steps = revision_chain(QUERY, SOURCE, n or len(texts), Reading(number, lambda query, answer: scores.get(f"_{answer}")))
    return drive(steps, lambda ask: asks.append(ask) or next(replies)), asks


def shown(*texts):
    turns = [(Message("assistant", text), Message("user", REQUEST)) for text in texts]
    return (*QUERY.messages, *(message for turn in turns for message in turn))


def test_each_ask_shows_the_attempts_so_far_in_their_order():
    _, asks = revised("5", "4", "3")
    assert asks == [
        Sample("q", SOURCE, QUERY.messages),
        Sample("q", SOURCE, shown("5"), 1, 1),
        Sample("q", SOURCE, shown("5", "4"), 1, 2),
    ]


def test_only_the_latest_attempts_are_shown():
    texts = list("12345678")
    _, asks = revised(*texts)
    assert asks[-1].messages == shown(*texts[-1 - SHOWN : -1])


def test_the_plurality_of_the_chain_wins_not_its_end():
    answer, _ = revised("4", "4", "5")
    assert (answer.answer, answer.stopped) == ("4", "3 of 3 attempts are in")


def test_the_best_scored_of_the_chain_wins_against_its_plurality():
    assert revised("5", "4", "5", _4=0.9, _5=0.2)[0].answer == "4"


def test_an_attempt_without_text_is_shown_as_such():
    assert revised("", "4")[1][1].messages == shown(NOTHING)


def test_it_stops_at_the_first_trouble_with_what_it_has():
    answer, asks = revised("4", "5", "4", n=8)
    assert (answer.answer, len(asks), answer.stopped) == ("4", 4, "3 of 8 attempts are in (no budget)")
