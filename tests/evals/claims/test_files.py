"""Findings on disk: complete, read back as they were, and not mistaken for those of other models or questions."""

import csv
from dataclasses import replace

import pytest

from evals.claims.conftest import Fake
from onedial.core.errors import ConfigError, TableError
from onedial.evals.claims.carry_out import carry_out, named
from onedial.evals.claims.contract import Finding
from onedial.evals.claims.files import About, read, write
from onedial.evals.claims.registry import CLAIMS
from onedial.metrics.bootstrap import Interval

ABOUT = About(("small",), "questions", 8, 0)
FINDING = Finding("holds", "It does.", {"gap": Interval(0.5, 0.25, float("inf"))}, ({"row": "length", "votes needed": float("inf")},))


def walker(kind, model, effort, length, number):
    return 0.98 if effort == "3" else 0.5


@pytest.fixture
def claim():
    """Connectivity, without its picture."""
    return replace(CLAIMS["connectivity"], draw=lambda figure, finding: None, size=(2, 1))


def test_a_finding_is_read_back_as_it_was_written(claim, tmp_path):
    files = write(claim, FINDING, ABOUT, {"usd": 0.0}, tmp_path)
    assert read(claim, ABOUT, tmp_path) == FINDING and all(path.stat().st_size for path in files)
    assert list(csv.DictReader(files.csv.read_text().splitlines())) == [{"row": "length", "votes needed": "inf"}]


@pytest.mark.parametrize(
    "other", [About(("large",), "questions", 8, 0), About(("small",), "others", 8, 0), About(("small",), "questions", 8, 1)]
)
def test_a_finding_on_other_models_questions_or_seeds_is_not_taken_for_this_one(claim, tmp_path, other):
    write(claim, FINDING, other, {}, tmp_path)
    assert read(claim, ABOUT, tmp_path) is None


def test_a_file_that_is_no_finding_is_an_error(claim, tmp_path):
    (tmp_path / "connectivity.json").write_text("[]")
    with pytest.raises(TableError, match="not a finding"):
        read(claim, ABOUT, tmp_path)


async def test_what_was_measured_is_not_asked_again_unless_wanted(bench_of, tmp_path):
    bench = bench_of(Fake(walker, wrongs=1, models=("small",), walk_lengths=(1, 2)), 4)
    asked = bench.pool.client("small").asked
    kept = [
        [tried.kept async for tried in carry_out(named(["connectivity"]), bench, tmp_path, "questions", again)]
        for again in (False, False, True)
    ]
    assert kept == [[False], [True], [False]]
    assert len(asked) == 2 * 2 * 4  # two lengths, a walk and votes of four questions; measured again from the samples that are there


async def test_an_unmeasured_claim_says_why_in_its_picture(bench_of, tmp_path):
    bench = bench_of(Fake(walker, models=("small",), walk_lengths=()), 4)
    (tried,) = [tried async for tried in carry_out(named(["connectivity"]), bench, tmp_path, "questions")]
    assert tried.finding.verdict == "not measured" and tried.files.png.stat().st_size


def test_an_unknown_claim_is_named_with_those_there_are():
    with pytest.raises(ConfigError, match="Did you mean 'connectivity'"):
        named(["conectivity"])
    assert [claim.name for claim in named([])] == list(CLAIMS)
