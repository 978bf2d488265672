from apps.conftest import onedial, read


def test_without_a_goal_there_is_a_row_for_each_of_four_distances(fitted):
    found = read("promise", data=fitted)
    assert [row["within"] for row in found["promises"]] == [0.0, 0.01, 0.02, 0.05]
    assert found["reference"].startswith("tiny/")
    table = onedial("promise", data=fitted).stdout
    assert [f"{n} points" in table for n in (0, 1, 2, 5)] == [True] * 4


def test_one_goal_is_told_in_a_sentence_with_its_test_and_labels(fitted):
    found = read("promise", "--within", 0.3, data=fitted)
    shown = onedial("promise", "--within", 0.3, data=fitted).stdout
    assert found["certificate"]["limit"] == 0.3 and found["certificate"]["label_kind"] == "exact"
    assert found["sentence"] in shown and found["certificate"]["policy_hash"] in shown


def test_what_cannot_be_certified_says_what_is_served_and_how_many_outcomes_are_missing(fitted):
    best = max(rung["quality"] for rung in read("fit", data=fitted)["train"]["rungs"])
    found = read("promise", "--quality", best - 0.02, "--delta", 1e-9, data=fitted)
    assert not found["certified"] and found["serves"] == "reference arm"
    assert "Cannot certify" in found["sentence"]
    assert found["outcomes_needed"] is None or found["outcomes_needed"] > 0
