import os
import signal
import sqlite3
import subprocess
import sys
import time

from apps.conftest import onedial, read

LAB = ("collect", "--lab", 6, "--models", "tiny")


def stored(folder):
    with sqlite3.connect(folder / "outcomes.db") as db:
        return db.execute("SELECT count(*) FROM outcomes").fetchone()[0]


def test_only_what_is_missing_is_asked_for(tmp_path):
    first = read(*LAB, "--samples", 1, data=tmp_path)["report"]
    again = read(*LAB, "--samples", 2, data=tmp_path)["report"]
    assert (first["wanted"], first["stored"]) == (24, 24)
    assert (again["wanted"], again["present"], again["stored"]) == (48, 24, 24)


def test_without_a_file_what_is_stored_is_asked_again(tmp_path):
    read(*LAB, "--samples", 1, data=tmp_path)
    assert read("collect", "--samples", 2, "--models", "tiny", data=tmp_path)["report"]["stored"] == 24


def test_a_budget_stops_it_and_says_so(tmp_path):
    result = onedial(*LAB, "--budget", 2e-8, data=tmp_path)
    assert result.exit_code == 0
    assert "did not fit the budget" in result.stderr
    assert 0 < stored(tmp_path) < 96


def test_the_lab_gives_every_outcome_an_exact_score(tmp_path):
    read(*LAB, "--samples", 1, data=tmp_path)
    with sqlite3.connect(tmp_path / "outcomes.db") as db:
        assert db.execute("SELECT DISTINCT label_kind FROM outcomes").fetchall() == [("exact",)]


def test_interrupted_it_says_how_to_go_on_and_does(tmp_path):
    """A process of its own, since the signal goes to a whole process."""
    script = "from onedial.apps.cli import main; main()"
    command = [sys.executable, "-c", script, "--data", str(tmp_path), "collect", "--lab", "600", "--models", "tiny"]
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, env=found, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while time.monotonic() < until and not ((tmp_path / "outcomes.db").exists() and _begun(tmp_path)):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    before = stored(tmp_path)
    assert process.returncode == 130
    assert "run the same command again" in errors and "Traceback" not in errors
    assert 0 < before < 600 * 16
    again = read("collect", "--lab", 20, "--models", "tiny", data=tmp_path)
    assert again["missing"] == 0


def _begun(folder):
    try:
        return stored(folder) > 0
    except sqlite3.OperationalError:  # the tables are being made
        return False


def test_an_endpoint_is_collected_graded_by_reference_fitted_and_asked(tmp_path, upstream, config, prompts):
    upstream.texts = ["four", "five six", "four"]
    path = config("[grid]\nsamples = 3\n", 'capabilities = ["n", "logprobs"]')
    collected = read("--config", path, "collect", prompts())
    assert collected["report"]["stored"] == 180 and collected["store"] == str(tmp_path / "onedial-data" / "outcomes.db")
    upstream.texts = ["four"]
    fit = read("--config", path, "fit")
    assert fit["sources"] == ["up"] and fit["label_kind"] == "reference"
    asked = read("--config", path, "ask", "what is 7 ?", "--within", 0.1)
    assert asked["text"] == "four" and asked["spend"]["usage"]["output_tokens"] == 2 * len(asked["candidates"])


def test_when_some_samples_do_not_come_the_rest_is_kept_and_the_trouble_is_told(tmp_path, upstream, config, prompts):
    upstream.faults = [500, 500]
    result = onedial("--config", config(), "collect", prompts(3), "--samples", 1, "--concurrency", 1)
    assert result.exit_code == 0 and "2 samples did not come" in result.stderr
    assert stored(tmp_path / "onedial-data") == 1


def test_what_was_spent_is_said_to_be_a_bound_where_the_endpoint_did_not_report_all(upstream, config, prompts):
    upstream.faults = ["garbage"]
    result = onedial("--config", config(), "collect", prompts(3), "--samples", 1, "--concurrency", 1)
    assert "for at most $" in " ".join(result.stdout.split()), result.stdout
    again = onedial("--config", config(), "collect", prompts(3), "--samples", 1)
    assert "Stored 1 sample" in again.stdout and "at most" not in again.stdout
