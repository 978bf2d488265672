import json

import pytest

from apps.conftest import onedial, read


@pytest.fixture
def asked(tmp_path):
    path = tmp_path / "q.jsonl"
    assert onedial("lab", "prompts", "--out", path, "--n", 12, "--split", "test").exit_code == 0
    return path


def test_a_plan_is_made_shown_run_and_gone_on_with(fitted, asked):
    said = onedial("plan", asked, "--budget", "1e-6usd", data=fitted)
    assert said.exit_code == 0 and "Planned 12 queries for $1e-06 in all" in said.stdout and "onedial run" in said.stdout
    plan = asked.with_suffix(".plan.jsonl")
    found = read("run", plan, data=fitted)
    assert found["missing"] == 0 and found["report"]["answered"] == 12 and found["report"]["spent_usd"] <= 1e-6
    answers = [json.loads(line) for line in asked.with_suffix(".plan.answers.jsonl").read_text().splitlines()]
    assert {line["id"] for line in answers} == {json.loads(line)["id"] for line in asked.read_text().splitlines()}
    again = onedial("run", plan, data=fitted)
    assert again.exit_code == 0 and "Answered 12 of 12 queries (12 were there already)" in again.stdout


def test_adaptively_the_same_plan_is_run_within_the_same_budget(fitted, asked):
    onedial("plan", asked, "--budget", "$1e-6", data=fitted)
    found = read("run", asked.with_suffix(".plan.jsonl"), "--adaptive", data=fitted)
    assert found["missing"] == 0 and found["report"]["spent_usd"] <= 1e-6


def test_a_budget_that_runs_dry_is_told_with_exit_code_one(fitted, asked):
    plan = read("plan", asked, "--within", "0.02", data=fitted)
    ran = onedial("run", plan["plan"], "--budget", f"{plan['cost_usd'] / 2:.3g}usd", data=fitted)
    assert ran.exit_code == 1 and "does not cover the worst case" in ran.stderr and "higher --budget" in ran.stderr


def test_an_endpoint_that_fails_is_told_query_by_query(fitted, asked, config):
    plan = read("plan", asked, "--within", "0.02", data=fitted)["plan"]
    ran = onedial("--config", config(), "run", plan, data=fitted)
    assert ran.exit_code == 2 and "unknown model 'tiny'" in ran.stderr


@pytest.mark.parametrize("budget", ["five", "-3", "0usd", "$", "nan", "inf"])
def test_what_is_no_amount_of_money_is_refused(fitted, asked, budget):
    ran = onedial("plan", asked, "--budget", budget, data=fitted)
    assert ran.exit_code == 2 and "is no budget; expected a positive amount of USD" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "needs one goal, found 0"),
        (["--budget", "5", "--quality", "0.9"], "needs one goal, found 2"),
        (["--budget", "1e-15"], "less than the cheapest arm of every query costs"),
        (["--quality", "1"], "more than these arms are forecast to reach"),
    ],
)
def test_a_goal_that_cannot_be_planned_for_is_refused_and_nothing_is_written(fitted, asked, arguments, said):
    ran = onedial("plan", asked, *arguments, data=fitted)
    assert ran.exit_code == 2 and said in ran.stderr and not asked.with_suffix(".plan.jsonl").exists()


def test_a_bad_line_of_queries_and_of_a_plan_is_named_by_file_and_line(fitted, asked):
    whole = asked.read_text()
    asked.write_text(whole + '{"promt": "hi"}\n')
    ran = onedial("plan", asked, "--budget", "5usd", data=fitted)
    assert ran.exit_code == 2 and "q.jsonl, line 13" in ran.stderr and "Did you mean 'prompt'?" in ran.stderr
    asked.write_text(whole)
    onedial("plan", asked, "--budget", "5usd", data=fitted)
    plan = asked.with_suffix(".plan.jsonl")
    plan.write_text(plan.read_text()[:-9])
    ran = onedial("run", plan, data=fitted)
    assert ran.exit_code == 2 and "q.plan.jsonl, line 13: not JSON" in ran.stderr
    assert not asked.with_suffix(".plan.answers.jsonl").exists()


def test_before_there_is_a_fit_it_says_how_to_get_one(asked, tmp_path):
    ran = onedial("plan", asked, "--budget", "5usd", data=tmp_path / "none")
    assert ran.exit_code == 2 and "onedial fit" in ran.stderr
