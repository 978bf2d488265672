import pytest

from evals.importers.files import imported, write_csv, write_lines
from onedial.core.errors import ConfigError, TableError
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.evals.importers.registry import IMPORTERS
from onedial.runtime.table import write_table

QUERIES = (Query("a", "hi"), Query.without_text("b"))
OUTCOMES = (Outcome("a", "m", "low", 0, 0.5, "x", 3, 4, 1e-6), Outcome("b", "m", None, 2, None, None))


def test_a_table_is_read_as_it_was_written_by_its_folder_or_either_file(tmp_path):
    write_table(tmp_path / "t", QUERIES, OUTCOMES)
    for path in (tmp_path / "t", tmp_path / "t" / "queries.parquet", tmp_path / "t" / "outcomes.parquet"):
        found, form = imported(path)
        assert (form, found.queries, found.outcomes) == ("table", QUERIES, OUTCOMES)
    assert found.notes[0].startswith("1 of 2 queries have no prompt")


def test_what_looks_like_nothing_is_told_with_every_format(tmp_path):
    path = write_csv(tmp_path / "t.csv", ["x", "y"], [1, 2])
    with pytest.raises(TableError) as error:
        imported(path)
    assert all(name in str(error.value) for name in IMPORTERS)
    with pytest.raises(TableError, match="there is nothing at"):
        imported(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=r"unknown format 'lmeval'.*Did you mean 'lm-eval'"):
        imported(path, "lmeval")


@pytest.mark.parametrize("form", ["lm-eval", "routerbench", "routellm", "mapped"])
def test_a_format_that_is_named_is_read_as_that_or_refused(form, tmp_path):
    path = write_lines(tmp_path / "t.jsonl", {"x": 1})
    with pytest.raises(TableError, match=r"t\.jsonl"):
        imported(path, form)


def test_a_choice_that_a_format_does_not_heed_is_refused_rather_than_ignored(tmp_path):
    write_table(tmp_path, QUERIES, OUTCOMES)
    with pytest.raises(ConfigError, match="--model means nothing to the format table; it heeds --repair"):
        imported(tmp_path, model="m")


@pytest.mark.parametrize(("content", "said"), [(b"", "no format that is known"), (b"\xff\xfe\x00", "not CSV in UTF-8")])
def test_a_file_without_sense_is_told(tmp_path, content, said):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(TableError, match=said):
        imported(tmp_path / "t.csv")
