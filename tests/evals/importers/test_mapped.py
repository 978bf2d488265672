import pytest

from evals.importers.files import imported, scores, write_csv, write_lines
from onedial.core.errors import ConfigError, TableError
from onedial.core.outcome import Outcome
from onedial.core.query import Query

MAP = {"query_id": "qid", "prompt": "question", "score": "correct", "output_tokens": "tokens", "effort": "level"}
NAMES = ["qid", "question", "model", "level", "correct", "tokens", "note"]
ROWS = [[7, "2+2?", "m", "high", "true", "12", "x"], [7, "2+2?", "m", "high", "FALSE", "", ""], [8, "hi", "n", "", "0.25", "nan", ""]]


def test_columns_are_mapped_words_read_and_samples_numbered_as_they_come(tmp_path):
    found, form = imported(write_csv(tmp_path / "t.csv", NAMES, *ROWS), mapping=MAP)
    assert form == "mapped" and found.queries == (Query("7", "2+2?"), Query("8", "hi"))
    assert found.outcomes == (
        Outcome("7", "m", "high", 0, 1.0, None, output_tokens=12),
        Outcome("7", "m", "high", 1, 0.0, None),
        Outcome("8", "n", None, 0, 0.25, None),
    )
    assert found.notes == ("Columns that mean nothing here were left out: note.",)


def test_json_lines_mean_the_same_as_csv(tmp_path):
    rows = [dict(zip(NAMES, row, strict=True)) | {"correct": score} for row, score in zip(ROWS, (True, False, 0.25), strict=True)]
    lines = write_lines(tmp_path / "t.jsonl", *rows)
    assert imported(lines, mapping=MAP)[0] == imported(write_csv(tmp_path / "t.csv", NAMES, *ROWS), mapping=MAP)[0]


def test_our_own_names_need_no_mapping_and_constants_fill_in_or_override(tmp_path):
    path = write_lines(tmp_path / "t.jsonl", {"query_id": "a", "model": "m", "score": 1, "sample_index": 3, "answer": "4"})
    found, form = imported(path)
    assert form == "mapped" and scores(found) == {("a", "m", 3): 1.0} and found.queries == (Query.without_text("a"),)
    given = imported(path, model="n", effort="low", dataset="d", extract=lambda text: text * 2)[0]
    assert given.queries[0].dataset == "d" and given.outcomes == (Outcome("a", "n", "low", 3, 1.0, "44"),)


def test_without_an_id_the_prompt_makes_one(tmp_path):
    path = write_csv(tmp_path / "t.csv", ["prompt", "correct"], ["2+2?", 1], ["2+2?", 0])
    found, _ = imported(path, mapping={"score": "correct"}, model="m")
    assert found.queries == (Query.of("2+2?"),) and [o.sample_index for o in found.outcomes] == [0, 1]


def test_impossible_measurements_are_errors_unless_repair_is_asked_for(tmp_path):
    path = write_csv(tmp_path / "t.csv", NAMES, ROWS[0], [*ROWS[1][:5], -3, ""])
    with pytest.raises(TableError, match="column 'tokens', row 2: expected a whole number that is not negative, found '-3'"):
        imported(path, mapping=MAP)
    found = imported(path, mapping=MAP, repair=True)[0]
    assert [o.output_tokens for o in found.outcomes] == [12, None] and "column 'tokens': 1 impossible values" in found.notes[0]


@pytest.mark.parametrize(("row", "said"), [
    ([7, "2+2?", "", "", 1, 1, ""], "column 'model', row 2: expected text that is not empty, found nothing"),
    ([7, "2+3?", "m", "", 1, 1, ""], "row 2: query '7' has another prompt than in"),
    (["", "", "m", "", 1, 1, ""], "column 'qid', row 2: expected an id, or a prompt to make one of"),
    ([7, "2+2?", "m", "", "so so", 1, ""], "column 'correct', row 2: expected a number from 0 to 1, found 'so so'"),
])  # fmt: skip
def test_a_malformed_row_is_named(tmp_path, row, said):
    with pytest.raises(TableError) as error:
        imported(write_csv(tmp_path / "t.csv", NAMES, ROWS[0], row), mapping=MAP)
    assert said in str(error.value)


def test_the_same_sample_twice_is_named_with_both_places(tmp_path):
    rows = [{"query_id": "a", "model": "m", "score": score, "sample_index": 0} for score in (1, 0)]
    with pytest.raises(TableError, match=r"line 2: query_id, model.*stand in .*line 1 already"):
        imported(write_lines(tmp_path / "t.jsonl", *rows))


@pytest.mark.parametrize(("mapping", "error", "said"), [
    ({"scor": "correct"}, ConfigError, "unknown column 'scor'.*Did you mean 'score'"),
    (MAP | {"answer": "reply"}, TableError, "has no column 'reply'; it has qid, question"),
    ({"query_id": "qid"}, TableError, "has no column 'score'"),
    ({"score": "correct"}, TableError, "neither 'query_id' nor 'prompt'"),
])  # fmt: skip
def test_a_mapping_that_does_not_fit_is_told(tmp_path, mapping, error, said):
    with pytest.raises(error, match=said):
        imported(write_csv(tmp_path / "t.csv", NAMES, *ROWS), mapping=mapping)
