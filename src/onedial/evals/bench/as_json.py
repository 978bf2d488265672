"""What a bench found, as plain dictionaries: the JSON that `onedial bench` writes, and that docs/RESULTS.md is made from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from onedial.core.version import __version__
from onedial.evals.assemble import exchange, fifths
from onedial.evals.bench.contenders import of_frontier
from onedial.evals.bench.run import Benched, BenchOptions
from onedial.evals.bench.verdict import Verdict, verdict_of
from onedial.metrics.bootstrap import Interval
from onedial.metrics.calibration import brier, ece
from onedial.metrics.regret import gap_closed, regret_usd

UNITS = {"usd": "USD", "tokens": "millions of output tokens", "calls": "samples"}


def document(command: str, options: BenchOptions, tables: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The whole file.

    Args:
        command: That reproduces it.
        options: It was run with.
        tables: One per table, from `table_json`.
    """
    asked = {
        "targets": [goal.value for goal in options.goals if goal.absolute],
        "offsets": [goal.value for goal in options.goals if not goal.absolute],
        "policies": list(options.policies),
        "folds": options.folds,
        "resamples": options.resamples,
    }
    return {"version": __version__, "command": command, "options": asked, "seed": options.seed, "tables": list(tables)}


def table_json(benched: Benched, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One table; `extra` holds `promise` and `extrapolation` where they were run. What is not finite is None."""
    pooled, table = benched.pooled, benched.table
    bound, gaps = _gap_closed(benched)
    found = {
        "name": table.name,
        "n_queries": len(table.queries),
        "n_queries_total": table.n_total,
        "n_arms": len(pooled.arms.arms),
        "n_sources": len(table.sources),
        "n_models": len(table.models),
        "max_samples": max(arm.n for arm in pooled.arms.arms),
        "seed": benched.options.seed,
        "cost_basis": table.basis,
        "cost_unit": UNITS[table.basis],
        "notes": list(table.notes),
        "goals": [
            {"label": goal.label, "offset": None if goal.absolute else goal.value, "target": float(target)}
            for goal, target in zip(pooled.goals, pooled.targets, strict=True)
        ],
        "policies": _policies(benched),
        "absent": pooled.absent,
        "matched": _matched(benched),
        "oracle_gap_closed": gaps,
        "oracle_bound": bound,
        "regret": _regret(benched),
        "calibration": _calibration(benched),
        "exchange": _exchange(benched),
        "verdict": _verdict(verdict_of(benched)),
        "arms": [
            {"arm": str(arm), "quality": float(q), "cost_usd": float(c)}
            for arm, q, c in zip(pooled.arms.arms, pooled.arms.quality.mean(axis=0), pooled.arms.cost_usd.mean(axis=0), strict=True)
        ],
        "promise": None,
        "extrapolation": None,
    } | dict(extra or {})
    return finite(found)  # type: ignore[no-any-return]


def finite(value: Any) -> Any:
    """The same with None for numbers that are not finite.

    >>> finite({"a": [1.0, math.inf]})
    {'a': [1.0, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _policies(benched: Benched) -> list[dict[str, Any]]:
    rows = []
    for name, sweep in benched.sweeps.items():
        points = [
            {"target": float(t), "quality": float(q.mean()), "cost_usd": float(c.mean()), "n": int(q.size)}
            for t, q, c in zip(sweep.targets, sweep.quality, sweep.cost_usd, strict=True)
        ]
        rows.append({"name": name, "family": benched.pooled.families[name], "points": points})
    return rows


def _matched(benched: Benched) -> list[dict[str, Any]]:
    label = dict(zip(benched.pooled.targets.tolist(), [goal.label for goal in benched.pooled.goals], strict=True))
    return [
        {
            "target": row.target,
            "label": label[row.target],
            "level": row.level,
            "policy": row.policy,
            "cost_usd": row.cost_usd.estimate,
            "ratio_to_best_fixed": row.over_fixed.estimate,
            "ci95": _ends(row.over_fixed),
            "joint_ratio": row.lead_over.estimate,
            "joint_ci95": _ends(row.lead_over),
            "gap_closed": row.gap_closed,
            "unreached": row.cost_usd.unreached,
        }
        for row in benched.matched
    ]


def _ends(interval: Interval) -> list[float]:
    return [interval.low, interval.high]


def _gap_closed(benched: Benched) -> tuple[str, dict[str, float]]:
    """At the first goal: the share of the saving of a bound over the best fixed arm that a policy makes; and which bound.

    Where few samples repeat, the split-sample oracle chases luck and may not get there: then it is hindsight.
    """
    cost = {row.policy: row.cost_usd.estimate for row in benched.matched if row.target == benched.pooled.targets[0]}
    bound = benched.bound if math.isfinite(cost[benched.bound]) else "hindsight"
    fixed = cost[benched.pooled.fixed.name]
    return bound, {name: gap_closed(fixed, own, cost[bound]) for name, own in cost.items()}


def _regret(benched: Benched) -> dict[str, list[dict[str, float]]]:
    """Against the best fixed arm for each goal, at the price of quality on the hull of fixed arms there; negative is better."""
    pooled, fixed = benched.pooled, benched.pooled.fixed
    found = {}
    for name, sweep in pooled.sweeps.items():
        if pooled.families[name] in ("oracle", "hindsight"):
            continue
        found[name] = [
            {
                "target": float(target),
                "worth_usd": float(worth),
                "usd": regret_usd(sweep.quality[i], sweep.cost_usd[i], fixed.quality[i], fixed.cost_usd[i], float(worth)),
            }
            for i, (target, worth) in enumerate(zip(pooled.targets, pooled.worth, strict=True))
        ]
    return found


def _calibration(benched: Benched) -> list[dict[str, float]]:
    pooled = benched.pooled
    return [
        {"target": float(target), "ece": ece(said, got, equal_mass=True), "brier": brier(said, got), "n": int(said.size)}
        for target, said, got in zip(pooled.targets, pooled.forecast, pooled.reached, strict=True)
    ]


def _exchange(benched: Benched) -> list[dict[str, Any]]:
    """One step up the models that are on the frontier of single samples, by fifth of difficulty."""
    grid = of_frontier(benched.pooled.arms)
    rows = exchange(grid, grid, fifths(benched.pooled.ease))
    names = ("small", "large", "group", "multiple", "relative_cost", "small_best", "large_quality")
    return [{name: getattr(row, name) for name in names} for row in rows]


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "rivals": list(verdict.rivals),
        "non_inferior": verdict.non_inferior,
        "dearer": [{"target": label, "policy": name} for label, name in verdict.dearer],
        "cheaper_than_all": list(verdict.cheaper_than_all),
        "sentence": verdict.sentence,
    }
