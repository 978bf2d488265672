"""A table's bench as findings, which the report and the picture are drawn from. No text of a query is in them."""

from __future__ import annotations

import numpy as np

from onedial.core.outcome import Ints
from onedial.evals import findings as f
from onedial.evals.assemble import FIFTHS, described, exchange, fifths
from onedial.evals.bench import Benched
from onedial.evals.contenders import of_frontier
from onedial.evals.panels import models_by_cost
from onedial.evals.selection import Sweep
from onedial.evals.summary import arm_points, hull_line, line, matched_rows, reliability_of, shares
from onedial.evals.verdict import verdict_of

DRAWN = ("joint", "model-only", "compute-only")
AMOUNTS = {"1": 1, "2": 2, "3–4": 4, "5–8": 8, "more": 1 << 30}


def bench_findings(benched: Benched) -> f.Findings:
    """Everything that a report shows of a table."""
    pooled, table = benched.pooled, benched.table
    rng = np.random.default_rng(benched.options.seed)
    group = fifths(pooled.ease)
    frontier_arms = of_frontier(pooled.arms)
    named = [name for name in (*DRAWN, *rivals(benched), benched.bound) if name in pooled.sweeps]
    n = len(table.queries)
    kept = {*named, *DRAWN, "hull", "hindsight", pooled.fixed.name}
    return f.Findings(
        subtitle=f"{table.name}: {described(pooled.arms)}",
        n_train=n - n // benched.options.folds,
        n_test=n,
        arms=arm_points(pooled.arms),
        lines=(*(line(_asked(pooled.sweeps[name]), rng) for name in named), hull_line(pooled.arms), line(pooled.fixed, rng)),
        matched=matched_rows([row for row in benched.matched if row.policy in kept]),
        shares=_shares(benched, group),
        reliability=reliability_of(pooled.forecast[0], pooled.reached[0]),
        exchange=exchange(frontier_arms, frontier_arms, group),
        notes=(verdict_of(benched).sentence, *table.notes),
    )


def rivals(benched: Benched, most: int = 2) -> list[str]:
    """The published methods that are cheapest at equal quality, on average over the goals that they reach most often."""
    pooled = benched.pooled
    published = [name for name, family in pooled.families.items() if family in ("router", "cascade", "online")]
    costs = {name: [r.over_fixed.estimate for r in benched.matched if r.policy == name] for name in published}
    ranked = sorted(published, key=lambda name: (int(np.isnan(costs[name]).sum()), float(np.nansum(costs[name]))))
    return ranked[:most]


def _asked(sweep: Sweep) -> Sweep:
    """Without the points that were asked for no target."""
    return sweep


def _shares(benched: Benched, group: Ints) -> tuple[f.Shares, ...]:
    """What joint drew at the first goal, by fifth of difficulty: models, and samples per query."""
    pooled, sources = benched.pooled, benched.table.sources
    draws = pooled.draws[0]
    order = models_by_cost(arm_points(pooled.arms))
    total = {name: sum(int(draws[:, j].sum()) for j, s in enumerate(sources) if s.model == name) for name in order}
    top = set(sorted(order, key=lambda name: -total[name])[:5])
    options = [*(name for name in order if name in top), *(["other"] if len(order) > len(top) else [])]
    code = np.array([options.index(s.model if s.model in top else "other") for s in sources])
    row, column = np.nonzero(draws)
    times = draws[row, column]
    models = shares("model, per sample", options, np.repeat(code[column], times), np.repeat(group[row], times), FIFTHS)
    counts = np.searchsorted(list(AMOUNTS.values()), draws.sum(axis=1))
    return models, shares("samples, per query", tuple(AMOUNTS), counts, group, FIFTHS)
