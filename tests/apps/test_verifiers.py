"""`onedial verifiers`, on the smallest embedded model and on an endpoint that judges."""

from apps.conftest import onedial, read


def test_recorded_scores_agreement_and_a_learned_verifier_are_rated(fitted):
    found = read("verifiers", data=fitted)["verifiers"]
    assert [(one["verifier"], one["on"].split()[0]) for one in found] == [
        ("recorded", "all"), ("agreement", "all"), ("learned", "training"), ("learned", "held-out"),
    ]  # fmt: skip
    exact, _, trained, _ = found
    assert exact["auc"]["estimate"] == 1.0 and exact["unscored"] > 0, "the exact checker has an opinion on some questions only"
    assert trained["auc"]["low"] <= trained["auc"]["estimate"] <= trained["auc"]["high"] and 0.5 < trained["auc"]["estimate"] < 1.0
    points = [(p["p_accept_wrong"], p["p_accept_right"]) for p in trained["roc"]]
    assert points == sorted(points) and points[0] == (0, 0) and points[-1] == (1, 1)


def test_the_table_says_what_its_numbers_mean(fitted):
    shown = onedial("verifiers", data=fitted).stdout
    assert "held-out" in shown and "a right answer scores above a wrong one" in " ".join(shown.split())


def test_a_judge_that_cannot_read_the_prompt_gives_no_scores_and_that_is_told(fitted):
    shown = read("verifiers", "--judge", "pointwise=tiny/think=0", "--answers", 4, data=fitted)["verifiers"][-1]
    assert (shown["right"] + shown["wrong"], shown["cost_usd"]) == (0, 0.0) and "whose context is" in shown["trouble"]


def test_an_unknown_judge_is_guessed_at(fitted):
    ended = onedial("verifiers", "--judge", "pointwize=tiny", data=fitted)
    assert ended.exit_code == 2 and "Did you mean 'pointwise'?" in ended.stderr
