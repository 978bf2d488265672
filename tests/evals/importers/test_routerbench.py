import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evals.importers.files import imported, scores, write_csv
from onedial.core.errors import TableError
from onedial.core.query import Query
from onedial.verifiers.extract import choice

NAMES = [
    "sample_id",
    "prompt",
    "eval_name",
    "a/b",
    "c",
    "a/b|model_response",
    "c|model_response",
    "a/b|total_cost",
    "c|total_cost",
    "oracle",
]
ROWS = [
    ["mmlu.1", "['Which?\\nA) x\\nB) y']", "mmlu", "0.0", "1.0", "['A']", "['B)']", "1e-05", "0.002", "c"],
    ["mtb.2", "['Why?', 'And then?']", "mtbench", "0.35", "", "['one', 'two B']", "[]", "", "", "a/b"],
]


@pytest.fixture
def table(tmp_path):
    return write_csv(tmp_path / "routerbench_0shot.csv", NAMES, *ROWS)


def test_scores_costs_and_prompts_are_read_and_what_is_absent_is_no_failure(table):
    found, form = imported(table)
    assert form == "routerbench"
    assert found.queries == (
        Query("mmlu.1", "Which?\nA) x\nB) y", dataset="mmlu"),
        Query("mtb.2", "Why?\n\nAnd then?", dataset="mtbench"),
    )
    assert scores(found) == {("mmlu.1", "a/b", 0): 0.0, ("mmlu.1", "c", 0): 1.0, ("mtb.2", "a/b", 0): 0.35}
    assert [o.cost_usd for o in found.outcomes] == [1e-05, 0.002, None] and {o.answer for o in found.outcomes} == {None}


def test_the_last_response_is_read_where_asked_for(table):
    assert [o.answer for o in imported(table, extract=choice)[0].outcomes] == ["A", "B", "B"]


def test_parquet_means_the_same_as_csv(table, tmp_path):
    path = tmp_path / "rb.parquet"
    types = [*[str] * 3, *[lambda v: float(v) if v else None] * 2, eval, eval, *[lambda v: float(v) if v else None] * 2, str]
    columns = {name: [kind(row[i]) for row in ROWS] for i, (name, kind) in enumerate(zip(NAMES, types, strict=True))}
    pq.write_table(pa.table(columns), path)
    assert imported(path)[0].outcomes == imported(table)[0].outcomes and imported(path)[0].queries == imported(table)[0].queries


@pytest.mark.parametrize("name", ["routerbench_0shot.pkl", "renamed.csv"])
def test_a_pickle_is_refused_unopened_with_how_to_convert_it(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(pickle.dumps(Bomb(), protocol=4))
    with pytest.raises(TableError, match=r"is a pickle, which can run anything.*read_pickle.*to_parquet"):
        imported(path)


class Bomb:
    def __reduce__(self):
        return (exit, (3,))


@pytest.mark.parametrize(("at", "value", "said"), [
    (3, "1.5", "column 'a/b', row 1: expected a number from 0 to 1, found '1.5'"),
    (7, "-1", "column 'a/b|total_cost', row 1: expected a finite number"),
    (0, "mtb.2", "row 2: query 'mtb.2' has another prompt"),
    (0, "", "column 'sample_id', row 1: expected text that is not empty, found nothing"),
])  # fmt: skip
def test_a_malformed_row_is_named(tmp_path, at, value, said):
    first = [value if i == at else cell for i, cell in enumerate(ROWS[0])]
    with pytest.raises(TableError) as error:
        imported(write_csv(tmp_path / "rb.csv", NAMES, first, ROWS[1]))
    assert said in str(error.value)
