from apps.conftest import onedial, read
from onedial.evals.report.findings import Findings


def test_a_report_is_a_page_a_picture_and_the_data_they_are_drawn_from(fitted, tmp_path):
    before = (fitted / "fit.npz").read_bytes()
    found = read("report", "--out", tmp_path / "r", data=fitted)
    findings = Findings.from_json((tmp_path / "r" / "findings.json").read_text())
    assert found["title"] == findings.title and found["n_train"] + found["n_test"] == 60
    assert found["title"] in (tmp_path / "r" / "report.html").read_text()
    assert (tmp_path / "r" / "report.png").read_bytes().startswith(b"\x89PNG")
    assert {line.name for line in findings.lines} >= {"joint", "model-only", "compute-only", "hull", "best fixed"}
    assert (fitted / "fit.npz").read_bytes() == before


def test_without_outcomes_there_is_no_report(tmp_path):
    result = onedial("report", "--out", tmp_path / "r", data=tmp_path / "none")
    assert result.exit_code == 2 and "onedial collect" in result.stderr
    assert not (tmp_path / "r").exists() and not (tmp_path / "none").exists()
