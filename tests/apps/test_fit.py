from apps.conftest import onedial, read


def test_a_fit_says_what_it_reaches_and_what_comes_next(own):
    result = onedial("fit", data=own)
    assert result.exit_code == 0
    assert [word in result.stdout for word in ("tiny", "4 sources", "exact labels", "reference arm", "onedial promise")] == [True] * 5


def test_json_has_the_whole_ladder_on_both_splits(own):
    found = read("fit", data=own)
    assert found["train"]["queries"] + found["held_out"]["queries"] == 60
    assert len(found["worths"]) + len(found["arms"]) == len(found["train"]["rungs"]) == len(found["held_out"]["rungs"])
    assert found["reference"].startswith("tiny/") and found["sources"] == [f"tiny/think={k}" for k in range(4)]


def test_the_seed_moves_the_split(own):
    folder = ["--seed", 5, "--data", own]
    assert read(*folder, "fit")["digest"] != read("fit", data=own)["digest"]
