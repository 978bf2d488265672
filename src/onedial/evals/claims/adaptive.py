"""Adaptive against uniform: does spending per query beat one number of samples for all, at equal accuracy?

One model, its efforts and up to `SAMPLES` samples. Uniform is best-of-n at the effort
that is best in training, with the smallest n that is as good there as the one named.
Three
things spend per query: Damani's allocation by forecast difficulty, Adaptive-Consistency,
and the rule of `policies.controller` on this model alone. Everything is chosen on one
half of the queries and scored on the other.

Source: Snell 2408.03314; Damani 2410.04707.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from onedial.core.arm import Arm
from onedial.core.model import Model
from onedial.core.outcome import Floats
from onedial.engine.fit import fit_policies, grid_of
from onedial.engine.recorded import Recorded
from onedial.evals.bench.published import Course, run_stepper
from onedial.evals.claims.canvas import DEPTH, SERIES, in_percent, legend, log_x, panels
from onedial.evals.claims.contract import Claim, Finding, Row, Verdict, told
from onedial.evals.claims.workbench import Workbench
from onedial.evals.comparison import Matched, matched_quality
from onedial.evals.experiment import rolled
from onedial.evals.selection import Sweep, hull_sweep
from onedial.evals.sweeps import policy_sweep
from onedial.forecasts.fit import MIN_QUERIES
from onedial.metrics.bootstrap import Interval, paired_bootstrap
from onedial.metrics.frontier import frontier, quality_at_cost
from onedial.policies.baselines.steppers import STEPPERS
from onedial.policies.grid import Grid, fixed_arms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SAMPLES = 16
SIZES = (2, 4, 8, 16)
MIDDLE = 8
"""The number of samples at which the verdict is read, fixed in advance."""
SLACK = 0.005
"""Quality by which fewer samples may fall short in training and still count as as good."""
RULE, UNIFORM, HULL = "rule", "best-of-n", "hull of fixed settings"
PUBLISHED = ("damani-offline", "adaptive-consistency")
STEPS = 24
WIDEST = 2.0


async def measure(bench: Workbench) -> Finding:
    """Sample the cheapest model, fit on one half of the queries, compare on the other."""
    model = bench.models[0]
    queries = bench.tasks.mixed(4 * bench.questions)
    recorded = await bench.recorded(queries, bench.sources(model), SAMPLES, f"samples of {model.name}")
    if len(recorded.queries) < 2 * MIN_QUERIES:
        return Finding.unmeasured(f"This needs {2 * MIN_QUERIES} graded questions; there are {len(recorded.queries)}.")
    train, test = (recorded.rows(half) for half in bench.halves(len(recorded.queries)))
    uniform, sweeps = compared(model, train, test, bench)
    matched = matched_quality(uniform, sweeps, bench.rng(1), lead=RULE)
    return _finding(uniform, sweeps, matched, bench)


def compared(model: Model, train: Recorded, test: Recorded, bench: Workbench) -> tuple[Sweep, list[Sweep]]:
    """Uniform best-of-n, and all that is set against it, on the test queries."""
    fitting = fit_policies(train, test, {model.name: model}, bench.reading, bench.seed)
    known, shown = fitting.train_grid.complete(), _grid(test, fitting.train_grid.complete(), bench)
    targets = np.linspace(float(known.quality.mean(axis=0).min()), float(fitting.train.quality.mean(axis=1).max()), STEPS)
    sweeps = [policy_sweep(RULE, {"all": rolled(fitting.train)}, {"all": rolled(fitting.proof)}, targets)]
    course = Course(train, test, known, shown, bench.seed)
    for name in PUBLISHED:
        found = run_stepper(STEPPERS[name], course)
        sweeps.append(policy_sweep(name, found.train, found.test, targets))
    return uniform_sweep(train, test, bench), [*sweeps, hull_sweep(known, shown, targets, HULL)]


def _grid(test: Recorded, known: Grid, bench: Workbench) -> Grid:
    """The fixed arms on the test queries, in the training grid's order."""
    grid = grid_of(test, bench.seed)
    return grid.columns([grid.arms.index(arm) for arm in known.arms])


def uniform_sweep(train: Recorded, test: Recorded, bench: Workbench) -> Sweep:
    """Best-of-n at the effort that is best in training at the middle size: for each of `SIZES` the fewest samples as good in training."""
    known, shown = (fixed_arms(s.panel, s.prices, bench.rng(6), votes=SIZES, strategies=("direct", "best")) for s in (train, test))
    mean = known.quality.mean(axis=0)
    best = max(train.panel.sources, key=lambda source: mean[known.arms.index(Arm(source, "best", MIDDLE))])
    columns = [j for j, arm in enumerate(known.arms) if arm.source == best]
    reached = [mean[known.arms.index(Arm(best, "best", n))] for n in SIZES]
    least = [min((j for j in columns if mean[j] >= level - SLACK), key=lambda j: known.arms[j].n) for level in reached]
    return Sweep(UNIFORM, np.array(SIZES, dtype=float), shown.quality[:, least].T, shown.cost_usd[:, least].T)


