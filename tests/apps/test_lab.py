import json
import sys

from apps.conftest import onedial, read
from onedial.lab.prompts import lab_queries
from onedial.runtime.prompts import read_prompts


def test_prompts_are_questions_of_the_mix_with_their_references(tmp_path):
    assert read("lab", "prompts", "--n", 7, "--split", "test", "--out", tmp_path / "p.jsonl") == {
        "file": str(tmp_path / "p.jsonl"),
        "prompts": 7,
    }
    assert read_prompts(tmp_path / "p.jsonl") == lab_queries(7, "test")


def test_a_file_of_the_labs_prompts_is_collected_like_any_other(tmp_path):
    read("lab", "prompts", "--n", 2, "--out", tmp_path / "p.jsonl")
    assert read("collect", tmp_path / "p.jsonl", "--models", "tiny", "--samples", 1, data=tmp_path)["report"]["stored"] == 8


def test_a_model_is_measured_on_every_family(tmp_path):
    found = read("lab", "eval", "--per-cell", 1, "--samples", 1, "--card", tmp_path / "CARD.md", "--out", tmp_path / "m.json")
    assert {cell["family"] for cell in found["cells"]} == {"arith", "swap", "path", "subset", "facts"}
    assert (tmp_path / "CARD.md").read_text().startswith("# ")
    assert json.loads((tmp_path / "m.json").read_text())["per_cell"] == 1


def test_a_model_is_exported_for_other_runtimes(tmp_path):
    result = onedial("lab", "export", "tiny", tmp_path / "hf")
    assert result.exit_code == 0 and (tmp_path / "hf" / "config.json").exists()


def test_training_without_torch_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "onedial.lab.train", raising=False)
    result = onedial("lab", "train", "--shape", "tiny", "--tokens", "1e5", "--out", tmp_path)
    assert result.exit_code == 2 and "pip install 'onedial[train]'" in result.stderr
