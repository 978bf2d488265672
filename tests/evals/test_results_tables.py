"""The sections of docs/RESULTS.md, from a table made by hand."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import results_tables as tables


def row(policy, cost, lead=None, ends=(None, None), label="best"):
    return {"policy": policy, "label": label, "level": 0.9, "cost_usd": cost, "joint_ratio": lead, "joint_ci95": list(ends)}


def table(**changes):
    made = {
        "name": "t",
        "n_queries": 150,
        "n_queries_total": 200,
        "n_arms": 4,
        "n_sources": 3,
        "n_models": 2,
        "max_samples": 1,
        "cost_basis": "usd",
        "cost_unit": "USD",
        "notes": ["Something was left out."],
        "absent": {},
        "goals": [{"label": "best", "offset": 0.0, "target": 0.9}, {"label": "best − 10", "offset": 0.1, "target": 0.8}],
        "policies": [{"name": "knn", "family": "router"}, {"name": "mf", "family": "router"}, {"name": "hull", "family": "fixed"}],
        "matched": [
            row("joint", 1.0),
            row("best fixed", 4.0, 0.25, (0.2, 0.4)),
            row("hull", None, 0.0, (0.0, 0.9)),
            row("knn", 0.5, 2.0, (1.1, None)),
            row("mf", 2.0, 0.5, (0.4, 0.8)),
        ],
        "verdict": {"non_inferior": True, "dearer": [], "cheaper_than_all": ["best − 10"], "sentence": "Joint is fine."},
    }
    return made | changes


def test_a_ratio_says_who_does_not_get_there():
    joint, lost = row("joint", 1.0), row("joint", None)
    assert tables.ratio(row("x", 4.0, 0.25, (0.2, None)), joint) == "0.25 [0.20, ∞]"
    assert tables.ratio(row("x", None, 0.0, (0.0, 0.9)), joint) == "only joint reaches it [0.00, 0.90]"
    assert tables.ratio(row("x", 1.0), lost).startswith("joint does not") and tables.ratio(row("x", None), lost).startswith("neither")


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"n_queries": 99}, False),
        ({"n_sources": 2}, False),
        ({"n_sources": 2, "max_samples": 4}, True),
        ({"cost_basis": "calls"}, False),
    ],
)
def test_a_table_counts_with_costs_enough_queries_and_something_to_choose_within_a_model(changes, counts):
    assert tables.counts(table(**changes)) is counts


def test_being_cheaper_than_all_counts_near_the_best_fixed_arm_only():
    assert tables.within_five(table()) == []
    near = table(verdict=table()["verdict"] | {"cheaper_than_all": ["best", "best − 10"]})
    assert tables.within_five(near) == ["best"]
    assert "**1 of 2** tables that count" in tables.verdicts([table(), near]) and "**2 of 2** tables with costs" in tables.verdicts(
        [table(), near]
    )


def test_published_methods_are_counted_by_whole_intervals():
    first = tables.published(table(goals=table()["goals"][:1])).splitlines()[-1]
    assert first == "| best | 1 of 2 | knn | knn 2.00 [1.10, ∞] |"


def test_rivals_that_were_not_run_have_no_column():
    shown = tables.matched(table(goals=table()["goals"][:1])).splitlines()
    assert (
        shown[0] == "| at | best fixed | hull |"
        and shown[-1] == "| best (90.0 %) | 0.25 [0.20, 0.40] | only joint reaches it [0.00, 0.90] |"
    )
