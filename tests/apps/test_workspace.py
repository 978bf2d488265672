import pytest

import onedial
from onedial.apps.workspace import grader, load, verifier
from onedial.core.errors import ConfigError
from onedial.core.query import Query
from onedial.lab.prompts import lab_queries
from onedial.verifiers.extract import number

LAB = lab_queries(1)[0]


def test_equality_with_the_reference_reads_the_reference_as_it_reads_answers():
    grade = grader("reference", number)
    query = Query("q", "?", reference="1,200.0")
    assert (grade(query, "1200"), grade(query, "12"), grade(query, None)) == (1.0, 0.0, 0.0)
    assert grade(Query("q", "?"), "1200") is None


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
