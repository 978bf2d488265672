"""The whole loop, live on the embedded models, on few queries."""

import json

import pytest

from apps.conftest import onedial, read
from onedial.apps import demo


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """The fewest queries that can be fitted, and few samples."""
    monkeypatch.setattr(demo, "QUICK", (24, 24, 24))
    monkeypatch.setattr(demo, "SAMPLES", 2)


def test_one_command_samples_fits_answers_and_draws(tmp_path):
    told = read("demo", "--quick")
    folder = tmp_path / "onedial-data" / "demo"
    assert {p.name for p in (folder / "report").iterdir()} >= {"report.html", "report.png", "findings.json"}
    assert json.loads((folder / "report" / "findings.json").read_text())["n_test"] == told["findings"]["n_test"] == 24
    live = told["live"]
    assert [row["target"] for row in live] == pytest.approx([live[0]["target"] - drop for drop in (0.0, 0.02, 0.05)])
    for row in live:
        assert row["sentence"] and isinstance(row["certified"], bool)
        assert 0 <= row["quality"]["low"] <= row["quality"]["estimate"] <= row["quality"]["high"] <= 1
        assert 0 < row["cost_usd"]["low"] <= row["cost_usd"]["estimate"] <= row["cost_usd"]["high"]
    again = onedial("demo", "--quick", "--keep")
    assert again.exit_code == 0 and "Promised and kept" in again.stdout and "Cost at equal quality" in again.stdout


def test_a_folder_of_outcomes_is_not_overwritten(own):
    before = (own / "outcomes.db").read_bytes()
    refused = onedial("demo", "--quick", data=own)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "holds outcomes already. Give --keep to go on with them, or another folder" in refused.stderr
    assert (own / "outcomes.db").read_bytes() == before
