from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from apps.conftest import onedial, read
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.runtime.table import read_table, write_table


def test_what_is_exported_can_be_imported_elsewhere_once(fitted, tmp_path):
    written = read("export", tmp_path / "table", data=fitted)
    first = read("import", tmp_path / "table", data=tmp_path / "b")["taken"]
    again = read("import", tmp_path / "table" / "outcomes.parquet", data=tmp_path / "b")["taken"]
    assert (written["queries"], written["outcomes"]) == (first["new_queries"], first["new_outcomes"]) == (60, 480)
    assert (again["new_queries"], again["new_outcomes"]) == (0, 0)
    read("export", tmp_path / "table2", data=tmp_path / "b")
    for name in ("queries.parquet", "outcomes.parquet"):
        assert pq.read_table(tmp_path / "table" / name) == pq.read_table(tmp_path / "table2" / name)


def test_models_that_are_not_configured_are_named(fitted, tmp_path, config):
    read("export", tmp_path / "table", data=fitted)
    result = onedial("--config", config(), "import", tmp_path / "table", data=tmp_path / "b")
    assert result.exit_code == 0 and "left out when fitting: tiny" in result.stderr


def test_a_folder_without_a_table_is_an_error(tmp_path):
    result = onedial("import", tmp_path / "nothing", data=tmp_path / "b")
    assert result.exit_code == 2 and "expected a directory that holds queries.parquet" in result.stderr
    assert not (tmp_path / "b").exists()


@pytest.fixture
def recorded(tmp_path):
    """A foreign file: two models, right or wrong."""
    path = tmp_path / "sums_responses.csv"
    path.write_text('prompt,small,large,small_response\n"2+2?",True,True,"= 4"\n"3*7?",False,True,"= 20"\n')
    return path


def test_a_foreign_file_is_written_as_a_table_that_imports_alike(recorded, tmp_path):
    result = onedial("import", recorded, "--out", tmp_path / "table")
    assert result.exit_code == 0 and "Read as routellm" in result.stdout and "--extract" in result.stderr
    assert not (tmp_path / "onedial-data").exists()
    straight = read("import", recorded, data=tmp_path / "a")
    by_table = read("import", tmp_path / "table", data=tmp_path / "b")
    assert (straight["format"], by_table["format"]) == ("routellm", "table") and straight["taken"] == by_table["taken"]
    assert straight["taken"]["new_outcomes"] == 4 and straight["not_configured"] == ["large"]


def test_choices_reach_the_importer(recorded, tmp_path):
    given = ["--dataset", "s", "--extract", "number", "--out", tmp_path / "table"]
    assert read("import", recorded, *given)["outcomes"] == 4
    assert pq.read_table(tmp_path / "table" / "outcomes.parquet")["answer"].to_pylist() == ["4", None, "20", None]
    assert pq.read_table(tmp_path / "table" / "queries.parquet")["query_id"].to_pylist() == ["s/0000", "s/0001"]
    mapping = ["--format", "mapped", "--map", "score=large", "--model", "large", "--out", tmp_path / "mapped"]
    assert read("import", recorded, *mapping)["outcomes"] == 2


def test_nothing_of_a_malformed_file_is_taken(recorded, tmp_path):
    recorded.write_text(recorded.read_text() + '"1+1?",True,often,""\n')
    for where in (["--out", tmp_path / "table"], []):
        result = onedial("import", recorded, *where, data=tmp_path / "b")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "sums_responses.csv, column 'large', row 3: expected a number from 0 to 1, found 'often'" in result.stderr
    assert not (tmp_path / "table").exists() and not (tmp_path / "b").exists()


def test_a_table_that_differs_from_the_store_adds_nothing(tmp_path):
    rows = [Outcome("a", "m", None, 0, 1.0, "x"), Outcome("b", "m", None, 0, 1.0, "x")]
    write_table(tmp_path / "one", [Query("a", "hi"), Query("b", "ho")], rows)
    write_table(tmp_path / "two", [Query("c", "he"), Query("a", "hi")], [replace(rows[0], score=0.0), replace(rows[1], query_id="c")])
    read("import", tmp_path / "one", data=tmp_path / "data")
    result = onedial("import", tmp_path / "two", data=tmp_path / "data")
    assert result.exit_code == 2 and "with another score" in result.stderr
    read("export", tmp_path / "after", data=tmp_path / "data")
    after = read_table(tmp_path / "after")
    assert (after.queries, list(after.outcomes)) == ((Query("a", "hi"), Query("b", "ho")), rows)


@pytest.mark.parametrize(("options", "said"), [
    (["--map", "score"], "is not OUR_NAME=THEIR_NAME"),
    (["--map", "score=a", "--map", "score=b"], "mapped to a already"),
    (["--extract", "nummer"], "Did you mean 'number'"),
    (["--model", "m"], "--model means nothing to the format routellm"),
    (["--format", "csv"], "unknown format 'csv'"),
])  # fmt: skip
def test_options_that_do_not_fit_are_refused(recorded, options, said, tmp_path):
    result = onedial("import", recorded, *options, data=tmp_path / "b")
    assert (result.exit_code, result.stdout) == (2, "") and said in result.stderr


def test_queries_without_text_are_taken_told_and_never_asked(tmp_path):
    write_table(tmp_path / "table", [Query.without_text("a", "4")], [Outcome("a", "tiny", "0", 0, 1.0, "4")])
    taken = read("import", tmp_path / "table", data=tmp_path / "b")
    assert taken["taken"]["new_outcomes"] == 1 and "1 of 1 queries have no prompt" in taken["notes"][0]
    result = onedial("collect", "--models", "tiny", data=tmp_path / "b")
    assert result.exit_code == 2 and "there is nothing to ask" in result.stderr
    read("export", tmp_path / "again", data=tmp_path / "b")
    assert read_table(tmp_path / "again").queries == (Query.without_text("a", "4"),)
