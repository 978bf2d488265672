"""Sections of docs/RESULTS.md from what `onedial bench --json` wrote: Markdown in, nothing run. `results.py` runs what they need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

RIVALS = ("best fixed", "model-only", "compute-only", "hull", "agreement-cascade", "token-gate")
MARGIN = 1.02
LEAST = 100
Table = dict[str, Any]
COUNTED = """Not dearer than any rival: **{fine} of {priced}** tables with costs. Cheaper than all rivals at a target at most five points
below the best fixed arm: **{won} of {eligible}** tables that count (costs, at least {least} queries, repeated samples or several
efforts). The goals were all of them, and half of them. Intervals are 95 % each, not corrected for their number."""


def rows(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body))


def interval(ends: Sequence[float | None], digits: int = 2) -> str:
    """Both ends; an open one is infinite."""
    return "[" + ", ".join("∞" if end is None else f"{end:.{digits}f}" for end in ends) + "]"


def ratio(row: Table, joint: Table) -> str:
    """Joint's cost over a policy's with its interval, or who does not get there."""
    if joint["cost_usd"] is None:
        own = "neither reaches it" if row["cost_usd"] is None else "joint does not reach it"
        return f"{own} {interval(row['joint_ci95'])}"
    if row["cost_usd"] is None:
        return f"only joint reaches it {interval(row['joint_ci95'])}"
    return f"{row['joint_ratio']:.2f} {interval(row['joint_ci95'])}"


def by_policy(table: Table, label: str) -> dict[str, Table]:
    """The matched rows of one goal."""
    return {row["policy"]: row for row in table["matched"] if row["label"] == label}


def counts(table: Table) -> bool:
    """Whether a table counts towards being cheaper than all: costs, enough queries, and something to choose within a model."""
    several = table["max_samples"] > 1 or table["n_sources"] > table["n_models"]
    return bool(table["cost_basis"] == "usd" and table["n_queries"] >= LEAST and several)


def within_five(table: Table) -> list[str]:
    """Goals at most five points below the best fixed arm at which joint is cheaper than every rival, whole intervals."""
    near = {goal["label"] for goal in table["goals"] if goal["offset"] is not None and goal["offset"] <= 0.05}
    return [label for label in table["verdict"]["cheaper_than_all"] if label in near]


def verdicts(tables: Sequence[Table]) -> str:
    """One row per table, and the two counts."""
    priced = [t for t in tables if t["cost_basis"] == "usd"]
    body = [
        [
            t["name"],
            f"{t['n_queries']:,} of {t['n_queries_total']:,}",
            str(t["n_arms"]),
            t["cost_unit"],
            "nowhere" if t["verdict"]["non_inferior"] else "; ".join(f"{d['policy']} at {d['target']}" for d in t["verdict"]["dearer"]),
            ", ".join(t["verdict"]["cheaper_than_all"]) or "nowhere",
            "yes" if counts(t) else "no",
        ]
        for t in tables
    ]
    head = ("table", "queries", "fixed arms", "cost in", f"dearer (whole interval above {MARGIN})", "cheaper than all rivals", "counts")
    eligible = [t for t in priced if counts(t)]
    fine, won = sum(t["verdict"]["non_inferior"] for t in priced), sum(bool(within_five(t)) for t in eligible)
    return f"{rows(head, body)}\n\n{COUNTED.format(fine=fine, priced=len(priced), won=won, eligible=len(eligible), least=LEAST)}"


def matched(table: Table) -> str:
    """Joint's cost over every rival's, by goal."""
    there = [name for name in RIVALS if any(row["policy"] == name for row in table["matched"])]
    body = []
    for goal in table["goals"]:
        found = by_policy(table, goal["label"])
        level = f"{goal['label']} ({100 * found['joint']['level']:.1f} %)"
        body.append([level, *(ratio(found[name], found["joint"]) for name in there)])
    return rows(("at", *there), body)


def published(table: Table) -> str:
    """What the published methods that are not rivals do: how many are dearer, how many cheaper, and which."""
    families = {p["name"]: p["family"] for p in table["policies"]}
    names = [name for name, family in families.items() if family in ("router", "cascade", "online") and name not in RIVALS]
    body = []
    for goal in table["goals"]:
        found = by_policy(table, goal["label"])
        cheaper = [name for name in names if (low := found[name]["joint_ci95"][0]) is None or low > 1.0]
        dearer = [name for name in names if (high := found[name]["joint_ci95"][1]) is not None and high < 1.0]
        known = sorted((n for n in names if found[n]["cost_usd"] is not None), key=lambda n: found[n]["cost_usd"])
        best = f"{known[0]} {ratio(found[known[0]], found['joint'])}" if known else "none"
        body.append([goal["label"], f"{len(dearer)} of {len(names)}", ", ".join(cheaper) or "none", best])
    return rows(("at", "dearer than joint", "cheaper than joint", "cheapest, joint's cost over its"), body)


def calibration(table: Table) -> str:
    """ECE and Brier of the selected answers, joint's regret and gap closed, in a line."""
    at = next(i for i, goal in enumerate(table["goals"]) if goal["offset"] == 0.02)
    kept = table["calibration"][at]
    gap = table["oracle_gap_closed"].get("joint")
    closed = "not defined" if gap is None else f"{100 * gap:.0f} %"
    regret = table["regret"]["joint"][at]["usd"]
    return (
        f"ECE {kept['ece']:.3f} and Brier score {kept['brier']:.3f} of the selected answers at best − 2.\n"
        f"Regret to the best fixed arm there: {1000 * regret:.3g} {table['cost_unit']} per 1,000 queries (negative is better).\n"
        f"Gap to {table['oracle_bound']} closed at best: {closed}."
    )