def gained(policy: Sweep, uniform: Sweep, bench: Workbench) -> Interval:
    """Accuracy gained at the spend of uniform best-of-`MIDDLE`."""
    at = SIZES.index(MIDDLE)

    def gain(cost: Floats, quality: Floats, spent: Floats, reached: Floats) -> float:
        return quality_at_cost(cost, quality, float(spent)) - float(reached)

    return paired_bootstrap([policy.cost_usd, policy.quality, uniform.cost_usd[at], uniform.quality[at]], gain, bench.rng(2), 500)


def _finding(uniform: Sweep, sweeps: Sequence[Sweep], matched: Sequence[Matched], bench: Workbench) -> Finding:
    shares = {(m.policy, int(m.target)): m.over_fixed for m in matched if m.policy != UNIFORM}
    rule = shares[RULE, MIDDLE]
    verdict: Verdict = "holds" if rule.high < 1 else "does not hold" if rule.low > 1 else "not told apart"
    more = gained(sweeps[0], uniform, bench)
    numbers = {f"cost of {name} over best-of-{n}": ratio for (name, n), ratio in shares.items()} | {"accuracy gained at equal spend": more}
    others = "; ".join(f"{name} {told(shares[name, MIDDLE])}" for name in (*PUBLISHED, HULL))
    level = 100 * float(uniform.quality[SIZES.index(MIDDLE)].mean())
    sentence = (
        f"At the accuracy of best-of-{MIDDLE} ({level:.1f} %), spending per query costs {told(rule)} of what best-of-{MIDDLE} costs; "
        f"{others}. At its spend, spending per query is {told(more, unit=' points')} more accurate. Against best-of-{SIZES[-1]} it "
        f"costs {told(shares[RULE, SIZES[-1]])}. Published: up to 50 % less (Damani), more than four times less (Snell). What the hull of "
        "fixed settings saves comes from choosing settings well, not from choosing per query; `never` is an accuracy not reached."
    )
    rows = [*_curve(uniform), *(row for sweep in sweeps for row in _curve(sweep))]
    return Finding(verdict, sentence, numbers, tuple(rows))


def _curve(sweep: Sweep) -> list[Row]:
    cost, quality = sweep.cost_usd.mean(axis=1), sweep.quality.mean(axis=1)
    kept = np.arange(len(cost)) if sweep.name == UNIFORM else frontier(cost, quality).point
    return [
        {"row": "curve", "policy": sweep.name, "setting": float(sweep.targets[i]), "cost_usd": float(cost[i]), "quality": float(quality[i])}
        for i in kept
    ]


def draw(figure: Figure, finding: Finding) -> None:
    """Draw accuracy against cost, and the cost at equal accuracy."""
    left, right = panels(figure, 2, CLAIM.question, "chosen on one half of the questions, shown on the other; 95 % intervals", [1.35, 1])
    rows = finding.kind("curve")
    names = list(dict.fromkeys(str(row["policy"]) for row in rows))
    one = min(row["cost_usd"] for row in rows)
    colours = dict(zip(names, ("#4a5560", DEPTH, *SERIES[1:3], "#8d97a1"), strict=True))
    for name in names:
        mine = [row for row in rows if row["policy"] == name]
        style: dict[str, Any] = {
            "lw": 2.2 if name == RULE else 1.4,
            "ls": ":" if name == HULL else "-",
            "marker": "o",
            "ms": 3.6,
            "color": colours[name],
        }
        left.plot([r["cost_usd"] / one for r in mine], [r["quality"] for r in mine], label=name, **style)
    log_x(left)
    left.set_xlabel("cost per query, times the cheapest setting")
    left.set_ylabel("answers right")
    in_percent(left)
    legend(left, loc="lower right")
    _bars(right, finding, [name for name in names if name != UNIFORM], colours)


def _bars(ax: Axes, finding: Finding, names: Sequence[str], colours: dict[str, str]) -> None:
    """Cost at equal accuracy, a group per number of samples."""
    for k, name in enumerate(names):
        for g, n in enumerate(SIZES):
            ratio = finding.numbers[f"cost of {name} over best-of-{n}"]
            y = g + 0.17 * (k - (len(names) - 1) / 2)
            ax.plot([min(ratio.low, WIDEST), min(ratio.high, WIDEST)], [y, y], color=colours[name], lw=2.0, alpha=0.4)
            if ratio.estimate <= WIDEST:
                ax.plot(ratio.estimate, y, "o", color=colours[name], ms=4)
    ax.axvline(1, color="#4a5560", lw=1)
    ax.set_yticks(range(len(SIZES)), [f"best-of-{n}" for n in SIZES])
    ax.invert_yaxis()
    ax.set_xlim(0, WIDEST)
    ax.set_xlabel("cost at its accuracy, of its cost (cut at 200 %)")
    in_percent(ax, "x")


CLAIM = Claim(
    "adaptive",
    "Does spending per query beat one number of samples for all?",
    "2408.03314, 2410.04707",
    measure,
    draw,
    (10.0, 4.2),
)
