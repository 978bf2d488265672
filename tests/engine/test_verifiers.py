"""Judges rated on recorded answers: what they are asked, what it costs, and when they are given up."""

import pytest

from onedial.core.arm import Source
from onedial.core.ask import Completion, Failure
from onedial.core.errors import ConfigError, TableError
from onedial.core.model import Model
from onedial.core.query import Query
from onedial.core.usage import Price
from onedial.engine.dial import Dial
from onedial.engine.recorded import held_out
from onedial.engine.settings import Settings
from onedial.engine.verifiers import PATIENCE, ask_judge, recorded_verifiers
from onedial.runtime.ledger import Grant
from onedial.runtime.pool import Pool
from onedial.runtime.scripted import ScriptedClient, samples_of
from onedial.strategies.draw import Reading

SMALL = Model("small", Price(1.0, 2.0), max_output_tokens=9, capabilities=frozenset({"n"}))
WISE = Model("wise", Price(10.0, 20.0), max_output_tokens=9)
QUERIES = [Query(f"q{i}", f"what is {i} ?", reference=str(i)) for i in range(80)]
HELD = [query.id for query in QUERIES if held_out(query, 0.5, 0)]


def answers(ask, model):
    """Right on every other sample of every other query, and shorter when right; wrong answers all differ."""
    right = ask.query_id[1:]
    said = [right if (i + int(right)) % 2 == 0 else f"{i}{right}x" for i in range(ask.first_index, ask.first_index + ask.n)]
    return samples_of(ask, model, [Completion(text, output_tokens=4 + 3 * (text != right)) for text in said])


def grades(ask, model):
    """It sees through every wrong answer but one kind, and mumbles about query 0."""
    response = ask.messages[1].content.split(" response>\n")[1].split("\n")[0]
    grade = "hm" if ask.query_id == "q0" else "Score: 9" if "x" not in response or response.startswith("1") else "Score: 1"
    return samples_of(ask, model, [Completion(grade, output_tokens=4)])


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """Answers are collected; the script of the judge can be changed."""
    script = {}

    def play(ask, model):
        return script["wise"](ask, model) if model.name == "wise" else answers(ask, model)

    settings = Settings(Reading(), lambda query, answer: None if query.reference is None else float(answer == query.reference))
    with Dial(Pool([ScriptedClient([SMALL, WISE], play)]), tmp_path_factory.mktemp("collected"), settings) as made:
        made.block(made.collect(QUERIES, samples=4, models=["small"]))
        yield made, script


@pytest.fixture
def dial(collected):
    made, script = collected
    made.grant, script["wise"] = Grant(), grades
    made.pool.client("wise").asked.clear()
    return made


@pytest.fixture
def script(collected):
    return collected[1]


def test_a_judge_is_asked_about_held_out_answers_and_rated_by_their_grades(dial):
    found = dial.block(ask_judge(dial, "pointwise=wise"))
    asked = [ask for ask in dial.pool.client("wise").asked if ask.judging]
    assert {ask.query_id for ask in asked} <= set(HELD) and all(ask.source == Source("wise") for ask in asked)
    assert (found.rated.p_accept_right.estimate, found.rated.p_accept_wrong.estimate) == (1.0, pytest.approx(0.25, abs=0.06))
    assert found.rated.right + found.rated.wrong + found.rated.unscored == 4 * len(HELD)
    assert found.spend.usage == dial.grant.usage and found.spend.usage.calls == len(asked) and found.trouble == ""
    assert found.unread == sum(ask.query_id == "q0" for ask in asked)


def test_as_many_sets_as_asked_for_and_no_more(dial):
    found = dial.block(ask_judge(dial, "pointwise=wise", most=3))
    assert found.on == "3 sets of answers to held-out queries" and found.rated.right + found.rated.wrong <= 12


def test_a_budget_ends_it_and_is_kept(dial):
    found = dial.block(ask_judge(dial, "pointwise=wise", budget_usd=0.02))
    assert 0 < found.spend.cost_usd <= 0.02 and "exceeds what is left" in found.trouble and found.rated.unscored > 0


def test_a_judge_that_only_fails_is_given_up(dial, script):
    script["wise"] = lambda ask, model: Failure("down")
    found = dial.block(ask_judge(dial, "pointwise=wise"))
    assert found.on.startswith(f"{PATIENCE} sets") and found.trouble == "down" and found.rated.right == 0


def test_an_unknown_judge_is_named(dial):
    with pytest.raises(ConfigError, match="Did you mean 'wise'"):
        dial.block(ask_judge(dial, "pointwise=wize"))


def test_what_is_learned_is_rated_on_queries_it_has_not_seen(dial):
    found = {(one.name, one.on): one.rated for one in recorded_verifiers(dial)}
    assert set(found) == {
        ("agreement", "all outcomes"), ("learned", "training queries, out of fold"), ("learned", "held-out queries"),
    }  # fmt: skip
    assert found["learned", "held-out queries"].right + found["learned", "held-out queries"].wrong == 4 * len(HELD)
    assert found["learned", "held-out queries"].auc.estimate > 0.95, "right answers are shorter, and agree"


def test_without_outcomes_there_is_nothing_to_rate(tmp_path):
    empty = Dial(Pool([ScriptedClient([SMALL], answers)]), tmp_path, Settings(Reading(), lambda query, answer: None))
    with pytest.raises(TableError, match="no outcomes yet"):
        recorded_verifiers(empty)