def one(table: Table) -> str:
    """Everything of one table."""
    notes = "\n".join(f"- {note}" for note in table["notes"])
    absent = "".join(f"\n- {name} is absent: {why}" for name, why in table["absent"].items())
    parts = (f"### {table['name']}", table["verdict"]["sentence"], matched(table), published(table), calibration(table), f"{notes}{absent}")
    return "\n\n".join(parts)


def resplits(tables: Sequence[Table]) -> str:
    """The promise over resplits of recorded tables."""
    body = [
        [
            t["name"],
            str(p["n"]),
            _percent(p["issued_rate"]),
            _percent(p["violation_rate"]),
            _percent(p["saving_when_issued"]),
            _points(p["drop"]),
        ]
        for t in tables
        if (p := t["promise"]) and p["resamples"]
    ]
    return rows(("table", "outcomes", "issued", "violated (optimistic)", "saved when issued", "drop when issued, points"), body)


def extrapolations(tables: Sequence[Table]) -> str:
    """Error over the nearest sampled budget's, and regret beside the best rival's."""
    body = [
        [t["name"], what, *(_times(part["ratio_to_nearest"]["onedial"].get(level)) for level in ("arm", "query")), *_regrets(part)]
        for t in tables
        for what, part in _parts(t)
    ]
    head = ("table", "task", "error over nearest's: arms", "single queries", "regret, points", "least of the rivals'")
    return rows(head, body)


def _parts(table: Table) -> Iterator[tuple[str, Table]]:
    for task in ("samples", "efforts"):
        for part in ((table["extrapolation"] or {}).get(task) or {}).get("parts", ()):
            yield (f"{part['kind']} from {part['fit_samples']}" if task == "samples" else "left-out effort"), part


def _times(entry: Table | None) -> str:
    return "–" if entry is None else f"{entry['ratio']:.2f} {interval(entry['ci95'])}"


def _regrets(part: Table) -> tuple[str, str]:
    regret = part["regret"] or {}
    if "onedial" not in regret:
        return "–", "–"
    others = {name: value for name, value in regret.items() if name != "onedial"}
    least = min(others, key=lambda name: others[name]["regret"])
    return _regret(regret["onedial"]), f"{_regret(others[least])}, {least}"


def _regret(entry: Table) -> str:
    return f"{100 * entry['regret']:.2f} [" + ", ".join("∞" if e is None else f"{100 * e:.2f}" for e in entry["ci95"]) + "]"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _points(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.2f}"


def shuffled(tables: Sequence[Table]) -> str:
    """On shuffled scores: joint over the hull of fixed arms, and how often something was certified."""
    body = [
        [
            t["name"],
            *(ratio((f := by_policy(t, g["label"]))["hull"], f["joint"]) for g in t["goals"]),
            _percent(t["promise"]["violation_rate"]),
        ]
        for t in tables
    ]
    return rows(("table", *(goal["label"] for goal in tables[0]["goals"]), "certificates violated"), body)
