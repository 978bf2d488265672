import os

import pytest

import onedial
from onedial.apps.workspace import GRADERS, embedded, grader, load, verifier
from onedial.core.arm import Source
from onedial.core.ask import Completion
from onedial.core.errors import ConfigError, TableError
from onedial.core.query import Query
from onedial.lab.prompts import lab_queries
from onedial.lab.stepwise import STEP_TOKENS
from onedial.runtime.comparing import Apart
from onedial.runtime.pool import Pool
from onedial.runtime.sandbox_client import SandboxClient
from onedial.runtime.scripted import ScriptedClient, samples_of
from onedial.runtime.store import Store
from onedial.verifiers.extract import number
from onedial.verifiers.process import unscored

LAB = lab_queries(1)[0]


def test_equality_with_the_reference_reads_the_reference_as_it_reads_answers():
    grade = grader("reference", number)
    query = Query("q", "?", reference="1,200.0")
    assert (grade(query, "1200"), grade(query, "12"), grade(query, None)) == (1.0, 0.0, 0.0)
    assert grade(Query("q", "?"), "1200") is None


@pytest.mark.parametrize(("name", "right", "wrong"), [
    ("exact", "1 000 g", "1 000 G"),
    ("text", "the 1 000 g.", "1 kg"),
    ("number", "1e3", "1,000.1"),
    ("choice", "(b)", "C"),
    ("json", '{"b": 2.0, "a": 1}', '{"a": 1}'),
])  # fmt: skip
def test_a_grader_by_equality_takes_the_reference_as_written(name, right, wrong):
    references = {"exact": "1 000 g", "text": "1 000 g", "number": "1,000", "choice": "B) Rome", "json": '{"a": 1, "b": 2}'}
    grade, query = grader(name, number), Query("q", "?", reference=references[name])
    assert (grade(query, right), grade(query, wrong), grade(query, None)) == (1.0, 0.0, 0.0)
    assert grade(Query("q", "?"), right) is None


def test_an_equality_that_cannot_decide_gives_no_score(monkeypatch):
    monkeypatch.setattr("onedial.apps.workspace.Apart", lambda name: lambda answer, reference: None)
    assert grader("math")(Query("q", "?", reference="1"), "2") is None


def configured(tmp_path, answers, said, *others):
    """A dial on a configuration with such a table of answers, its one model played by a script."""
    path = tmp_path / "onedial.toml"
    path.write_text(f'[[models]]\nname = "m"\nurl = "http://h/v1"\nprice = {{ input = 1, output = 2 }}\n[answers]\n{answers}\n')
    dial = load(path)
    played = [model for model in dial.pool.models.values() if model.name == "m"]
    dial.pool = Pool([ScriptedClient(played, lambda ask, model: samples_of(ask, model, [Completion(said)] * ask.n)), *others])
    return dial


@pytest.mark.parametrize(("answers", "said", "reference", "score"), [
    ('extract = "number"\ngrader = "reference"', "so 1200", "it is 1,200.0", 1.0),
    ('extract = "number"', "so 0.7500001", "0.75", 0.0),
    ('extract = "number"\ngrader = "number"', "so 0.7500001", "0.75", 1.0),
    ('grader = "number"', "3/4", "75%", 1.0),
    ('extract = "boxed"\ngrader = "number"', r"hence \boxed{3/4}", "0.75", 1.0),
    ('grader = "choice"', "C) Rome", "C", 1.0),
    ('grader = "json"', '```json\n{"a": 1.0}\n```', '{"a": 2}', 0.0),
])  # fmt: skip
def test_collecting_scores_answers_by_the_grader_of_the_configuration(tmp_path, answers, said, reference, score):
    with configured(tmp_path, answers, said) as dial:
        dial.block(dial.collect([Query("q", "?", reference=reference)], samples=1))
        with Store.open(dial.store_path) as store:
            assert [outcome.score for outcome in store.outcomes()] == [score]
            kind = "number-match" if 'grader = "number"' in answers else None
            assert kind is None or {outcome.label_kind for outcome in store.outcomes()} == {kind}


@pytest.mark.parametrize(("answers", "same"), [('grader = "number"', True), ('grader = "reference"', None), ('grader = "math"', None)])
def test_the_equality_that_grades_also_says_which_votes_are_for_the_same_answer(tmp_path, answers, same):
    with configured(tmp_path, answers, "3/4") as dial:
        equal = dial.settings.reading.equal
        assert (equal and equal("3/4", ".75")) == same


def test_collecting_scores_candidates_by_the_schema_of_the_configuration(tmp_path):
    pytest.importorskip("jsonschema", reason="the extra `schema` is not installed")
    with configured(tmp_path, 'verifier = "json_schema"\n[answers.schema]\ntype = "object"', "[1]") as dial:
        dial.block(dial.collect([Query("q", "?", reference="[1]")], samples=1))
        with Store.open(dial.store_path) as store:
            assert [(outcome.score, outcome.verifier_score) for outcome in store.outcomes()] == [(1.0, 0.0)]


