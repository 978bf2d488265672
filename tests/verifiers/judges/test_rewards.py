"""Reward models and unit tests as judges: what they ask, and how a reply becomes a score."""

import pytest

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.ask import Completion, Failure, Samples
from onedial.core.errors import ConfigError
from onedial.core.query import Query
from onedial.core.steps import drive
from onedial.core.usage import Usage
from onedial.verifiers.judges.contract import Verdicts
from onedial.verifiers.judges.reward import outcome_reward, process_reward
from onedial.verifiers.judges.unit_tests import SANDBOX, stated_tests, unit_tests

QUERY, MODEL = Query("q", "2 + 2 ?", system="be brief"), Source("rm")


def of(*texts):
    return [Candidate(Source("m"), i, text, text) for i, text in enumerate(texts)]


def play(judge, *replies, candidates=(), query=QUERY):
    asks, left = [], iter(replies)

    def reply(ask):
        asks.append(ask)
        said = next(left)
        return said if isinstance(said, Failure) else Samples((Completion(said, output_tokens=0),), Usage(1, 9), 1e-6)

    return drive(judge(query, candidates), reply), asks


def test_an_outcome_reward_is_asked_for_once_per_text_with_the_response_as_the_last_turn():
    verdicts, asks = play(outcome_reward(MODEL), "0.25", "1", candidates=of("it is 4", "5", "it is 4"))
    assert verdicts == Verdicts((0.25, 1.0, 0.25), read=2) and [ask.first_index for ask in asks] == [0, 1]
    assert [(m.role, m.content) for m in asks[0].messages] == [("system", "be brief"), ("user", "2 + 2 ?"), ("assistant", "it is 4")]
    assert all(ask.source == MODEL and ask.judging for ask in asks)


@pytest.mark.parametrize("said", ["", "high", "1.5", "-0.1", "nan", "0.2 0.3"])
def test_what_is_no_reward_is_no_score_and_counted(said):
    verdicts, _ = play(outcome_reward(MODEL), said, candidates=of("4"))
    assert verdicts == Verdicts((None,), unread=1)


@pytest.mark.parametrize(("join", "score"), [("last", 0.5), ("least", 0.25), ("product", 0.0625)])
def test_a_process_reward_sees_every_step_as_a_turn_and_joins_their_scores(join, score):
    verdicts, asks = play(process_reward(MODEL, join), "0.5 0.25 0.5", candidates=of("first\n\nthen\n \n\nso 4"))
    assert verdicts.scores == (score,)
    assert [m.content for m in asks[0].messages if m.role == "assistant"] == ["first", "then", "so 4"]


def test_steps_may_be_split_otherwise_and_an_empty_response_is_one_step():
    _, asks = play(process_reward(MODEL, parts=str.splitlines), "1 1", candidates=of("a\nb"))
    assert [m.content for m in asks[0].messages[2:]] == ["a", "b"]
    _, asks = play(process_reward(MODEL), "1", candidates=of(" "))
    assert asks[0].messages[-1].content == "(no answer)"


def test_an_unknown_way_to_join_is_refused():
    with pytest.raises(ConfigError, match="Known: last, least, product"):
        process_reward(MODEL, "mean")


TASK = Query("p", "Write add.\nassert add(1, 2) == 3\nassert that it is fast\nassert safety\n>>> add(2,\n...     2)\n4\n")


def test_tests_are_read_out_of_the_query_and_never_out_of_its_reference():
    assert stated_tests(TASK.prompt).splitlines()[0] == "assert add(1, 2) == 3" and "fast" not in stated_tests(TASK.prompt)
    assert "assert repr(add(2,\n    2)) == '4'" in stated_tests(TASK.prompt)
    hidden = Query("h", "Write add.", reference="assert add(1, 2) == 3")
    assert play(unit_tests(), candidates=of("x = 1"), query=hidden) == (Verdicts((None,)), [])


def test_examples_that_set_something_up_are_kept_in_order():
    assert stated_tests(">>> box = []\n>>> put(box, 1)\n>>> box\n[1]\n") == "box = []\nput(box, 1)\nassert repr(box) == '[1]'"


@pytest.mark.parametrize("text", ["no tests", ">>> x = 1", "assert", ">>> f(", "a\n >>> f(1)\n2"])
def test_a_text_without_tests_has_none(text):
    assert stated_tests(text) == ""


def test_a_program_goes_to_the_sandbox_with_the_tests_after_it():
    program = "def add(a, b):\n    return a + b"
    verdicts, asks = play(unit_tests(), "1", "0", candidates=of(f"Here:\n```python\n{program}\n```", "no idea"), query=TASK)
    assert verdicts == Verdicts((1.0, 0.0), read=2) and asks[0].source == SANDBOX
    assert [(m.role, m.content) for m in asks[0].messages[-2:]] == [("assistant", program), ("user", stated_tests(TASK.prompt))]


def test_a_sandbox_that_fails_gives_no_verdict():
    verdicts, _ = play(unit_tests(), Failure("no tests"), candidates=of("x"), query=TASK)
    assert verdicts == Verdicts((None,), trouble="no tests")
