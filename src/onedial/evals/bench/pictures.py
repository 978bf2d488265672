"""A table's bench as findings, which the report and the picture are drawn from. No text of a query is in them."""

from __future__ import annotations

import numpy as np

from onedial.core.arm import Arm
from onedial.core.outcome import Floats, Ints
from onedial.evals.assemble import AMOUNTS, FIFTHS, described, exchange, fifths
from onedial.evals.bench.as_json import UNITS
from onedial.evals.bench.contenders import of_frontier
from onedial.evals.bench.run import Benched
from onedial.evals.bench.verdict import verdict_of
from onedial.evals.report import findings as f
from onedial.evals.report.summary import arm_points, hull_line, line, matched_rows, reliability_of, shares

DRAWN = ("joint", "model-only", "compute-only")
ALWAYS = ("token-gate", "agreement-cascade")
"""Published methods in the table of costs, however they do."""
SHOWN = 0.02
"""Offset of the goal at which is shown who got what, and how well calibrated that was."""
OTHER = "other"
NAMED = 3
"""Models, or thinking levels, that have a shade of their own where there are more."""


def bench_findings(benched: Benched) -> f.Findings:
    """Everything that a report shows of a table."""
    pooled, table = benched.pooled, benched.table
    rng = np.random.default_rng(benched.options.seed)
    group, at = fifths(pooled.ease), _shown(benched)
    best = rivals(benched)
    frontier_arms = of_frontier(pooled.arms)
    named = [name for name in (*DRAWN, *best, benched.bound) if name in pooled.sweeps]
    kept = {*named, *ALWAYS, "hull", "hindsight", pooled.fixed.name}
    n, folds = len(table.queries), benched.options.folds
    return f.Findings(
        subtitle=f"{table.name}: {described(pooled.arms)}",
        n_train=n - n // folds,
        n_test=n,
        arms=arm_points(pooled.arms),
        lines=(*(line(pooled.sweeps[name], rng) for name in named), hull_line(pooled.arms), line(pooled.fixed, rng)),
        matched=matched_rows([row for row in benched.matched if row.policy in kept]),
        shares=who_got_what(benched, group, at),
        reliability=reliability_of(pooled.forecast[at], pooled.reached[at]),
        exchange=exchange(frontier_arms, frontier_arms, group),
        notes=(verdict_of(benched).sentence, f"Who got what, and calibration: at {pooled.goals[at].label}.", *table.notes),
        split=f"{n:,} of {table.n_total:,} queries, {folds}-fold cross-validated",
        unit=UNITS[table.basis],
        rivals=tuple(best),
    )


def rivals(benched: Benched, most: int = 2) -> list[str]:
    """The published methods that reach the most goals, the cheapest of them at equal quality first."""
    families = benched.pooled.families
    costs: dict[str, list[float]] = {name: [] for name, family in families.items() if family in ("router", "cascade", "online")}
    for row in benched.matched:
        if row.policy in costs:
            costs[row.policy].append(row.over_fixed.estimate)
    return sorted(costs, key=lambda name: (int(np.isnan(costs[name]).sum()), float(np.nansum(costs[name]))))[:most]


def who_got_what(benched: Benched, group: Ints, at: int) -> tuple[f.Shares, ...]:
    """What joint drew at a goal, by fifth of difficulty: models and thinking per sample, and samples per query."""
    draws, sources = benched.pooled.draws[at], benched.table.sources
    row, column = np.nonzero(draws)
    counted = draws[row, column]
    panels = []
    models, efforts = [s.model for s in sources], [s.effort or "none" for s in sources]
    for title, every in (("model, per sample", models), ("thinking, per sample", efforts)):
        names = _most_drawn(every, draws)
        options = _cheapest_first(names, benched)
        if len(options) > 1:
            code = np.array([options.index(name) if name in options else 0 for name in names], dtype=np.int64)
            panels.append(shares(title, [_short(name) for name in options], code[column], group[row], FIFTHS, counted))
    counts = np.searchsorted(list(AMOUNTS.values()), draws.sum(axis=1))
    return (*panels, shares("samples, per query", tuple(AMOUNTS), counts, group, FIFTHS))


def _most_drawn(names: list[str], draws: Floats) -> list[str]:
    """Per source its name where that is among those drawn most, `other` where it is not, and nothing where it was never drawn."""
    total: dict[str, float] = {}
    for j, name in enumerate(names):
        total[name] = total.get(name, 0.0) + float(draws[..., j].sum())
    drawn = sorted((name for name in total if total[name]), key=lambda name: -total[name])
    top = drawn if len(drawn) <= NAMED + 1 else drawn[:NAMED]
    return ["" if not total[name] else name if name in top else OTHER for name in names]


def _cheapest_first(names: list[str], benched: Benched) -> list[str]:
    """The different names, by the mean cost of one sample; `other` last."""
    grid, cost = benched.pooled.arms, {}
    mean = dict(zip(grid.arms, grid.cost_usd.mean(axis=0).tolist(), strict=True))
    for name in dict.fromkeys(name for name in names if name):
        own = [mean.get(Arm(source), 0.0) for source, its in zip(benched.table.sources, names, strict=True) if its == name]
        cost[name] = (name == OTHER, sum(own) / len(own))
    return sorted(cost, key=lambda name: cost[name])


def _short(model: str, most: int = 16) -> str:
    """A model without its provider, cut where it is long.

    >>> _short("google/gemini-3.1-pro-preview")
    'gemini-3.1-pro-…'
    """
    name = model.rpartition("/")[2]
    return name if len(name) <= most else name[: most - 1] + "…"


def _shown(benched: Benched) -> int:
    offsets = [None if goal.absolute else goal.value for goal in benched.options.goals]
    return offsets.index(SHOWN) if SHOWN in offsets else 0
