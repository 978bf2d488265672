import sys

import pytest

from evals.importers.files import imported
from onedial.core.errors import ConfigError, TableError
from onedial.core.query import Query


def test_without_inspect_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.eval").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    with pytest.raises(ConfigError, match=r"pip install 'onedial\[inspect\]'"):
        imported(tmp_path)


def log(path, values, *, effort=None, thinking=None, status="success", usage=True):
    """A log with one sample per (id, epoch), written by Inspect itself; None ends in an error."""
    pytest.importorskip("inspect_ai")
    from inspect_ai.log import EvalConfig, EvalDataset, EvalError, EvalLog, EvalPlan, EvalSample, EvalSpec, write_eval_log
    from inspect_ai.model import GenerateConfig, ModelOutput, ModelUsage
    from inspect_ai.scorer import Score

    used = ModelUsage(input_tokens=5, output_tokens=9, total_tokens=24, input_tokens_cache_read=10, reasoning_tokens=7)
    samples = [
        EvalSample(
            id=name,
            epoch=epoch,
            input=f"what is {name} ?",
            target="4",
            output=ModelOutput.from_content("m", "so 4"),
            scores=None if value is None else {"match": Score(value=value, answer="4"), "other": Score(value=1)},
            error=EvalError(message="timed out", traceback="", traceback_ansi="") if value is None else None,
            model_usage={"org/m": used} if usage else {},
            working_time=1.5,
        )
        for (name, epoch), value in values.items()
    ]
    spec = EvalSpec(
        created="2026-01-02T03:04:05+00:00",
        task="sums",
        dataset=EvalDataset(name="sums", samples=len(samples)),
        model="org/m",
        config=EvalConfig(epochs=2),
        model_generate_config=GenerateConfig(reasoning_tokens=thinking),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    plan = EvalPlan(config=GenerateConfig(reasoning_effort=effort))
    write_eval_log(EvalLog(eval=spec, plan=plan, status=status, samples=samples), str(path))
    return path


VALUES = {("a", 1): "C", ("a", 2): "I", ("b", 1): "P", ("b", 2): None}


def test_epochs_are_samples_letters_are_scores_and_a_failure_is_no_zero(tmp_path):
    found, form = imported(log(tmp_path / "x.eval", VALUES, effort="high"))
    assert form == "inspect"
    assert found.queries == (Query("sums/a", "what is a ?", "", "4", "sums"), Query("sums/b", "what is b ?", "", "4", "sums"))
    assert {(o.query_id, o.sample_index): o.score for o in found.outcomes} == {("sums/a", 0): 1.0, ("sums/a", 1): 0.0, ("sums/b", 0): 0.5}
    first = found.outcomes[0]
    assert (first.model, first.effort, first.answer, first.latency_s, first.label_kind) == ("org/m", "high", "4", 1.5, "match")
    assert (first.input_tokens, first.cached_tokens, first.output_tokens, first.thinking_tokens) == (15, 10, 9, 7)
    assert any("1 samples ended in an error" in note for note in found.notes)


def test_runs_of_one_arm_continue_each_other(tmp_path):
    log(tmp_path / "1.eval", VALUES)
    log(tmp_path / "2.eval", {("a", 1): 0.25}, status="error", usage=False)
    found, _ = imported(tmp_path)
    assert {(o.query_id, o.sample_index): o.score for o in found.outcomes}["sums/a", 2] == 0.25
    assert found.outcomes[-1].input_tokens is None and any("ended with 'error'" in note for note in found.notes)


def test_the_effort_is_that_of_the_run_or_of_the_model_or_what_is_said(tmp_path):
    path = log(tmp_path / "x.eval", VALUES, thinking=2048)
    assert {o.effort for o in imported(path)[0].outcomes} == {"thinking-2048"}
    assert {o.effort for o in imported(path, effort="low")[0].outcomes} == {"low"}
    assert {o.effort for o in imported(log(path, VALUES, effort="high", thinking=2048))[0].outcomes} == {"high"}


def test_a_scorer_may_be_chosen(tmp_path):
    path = log(tmp_path / "x.eval", VALUES)
    assert {o.score for o in imported(path, mapping={"score": "other"})[0].outcomes} == {1.0}
    with pytest.raises(TableError, match=r"epoch 1.*unknown scorer 'matc'.*Did you mean 'match'"):
        imported(path, mapping={"score": "matc"})


def test_a_score_that_is_none_is_named_with_its_sample(tmp_path):
    with pytest.raises(TableError, match=r"x\.eval, column 'match', sample 'a', epoch 2.*found 'maybe'"):
        imported(log(tmp_path / "x.eval", VALUES | {("a", 2): "maybe"}))


def test_a_file_that_is_no_log_is_told(tmp_path):
    pytest.importorskip("inspect_ai")
    (tmp_path / "x.eval").write_bytes(b"nothing")
    with pytest.raises(TableError, match="cannot be read as an Inspect log"):
        imported(tmp_path / "x.eval")
