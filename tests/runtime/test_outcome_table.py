import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onedial.core.errors import TableError
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.runtime.table import OUTCOMES, QUERIES, read_table, write_table

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
SHARE = st.none() | st.floats(0, 1)
COUNT = st.none() | st.integers(0, 2**40)
AMOUNT = st.none() | st.floats(0, 9)
IDS = (st.sampled_from("ab"), st.sampled_from(["m", "n"]), st.sampled_from([None, "low"]), st.integers(0, 99))
REST = (SHARE, st.none() | TEXT, COUNT, COUNT, AMOUNT, AMOUNT, COUNT, COUNT, SHARE, SHARE, st.none() | TEXT)
ROWS = st.builds(Outcome, *IDS, *REST)
QUERY_LIST = (Query("a", "2+2?", "Be brief.", "4", "sums"), Query("b", " hi "))


@settings(max_examples=30, deadline=None)
@given(st.lists(ROWS, max_size=6, unique_by=lambda o: (o.query_id, o.source, o.sample_index)))
def test_a_table_comes_back_as_it_was_written_and_absent_is_not_zero(tmp_path_factory, outcomes):
    directory = tmp_path_factory.mktemp("table") / "new"
    write_table(directory, QUERY_LIST, outcomes)
    read = read_table(directory)
    assert (read.queries, read.outcomes, read.without_prompt) == (QUERY_LIST, tuple(outcomes), ())
    assert sorted(os.listdir(directory)) == [OUTCOMES, QUERIES]


def foreign(tmp_path, queries=None, outcomes=None):
    """A table as others write it: other text and number types, further columns, missing optional ones."""
    base = {"query_id": ["a", "b", "c"], "prompt": ["2+2?", "hi", None], "dataset": ["d", "d", "d"], "reference": [None] * 3}
    rows = {
        "query_id": ["a", "a", "c"],
        "model": ["m"] * 3,
        "effort": pa.array([None, "low", None], pa.large_string()),
        "sample_index": pa.array([0, 0, 3], pa.int32()),
        "score": pa.array([1, 0.5, None], pa.float32()),
        "output_tokens": [7.0, float("nan"), None],
        "token_basis": ["recorded"] * 3,
    }
    pq.write_table(pa.table(base | (queries or {})), tmp_path / QUERIES)
    pq.write_table(pa.table(rows | (outcomes or {})), tmp_path / OUTCOMES)
    return tmp_path


def test_a_foreign_table_is_read_and_queries_without_a_prompt_are_kept_without_text_and_named(tmp_path):
    read = read_table(foreign(tmp_path))
    assert read.queries == (Query("a", "2+2?", dataset="d"), Query("b", "hi", dataset="d"), Query.without_text("c", dataset="d"))
    assert read.outcomes == (
        Outcome("a", "m", None, 0, 1.0, None, output_tokens=7),
        Outcome("a", "m", "low", 0, 0.5, None),
        Outcome("c", "m", None, 3, None, None),
    )
    assert read.without_prompt == ("c",)


def test_the_column_of_prompts_may_be_absent_altogether_and_comes_back_as_nothing(tmp_path):
    write_table(tmp_path, [Query.without_text("a", "4", "sums")], [Outcome("a", "m", None, 0, 0.25, None)])
    assert pq.read_table(tmp_path / QUERIES)["prompt"].to_pylist() == [None]
    pq.write_table(pa.table({"query_id": ["a"], "reference": ["4"], "dataset": ["sums"]}), tmp_path / QUERIES)
    read = read_table(tmp_path)
    assert read.queries == (Query.without_text("a", "4", "sums"),) and read.outcomes[0].score == 0.25


def test_columns_of_any_type_of_text_and_number_mean_the_same(tmp_path):
    plain = read_table(foreign(tmp_path)).outcomes
    coded = {"model": pa.array(["m"] * 3).dictionary_encode(), "sample_index": pa.chunked_array([[0], [0, 3]], pa.uint8())}
    halves = {"score": pa.array([1.0, 0.5, float("nan")]), "output_tokens": pa.array([7, None, None], pa.int16())}
    assert read_table(foreign(tmp_path, outcomes=coded | halves)).outcomes == plain


