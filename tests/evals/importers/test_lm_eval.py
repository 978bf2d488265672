import json

import pytest

from evals.importers.files import imported, scores, write_lines
from onedial.core.errors import TableError
from onedial.core.query import Query
from onedial.verifiers.extract import number

FILE = "samples_gsm8k_2026-01-02T03-04-05.678901.jsonl"


def sample(doc_id=0, right=1.0, said="4", prompt="Q: 2+2?", **more):
    return {
        "doc_id": doc_id,
        "doc": {"question": "2+2?", "n": doc_id},
        "target": "4",
        "arguments": {"gen_args_0": {"arg_0": prompt, "arg_1": {"until": ["Q:"]}}},
        "resps": [[f"It is {said}."]],
        "filtered_resps": [said],
        "filter": "none",
        "metrics": ["exact_match"],
        "doc_hash": f"hash{doc_id}",
        "exact_match": right,
    } | more


def test_a_file_is_a_model_and_a_task(tmp_path):
    path = write_lines(tmp_path / "org__small" / FILE, sample(), sample(1, 0.0, "5", prompt="Q: 3+3?"))
    found, form = imported(path)
    assert form == "lm-eval"
    assert found.queries == (Query("gsm8k/0", "Q: 2+2?", "", "4", "gsm8k"), Query("gsm8k/1", "Q: 3+3?", "", "4", "gsm8k"))
    assert scores(found) == {("gsm8k/0", "org__small", 0): 1.0, ("gsm8k/1", "org__small", 0): 0.0}
    assert [(o.answer, o.label_kind, o.output_tokens) for o in found.outcomes] == [("4", "exact_match", None), ("5", "exact_match", None)]


def test_several_folders_are_several_models_and_another_run_is_more_samples(tmp_path):
    for model, right in (("small", 0.0), ("large", 1.0)):
        write_lines(tmp_path / model / FILE, sample(right=right, prompt=f"{model}: 2+2?"))
    write_lines(tmp_path / "small" / FILE.replace("2026", "2027"), sample(right=1.0))
    found, _ = imported(tmp_path)
    assert scores(found) == {("gsm8k/0", "large", 0): 1.0, ("gsm8k/0", "small", 0): 0.0, ("gsm8k/0", "small", 1): 1.0}
    assert found.queries[0].prompt == "large: 2+2?" and any("differ between models in their wording" in note for note in found.notes)


def test_what_is_said_overrides_what_the_path_says(tmp_path):
    found, _ = imported(write_lines(tmp_path / "x" / FILE, sample()), model="m", effort="high", dataset="d", extract=number)
    [outcome] = found.outcomes
    assert (outcome.query_id, outcome.model, outcome.effort) == ("d/0", "m", "high")


def test_of_several_filters_and_metrics_one_is_read_and_told(tmp_path):
    strict, flexible = sample(filter="strict-match", right=0.0), sample(filter="flexible-extract", acc=0.5, metrics=["exact_match", "acc"])
    path = write_lines(tmp_path / "m" / FILE, strict, flexible)
    found, _ = imported(path)
    assert [o.score for o in found.outcomes] == [0.0] and "'strict-match', one of strict-match, flexible-extract" in found.notes[0]
    assert [o.score for o in imported(path, mapping={"filter": "flexible-extract"})[0].outcomes] == [1.0]
    with pytest.raises(TableError, match=r"unknown filter 'strict'. Known: flexible-extract, strict-match"):
        imported(path, mapping={"filter": "strict"})
    with pytest.raises(TableError, match=r"unknown metric 'f1'. Known: exact_match"):
        imported(path, mapping={"score": "f1"})


def test_repeats_with_a_score_each_are_samples_and_those_without_are_left_out(tmp_path):
    scored = sample(right=[1, 0, 1], resps=[["4", "5", "4"]], filtered_resps=[["4", "5", "4"]])
    spare = sample(1, resps=[["4", "5", "4"]], filtered_resps=["4"])
    found, _ = imported(write_lines(tmp_path / "m" / FILE, scored, spare))
    assert [(o.query_id, o.sample_index, o.score, o.answer) for o in found.outcomes] == [
        ("gsm8k/0", 0, 1.0, "4"),
        ("gsm8k/0", 1, 0.0, "5"),
        ("gsm8k/0", 2, 1.0, "4"),
        ("gsm8k/1", 0, 1.0, "4"),
    ]
    assert "2 repeated responses have no score of their own" in found.notes[-1]


def test_the_score_of_a_majority_is_no_sample(tmp_path):
    path = write_lines(tmp_path / "m" / FILE, sample(filter="maj@8", resps=[["4"] * 8]))
    with pytest.raises(TableError, match="votes over several responses"):
        imported(path)
    several = write_lines(tmp_path / "n" / FILE, sample(filtered_resps=[["4", "5"]]))
    with pytest.raises(TableError, match="line 1: expected a score for each of the 2 responses"):
        imported(several)


@pytest.mark.parametrize("likelihoods", [[[-3.5, False], [-1.5, True]], [["-3.5", "False"], ["-1.5", "True"]]])
def test_the_answer_of_a_choice_is_the_likeliest(tmp_path, likelihoods):
    chosen = sample(acc=1.0, metrics=["acc", "acc_norm"], acc_norm=0.0, filtered_resps=likelihoods, arguments=[["Q", " A"], ["Q", " B"]])
    del chosen["exact_match"]
    [outcome] = imported(write_lines(tmp_path / "m" / FILE, chosen))[0].outcomes
    assert (outcome.score, outcome.answer, outcome.label_kind) == (1.0, "1", "acc")


def test_a_chat_is_the_text_of_its_turns_and_without_arguments_there_is_no_text(tmp_path):
    chat = json.dumps([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2?"}])
    bare = sample(1)
    del bare["arguments"]
    found, _ = imported(write_lines(tmp_path / "m" / FILE, sample(prompt=[chat]), bare))
    assert found.queries[0].prompt == "Be brief.\n\n2+2?" and found.queries[1].textless


@pytest.mark.parametrize(("second", "said"), [
    (sample(1, right=7.0), "column 'exact_match', line 2: expected a number from 0 to 1, found 7.0"),
    (sample(1) | {"doc_id": None}, "column 'doc_id', line 2"),
    ("{", "line 2: not JSON"),
    (sample(0, doc_hash="other"), "line 2: doc_id 'gsm8k/0' is another document than in"),
])  # fmt: skip
def test_a_malformed_line_is_named(tmp_path, second, said):
    with pytest.raises(TableError) as error:
        imported(write_lines(tmp_path / "m" / FILE, sample(), second))
    assert said in str(error.value) and FILE in str(error.value)


def test_metrics_that_could_all_be_meant_are_listed(tmp_path):
    path = write_lines(tmp_path / "m" / FILE, {k: v for k, v in sample(strict=1, loose=0).items() if k not in ("exact_match", "metrics")})
    with pytest.raises(TableError, match="has the metrics strict, loose; choose one with --map score=NAME"):
        imported(path)
    assert [o.score for o in imported(path, mapping={"score": "loose"})[0].outcomes] == [0.0]
