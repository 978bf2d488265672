import pytest

from apps.conftest import onedial, read

PROMPT = "compute modulo 10 : start with 2 . #1 minus 4 #2 times 7 #3 plus 1 . what is the result ?"


def test_the_answer_comes_first_then_the_path_the_spend_and_the_promise(fitted):
    result = onedial("ask", PROMPT, data=fitted)
    lines = [line.strip() for line in result.stdout.splitlines() if line.strip()]
    assert result.exit_code == 0
    assert lines[0] == read("ask", PROMPT, data=fitted)["text"]
    assert [any(line.startswith(word) for line in lines) for word in ("1 tiny/think=", "spent", "stopped", "promised")] == [True] * 4


def test_json_holds_every_candidate_and_every_decision_with_its_outlooks(fitted):
    found = read("ask", PROMPT, data=fitted)
    assert len(found["candidates"]) == sum(block["candidates"] for block in found["drawn"]) >= 1
    assert found["spend"]["cost_usd"] == pytest.approx(sum(block["spend"]["cost_usd"] for block in found["drawn"]))
    assert [d["arm"] for d in found["decisions"]] == [*(block["arm"] for block in found["drawn"]), None]
    assert found["decisions"][0]["outlooks"] or found["promise"]["mixture"] is None
    assert found["answer"] in {c["answer"] for c in found["candidates"]}
    assert found["promise"]["certificate"]["label_kind"] == "exact"


def test_a_prompt_can_come_from_standard_input(fitted):
    assert read("ask", "-", data=fitted, stdin=PROMPT + "\n")["query"] == read("ask", PROMPT, data=fitted)["query"]


def test_a_budget_is_an_objective_that_promises_no_quality(fitted):
    promise = read("ask", PROMPT, "--budget", 1e-6, data=fitted)["promise"]
    assert promise["certificate"] is None and promise["objective"]["budget_usd"] == 1e-6


def test_decided_before_the_first_token_there_is_one_block(fitted):
    found = read("ask", PROMPT, "--budget", 1e-6, "--before", data=fitted)
    assert len(found["drawn"]) == 1


def test_caps_on_one_query_are_kept(fitted):
    found = read("ask", PROMPT, "--budget", 1e-6, "--max-calls", 1, data=fitted)
    assert found["spend"]["usage"]["calls"] == 1


def test_a_cap_that_allows_no_answer_is_an_error(fitted):
    result = onedial("ask", PROMPT, "--cap", 1e-15, data=fitted)
    assert result.exit_code == 2 and result.stderr.startswith("BudgetExhausted: ")