@pytest.mark.parametrize(("queries", "outcomes", "told"), [
    ({}, {"score": [1.0, 1.5, 0.0]}, [OUTCOMES, "'score', row 2", "from 0 to 1", "1.5"]),
    ({}, {"score": ["1", "x", "0"]}, [OUTCOMES, "'score', row 1"]),
    ({}, {"sample_index": [0, -1, 3]}, [OUTCOMES, "'sample_index', row 2", "-1"]),
    ({}, {"sample_index": [0, 1, None]}, [OUTCOMES, "'sample_index', row 3", "found nothing"]),
    ({}, {"output_tokens": [7.5, None, None]}, [OUTCOMES, "'output_tokens', row 1", "whole number"]),
    ({}, {"model": ["m", "", "m"]}, [OUTCOMES, "'model', row 2", "not empty"]),
    ({}, {"cost_usd": [0.0, 0.0, float("inf")]}, [OUTCOMES, "'cost_usd', row 3", "finite"]),
    ({}, {"query_id": ["a", "z", "a"]}, [OUTCOMES, "'query_id', row 2", "'z' is not in"]),
    ({}, {"effort": [None, None, None]}, [OUTCOMES, "row 2", "row 1 already"]),
    ({"query_id": ["a", "b", "a"]}, {}, [QUERIES, "'query_id', row 3", "row 1 already"]),
    ({"query_id": ["a", None, "c"]}, {}, [QUERIES, "'query_id', row 2"]),
    ({"prompt": [1, 2, 3]}, {}, [QUERIES, "'prompt', row 1", "expected text", "found 1"]),
])  # fmt: skip
def test_malformed_input_names_the_file_the_column_and_the_row(tmp_path, queries, outcomes, told):
    with pytest.raises(TableError) as error:
        read_table(foreign(tmp_path, queries, outcomes))
    assert all(part in str(error.value) for part in told), str(error.value)


def test_impossible_measurements_are_errors_unless_repair_is_asked_for_and_then_absent_and_told(tmp_path):
    directory = foreign(tmp_path, outcomes={"output_tokens": [7, -39, -1]})
    with pytest.raises(TableError, match=r"'output_tokens', row 2.*with `repair`"):
        read_table(directory)
    read = read_table(directory, repair=True)
    assert [o.output_tokens for o in read.outcomes] == [7, None, None]
    assert [o.score for o in read.outcomes] == [1.0, 0.5, None]
    [told] = read.repaired
    assert "'output_tokens': 2 impossible values were made absent, the first of them -39 in row 2" in told


def test_repair_does_not_extend_to_keys_and_scores(tmp_path):
    with pytest.raises(TableError, match="'score', row 2"):
        read_table(foreign(tmp_path, outcomes={"score": [1.0, -1.0, 0.0]}), repair=True)


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path):
    write_table(tmp_path, QUERY_LIST, [])
    pq.write_table(pa.table({"query_id": ["a"], "model": ["m"], "index": [0]}), tmp_path / OUTCOMES)
    with pytest.raises(TableError, match="no column 'sample_index'; it has query_id, model, index"):
        read_table(tmp_path)


def test_a_missing_or_unreadable_file_is_an_error(tmp_path):
    with pytest.raises(TableError, match=r"queries\.parquet is not there"):
        read_table(tmp_path)
    write_table(tmp_path, QUERY_LIST, [])
    Path(tmp_path / OUTCOMES).write_bytes(b"PAR1 cut off")
    with pytest.raises(TableError, match="cannot be read as Parquet"):
        read_table(tmp_path)


def test_a_table_that_fails_to_be_written_leaves_the_old_one(tmp_path):
    write_table(tmp_path, QUERY_LIST, [])
    with pytest.raises(pa.ArrowException):
        write_table(tmp_path, QUERY_LIST[:1], [Outcome("a", "m", None, 0, "high", None)])
    assert read_table(tmp_path).queries == QUERY_LIST and len(os.listdir(tmp_path)) == 2
    with pytest.raises(pa.ArrowException):
        write_table(tmp_path / "new", QUERY_LIST[:1], [Outcome("a", "m", None, 0, "high", None)])
    assert not (tmp_path / "new").exists()
