import pytest

from onedial.core.arm import Source
from onedial.core.ask import Completion, Sample, Samples
from onedial.core.query import Query
from onedial.core.usage import Usage
from onedial.strategies.direct import direct
from onedial.strategies.draw import Reading
from onedial.verifiers.extract import number

QUERY, SOURCE = Query("q", "2 + 2 ?"), Source("small", "0")


def test_one_sample_is_asked_for_and_is_the_answer():
    steps = direct(QUERY, SOURCE, 1, Reading(number))
    assert next(steps) == Sample("q", SOURCE, QUERY.messages, 1, 0)
    with pytest.raises(StopIteration) as end:
        steps.send(Samples((Completion("it is 4.0", output_tokens=3),), Usage(1, 4, 0, 3), 0.5))
    answer = end.value.value
    assert (answer.text, answer.answer, answer.stopped) == ("it is 4.0", "4", "one sample was asked for")
    assert (answer.spend.cost_usd, answer.spend.usage.output_tokens) == (0.5, 3)


def test_a_count_changes_nothing():
    assert next(direct(QUERY, SOURCE, 8, Reading())) == next(direct(QUERY, SOURCE, 1, Reading()))


def test_a_sample_without_an_answer_is_shown_and_has_none():
    steps = direct(QUERY, SOURCE, 1, Reading(number))
    next(steps)
    with pytest.raises(StopIteration) as end:
        steps.send(Samples((Completion("I cannot say"),), Usage(1), 0.0))
    assert (end.value.value.text, end.value.value.answer) == ("I cannot say", None)
