import json
import shutil

import pytest

from apps.conftest import onedial


@pytest.fixture(scope="module")
def table(fitted, tmp_path_factory):
    """Outcomes of the smallest model at every effort, as a table."""
    folder = tmp_path_factory.mktemp("tables") / "lab"
    assert onedial("export", folder, data=fitted).exit_code == 0
    return folder


def few(*more):
    return ("--folds", 2, "--resamples", 40, "--policies", "hull, compute-only", *more)


def test_a_bench_prints_a_table_and_a_verdict_and_writes_json_and_a_report(table, tmp_path):
    result = onedial("bench", table, *few("--json", tmp_path / "b.json", "--report", tmp_path / "r", "--target", 0.5), data=tmp_path / "d")
    assert result.exit_code == 0, result.stderr
    assert "lab: 60 of 60 queries, 1 model, 4 with efforts" in result.stdout and "Joint is " in result.stdout
    found = json.loads((tmp_path / "b.json").read_text())
    (one,) = found["tables"]
    assert {p["name"] for p in one["policies"]} == {"joint", "compute-only", "best fixed", "hull", "oracle", "hindsight"}
    assert one["goals"][-1]["label"] == "50 %" and one["promise"]["resamples"] == 200 and "samples" in one["extrapolation"]
    assert (tmp_path / "r" / "lab" / "report.png").read_bytes().startswith(b"\x89PNG")
    again = onedial("bench", table, *few("--target", 0.5), data=tmp_path / "d")
    assert again.stdout.strip() in result.stdout


def test_tables_are_benched_together_too(table, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(table, other)
    result = onedial(
        "bench", table, other, "--pool", "lab+other", "--queries", 44, *few("--json", tmp_path / "b.json"), data=tmp_path / "d"
    )
    assert result.exit_code == 0, result.stderr
    tables = json.loads((tmp_path / "b.json").read_text())["tables"]
    assert [(t["name"], t["n_queries"], t["n_queries_total"]) for t in tables] == [
        ("lab", 44, 60),
        ("other", 44, 60),
        ("lab+other", 44, 120),
    ]


def test_what_cannot_be_benched_is_one_message(table, tmp_path):
    for more, said in (
        (("--pool", "lab+gone"), "unknown table 'gone'"),
        (("--pool", "lab+lab"), "different tables"),
        (("--target", 92), "0.92 means 92 % right"),
        (("--folds", 1), "expected 2 folds at least"),
        (("--policies", "hul"), "Did you mean 'hull'?"),
    ):
        result = onedial("bench", table, *few(), *more, data=tmp_path / "d")
        assert result.exit_code == 2 and said in result.stderr, result.stderr
    assert onedial("bench", tmp_path / "nothing", data=tmp_path / "d").exit_code == 2
