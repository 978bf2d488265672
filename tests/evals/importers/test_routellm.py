import pytest

from evals.importers.files import imported, scores, write_csv, write_lines
from onedial.core.errors import TableError
from onedial.core.query import Query
from onedial.verifiers.extract import number

STRONG, WEAK = "gpt-4-1106-preview", "mistralai/Mixtral-8x7B-Instruct-v0.1"
NAMES = ["prompt", WEAK, STRONG, f"{WEAK}_response", f"{STRONG}_response"]
ROWS = [["2+2?", "True", "True", "It is\n#### 4", "4."], ["3*7?", "False", "True", "so, 20", 'I say "21".'], ["1+1?", "", "True", "", "2"]]


def test_every_model_is_a_column_and_the_file_names_the_data_set(tmp_path):
    found, form = imported(write_csv(tmp_path / "gsm8k_responses.csv", NAMES, *ROWS))
    assert form == "routellm"
    assert found.queries[:2] == (Query("gsm8k/0000", "2+2?", dataset="gsm8k"), Query("gsm8k/0001", "3*7?", dataset="gsm8k"))
    assert scores(found) == {
        ("gsm8k/0000", WEAK, 0): 1.0,
        ("gsm8k/0000", STRONG, 0): 1.0,
        ("gsm8k/0001", WEAK, 0): 0.0,
        ("gsm8k/0001", STRONG, 0): 1.0,
        ("gsm8k/0002", STRONG, 0): 1.0,
    }
    first = found.outcomes[0]
    assert (first.answer, first.output_tokens, first.cost_usd, first.effort) == (None, None, None, None)
    assert "--extract" in found.notes[0]


def test_answers_are_read_out_of_full_responses_where_asked_for(tmp_path):
    found, _ = imported(write_csv(tmp_path / "gsm8k_responses.csv", NAMES, *ROWS), extract=number)
    assert [o.answer for o in found.outcomes] == ["4", "4", "20", "21", "2"] and found.notes == ()


def test_a_folder_of_subjects_is_one_table_and_files_of_another_shape_are_named(tmp_path):
    write_csv(tmp_path / "responses" / "mmlu_anatomy.csv", NAMES[:3], ["a", "True", "False"])
    write_csv(tmp_path / "responses" / "mmlu_world_religions.csv", NAMES[:3], ["b", "False", "False"])
    write_csv(tmp_path / "domains.csv", ["subject", "domain"], ["anatomy", "medicine"])
    found, form = imported(tmp_path)
    assert form == "routellm" and [q.dataset for q in found.queries] == ["mmlu/anatomy", "mmlu/world_religions"]
    assert found.notes == ("1 files of another shape were left out: domains.csv.",)


def judgement(question, turn, score, model=STRONG):
    return {"question_id": question, "model": model, "judge": ["gpt-4", "single-v1"], "score": score, "turn": turn, "user_prompt": "..."}


def test_judgements_are_shares_of_ten_and_their_prompts_come_from_the_file_beside_them(tmp_path):
    path = write_lines(tmp_path / "judgements.jsonl", *(judgement(81, turn, 10 - turn) for turn in (1, 2)), judgement(82, 1, -1))
    found, form = imported(path)
    assert form == "routellm" and all(q.textless for q in found.queries)
    assert scores(found) == {("mt_bench/81/turn1", STRONG, 0): 0.9, ("mt_bench/81/turn2", STRONG, 0): 0.8}
    write_lines(tmp_path / "question.jsonl", {"question_id": 81, "turns": ["Why?", "And then?"]})
    assert [q.prompt for q in imported(path)[0].queries] == ["Why?", "Why?\n\n[next user turn]\n\nAnd then?", ""]


@pytest.mark.parametrize(("row", "said"), [
    (["hi", "True", "perhaps"], f"column '{STRONG}', row 2: expected a number from 0 to 1, found 'perhaps'"),
    (["", "True", "True"], "column 'prompt', row 2: expected text, found nothing"),
    (["hi", "True"], "row 2: 2 values under 3 columns"),
])  # fmt: skip
def test_a_malformed_row_is_named(tmp_path, row, said):
    with pytest.raises(TableError) as error:
        imported(write_csv(tmp_path / "gsm8k.csv", NAMES[:3], ["ok", "True", "False"], row))
    assert said in str(error.value) and "gsm8k.csv" in str(error.value)
