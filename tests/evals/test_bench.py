"""The bench from end to end, on small generated tables."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from onedial.core.query import Query
from onedial.evals.bench import run as module
from onedial.evals.bench.as_json import document, table_json
from onedial.evals.bench.extras import promise_over_resplits
from onedial.evals.bench.goals import goals_of
from onedial.evals.bench.pictures import bench_findings
from onedial.evals.bench.run import AFTERWARDS, BenchOptions, bench, key_of
from onedial.evals.bench.table import bench_table
from onedial.evals.report.document import html
from onedial.evals.report.findings import Findings
from worlds import MODELS, World

POLICIES = ("model-only", "compute-only", "hull", "agreement-cascade", "carrot-knn", "best-per-dataset")
OPTIONS = BenchOptions(goals_of([0.6]), POLICIES, folds=2, resamples=60)
N = 50


def priced(outcome):
    price = MODELS[outcome.model].price
    usd = (price.input_usd_per_mtok * outcome.input_tokens + price.output_usd_per_mtok * outcome.output_tokens) / 1e6
    return replace(outcome, cost_usd=usd)


@pytest.fixture(scope="module")
def table():
    """Two models, two efforts, two samples."""
    world = World(5)
    queries = world.queries(N, "bench")
    return bench_table("small world", queries, [priced(o) for o in world.outcomes(queries, 2) if o.model != "middle"])


@pytest.fixture(scope="module")
def made(table, tmp_path_factory):
    """(folder of folds, what came out)."""
    folder = tmp_path_factory.mktemp("bench")
    return folder, bench(table, OPTIONS, folder)


def test_the_json_has_everything_and_nothing_that_json_cannot_hold(made):
    _, benched = made
    found = document("onedial bench x", OPTIONS, [table_json(benched, {"promise": promise_over_resplits(benched)})])
    assert set(found) == {"version", "command", "options", "seed", "tables"} and found["options"]["targets"] == [0.6]
    (one,) = found["tables"]
    assert (one["name"], one["n_queries"], one["n_queries_total"], one["n_arms"], one["seed"]) == ("small world", N, N, 12, 0)
    assert one["cost_basis"] == "usd" and [goal["label"] for goal in one["goals"]][-2:] == ["best − 10", "60 %"]
    families = {policy["name"]: policy["family"] for policy in one["policies"]}
    assert families == {
        "best fixed": "fixed",
        "joint": "joint",
        "model-only": "model_only",
        "compute-only": "compute_only",
        "hull": "fixed",
        "best-per-dataset": "fixed",
        "carrot-knn": "router",
        "agreement-cascade": "cascade",
        "oracle": "oracle",
        "hindsight": "hindsight",
    }
    assert all(set(point) == {"target", "quality", "cost_usd", "n"} and point["n"] == N for p in one["policies"] for point in p["points"])
    assert len(one["matched"]) == len(families) * len(OPTIONS.goals)
    assert {"target", "policy", "cost_usd", "ratio_to_best_fixed", "ci95", "joint_ratio", "joint_ci95"} <= set(one["matched"][0])
    assert set(one["oracle_gap_closed"]) == set(families) and one["oracle_gap_closed"]["best fixed"] == 0
    assert {"epsilon", "delta", "resamples", "violation_rate", "issued_rate", "saving_when_issued"} <= set(one["promise"])
    assert "non_inferior" in one["verdict"] and len(one["calibration"]) == len(OPTIONS.goals)
    numbers = [value for row in one["matched"] for value in row.values() if isinstance(value, float)]
    assert numbers and np.isfinite(numbers).all()


def test_the_best_fixed_arm_of_every_fold_is_chosen_on_the_others(made):
    _, benched = made
    grid, fixed, fold = benched.pooled.arms, benched.pooled.fixed, benched.pooled.fold
    for k in range(OPTIONS.folds):
        best = grid.quality[fold != k].mean(axis=0)
        chosen = [j for j in range(len(grid.arms)) if np.allclose(grid.quality[fold == k, j], fixed.quality[0, fold == k], atol=1e-9)]
        assert max(best[chosen]) == pytest.approx(best.max())


def test_a_bench_that_was_interrupted_goes_on_with_the_folds_that_are_missing(made, table, monkeypatch):
    folder, benched = made
    run, real = [], module.run_fold

    def counted(table, fold, k, *more):
        run.append(k)
        return real(table, fold, k, *more)

    monkeypatch.setattr(module, "run_fold", counted)
    again = bench(table, OPTIONS, folder)
    assert run == [] and table_json(again) == table_json(benched)
    (folder / f"{key_of(table, OPTIONS)}-1.npz").unlink()
    assert table_json(bench(table, OPTIONS, folder)) == table_json(benched)
    assert run == [1]


def test_other_options_queries_or_outcomes_are_another_bench(table):
    keys = {
        key_of(table, options) for options in (OPTIONS, replace(OPTIONS, seed=1), replace(OPTIONS, folds=3), replace(OPTIONS, policies=()))
    }
    keys |= {key_of(replace(table, outcomes=table.outcomes[1:]), OPTIONS), key_of(replace(table, queries=table.queries[1:]), OPTIONS)}
    assert len(keys) == 6
    assert key_of(table, replace(OPTIONS, resamples=9)) == key_of(table, OPTIONS)


def test_nothing_that_a_fold_runs_is_missing_from_what_identifies_the_code():
    room = Path(module.__file__).parents[1]
    seen, ahead = set(), ["bench/fold.py"]
    while ahead:
        name = ahead.pop()
        if name in seen or not (room / name).exists():
            continue
        seen.add(name)
        imports = [n for n in ast.walk(ast.parse((room / name).read_text())) if isinstance(n, ast.ImportFrom)]
        ahead += ["/".join(n.module.split(".")[2:]) + ".py" for n in imports if (n.module or "").startswith("onedial.evals.")]
    assert not {part for name in seen for part in (name, name.split("/")[0])} & AFTERWARDS
    assert {"bench/fold.py", "bench/goals.py", "bench/contenders.py", "bench/published.py", "ablations.py"} <= seen


def test_the_report_of_a_table_shows_policies_rivals_and_bounds_but_no_text_of_a_query(made, table):
    _, benched = made
    findings = bench_findings(benched)
    assert findings.rivals and set(findings.rivals) <= {"agreement-cascade", "carrot-knn"}
    assert {line.name for line in findings.lines} >= {"joint", "model-only", "compute-only", "hull", "oracle", *findings.rivals}
    page = html(findings)
    assert "2-fold cross-validated" in page and not any(query.prompt in page for query in table.queries)
    assert Findings.from_json(findings.to_json()) == findings


def test_with_two_arms_one_sample_no_text_and_no_costs_there_is_still_a_bench(tmp_path):
    world = World(2)
    asked = world.queries(44, "bare")
    queries = [Query.without_text(query.id) for query in asked]
    bare = {"input_tokens": None, "output_tokens": None, "answer": None, "verifier_score": None}
    outcomes = [replace(o, **bare) for o in world.outcomes(asked, 1) if (o.model, o.effort) in (("small", "0"), ("large", "2"))]
    table = bench_table("bare", queries, outcomes)
    benched = bench(table, BenchOptions(goals_of([]), ("model-only", "compute-only", "hull"), folds=2, resamples=30), tmp_path)
    assert table.basis == "calls" and benched.bound == "hindsight" and "oracle" not in benched.sweeps
    best = benched.pooled.arms.quality.mean(axis=0).max()
    for name in ("joint", "model-only"):
        assert benched.sweeps[name].cost_usd[0].mean() == pytest.approx(1.0), "one call each, and nothing to gain from another"
        assert benched.sweeps[name].quality[0].mean() == pytest.approx(best, abs=0.03)
    assert bench_findings(benched).unit == "samples"
