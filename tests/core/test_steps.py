import pytest

from onedial.core.errors import QueryError, unknown
from onedial.core.query import Query
from onedial.core.steps import drive


def echo(asks):
    replies = []
    for ask in asks:
        reply = yield ask
        replies.append(reply)
    return replies


def test_every_ask_is_answered_in_order_and_the_result_comes_back():
    assert drive(echo([1, 2, 3]), lambda ask: ask * 10) == [10, 20, 30]
    assert drive(echo([]), lambda ask: ask) == []


def test_an_error_of_the_answering_side_reaches_the_caller_and_closes_the_generator():
    steps = echo([1, 2])
    with pytest.raises(ZeroDivisionError):
        drive(steps, lambda ask: 1 // 0)
    assert steps.gi_frame is None


def test_an_empty_prompt_is_no_query():
    with pytest.raises(QueryError, match="has an empty prompt; expected text to answer"):
        Query("q", "  \n")


def test_the_same_text_has_the_same_id():
    assert Query.of("2 + 2 ?").id == Query.of("2 + 2 ?").id != Query.of("2 + 3 ?").id


def test_an_unknown_name_is_told_with_those_known():
    assert unknown("model", "x", []) == "unknown model 'x'. Known: none."
