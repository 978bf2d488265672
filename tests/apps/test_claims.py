import json

from apps.conftest import onedial, read
from onedial.apps.claims import last_line
from onedial.lab.arith import Arith
from onedial.lab.checker import grade
from onedial.lab.trials import Trials


def test_a_claim_is_tried_on_the_embedded_models_and_kept(tmp_path):
    first = read("lab", "claims", "connectivity", "--questions", 4, "--out", tmp_path / "c")["claims"][0]
    assert first["verdict"] == "holds" and not first["measured_before"] and "[" in first["sentence"]
    assert json.loads((tmp_path / "c" / "connectivity.json").read_text())["about"]["models"] == ["tiny", "small", "medium"]
    assert read("lab", "claims", "connectivity", "--questions", 4, "--out", tmp_path / "c")["claims"][0]["measured_before"]


def test_own_prompts_have_no_walks_of_a_chosen_length(tmp_path, prompts):
    found = read("lab", "claims", "connectivity", "--prompts", prompts(4), "--questions", 4, "--out", tmp_path / "c")["claims"][0]
    assert found["verdict"] == "not measured"


def test_configured_models_are_told_how_to_answer_and_an_endpoint_without_a_dial_is_not_measured(tmp_path, config, upstream):
    path = config()
    found = onedial("--config", path, "lab", "claims", "connectivity", "--questions", 4, "--out", tmp_path / "c")
    assert found.exit_code == 0 and "not measured" in found.stdout


def test_an_unknown_claim_is_an_error_before_anything_is_asked(tmp_path):
    found = onedial("lab", "claims", "connection", "--out", tmp_path / "c")
    assert found.exit_code == 2 and "connectivity" in found.stderr and not (tmp_path / "c").exists()


def test_an_answer_is_read_off_the_last_line():
    assert [last_line(text) for text in ("so\n**No**", "x\n3 + 17.", "B", " \n")] == ["no", "3 17", "B", None]


def test_a_chains_thought_is_sound_up_to_its_first_wrong_step():
    (query,) = [q for q in Trials().chains(4, 2) if q.dataset == "arith"]
    states = Arith().states(query.prompt)
    right = " ".join(f"#{i} {value}" for i, value in enumerate(states, 1))
    wrong = f"#1 {states[0]} #2 {(int(states[1]) + 1) % 10} #3 {states[2]}"
    assert Trials().sound(query, right) == right and Trials().sound(query, wrong) == f"#1 {states[0]}"
    assert Trials().sound(query, "") is None and Trials().sound(query, "#9 1") == ""


def test_trials_are_the_same_whenever_they_are_made_and_right_by_their_own_checker():
    assert Trials(1).walks(3, 5) == Trials(1).walks(3, 8)[:5] != Trials(2).walks(3, 5)
    assert all(grade(q.prompt, q.reference) for q in (*Trials().chains(5, 6), *Trials().walks(2, 6)))