PROGRAM = "Here:\n```python\ndef add(a, b):\n    return a + b\n```"


@pytest.mark.skipif(os.name != "posix", reason="POSIX limits")
@pytest.mark.parametrize(("shown", "held_back", "scores"), [
    ("assert add(1, 2) == 3", "assert add(2, 2) == 4", (1.0, 1.0)),
    ("assert add(1, 2) == 4", "assert add(2, 2) == 4", (0.0, 1.0)),
    ("no tests here", "assert add(2, 2) == 5", (None, 0.0)),
])  # fmt: skip
def test_programs_are_verified_by_the_tests_shown_and_graded_by_those_held_back(tmp_path, shown, held_back, scores):
    answers = 'extract = "code"\nverifier = "unit_tests"\ngrader = "unit_tests"'
    with configured(tmp_path, answers, PROGRAM, SandboxClient()) as dial:
        assert dial.sources == (Source("m"),) and "sandbox" in dial.pool.models
        dial.block(dial.collect([Query("q", f"Write add.\n{shown}", reference=held_back)], samples=1))
        with Store.open(dial.store_path) as store:
            [outcome] = store.outcomes()
        assert (outcome.verifier_score, outcome.score, outcome.label_kind) == (*scores, "unit-tests")


def test_unit_tests_need_answers_that_are_programs(tmp_path):
    with pytest.raises(ConfigError, match=r"answers.grader: 'unit_tests' runs programs, and 'words' answers are none"):
        configured(tmp_path, 'grader = "unit_tests"', "x")


def test_mathematics_is_compared_in_a_process_apart():
    pytest.importorskip("math_verify", reason="the extra `math` is not installed")
    assert isinstance(grader("math").__closure__[0].cell_contents, Apart)


@pytest.mark.parametrize(("answers", "reference", "told"), [
    ('extract = "code"\ngrader = "unit_tests"', "assert (", "query 'q': the tests are not Python"),
    ('grader = "number"', "Paris", "query 'q': the reference 'Paris' was found; expected a number"),
    ('extract = "number"\ngrader = "number"', "3/4", "its own reference '3/4', read as '4', would not be graded right"),
    ('extract = "boxed"', "4", "its own reference '4', read as '4', would not be graded right"),
])  # fmt: skip
def test_a_reference_that_no_answer_could_match_is_named_before_anything_is_paid_for(tmp_path, answers, reference, told):
    with configured(tmp_path, answers, "4") as dial:
        with pytest.raises(TableError, match=told):
            dial.block(dial.collect([Query("q", "?", reference=reference)], samples=1))
        assert not dial.store_path.exists()


def test_every_grader_says_what_its_labels_are():
    assert len(set(GRADERS.values())) == len(GRADERS)


def test_the_exact_checker_has_no_score_for_a_question_that_is_not_the_labs():
    grade = grader("lab")
    assert (grade(LAB, LAB.reference), grade(LAB, "no such answer"), grade(LAB, None)) == (1.0, 0.0, 0.0)
    assert grade(Query("q", "2+2?"), "4") is None


@pytest.mark.parametrize(("look_up", "name"), [(grader, "refrence"), (verifier, "lap")])
def test_an_unknown_name_is_guessed_at(look_up, name):
    with pytest.raises(ConfigError, match="Did you mean"):
        look_up(name)


def test_a_configuration_in_the_folder_is_used_and_its_store_is_beside_it(tmp_path):
    (tmp_path / "onedial.toml").write_text(
        '[[models]]\nname = "m"\nurl = "http://h/v1"\nprice = { input = 1, output = 2 }\n[store]\npath = "x/o.db"\n'
    )
    with onedial.load() as dial:
        assert list(dial.pool.models) == ["m"]
        assert dial.store_path.resolve() == tmp_path / "x" / "o.db" and dial.fit_path.parent == dial.store_path.parent
    with load(data=tmp_path / "y") as dial:
        assert dial.store_path == tmp_path / "y" / "o.db"


def test_a_configuration_without_models_has_the_embedded_ones(tmp_path):
    (tmp_path / "onedial.toml").write_text('[store]\npath = "x/outcomes.db"\n')
    with load() as dial:
        assert "tiny" in dial.pool.models and dial.settings.label_kind == "exact"
        assert dial.store_path.resolve() == tmp_path / "x" / "outcomes.db"


def test_searches_over_the_embedded_models_are_written_in_their_steps_which_nothing_scores(tmp_path):
    with embedded(tmp_path, methods=["beam=4"]) as dial:
        process, models = dial.settings.reading.process, dial.pool.models
    assert "tiny+beam4" in models and process.tokens == STEP_TOKENS and process.score is unscored
