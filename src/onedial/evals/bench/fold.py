"""One fold of the bench: everything is fitted and chosen on the training queries, and what it does on the test queries is kept.

What is kept can be written to a file and read back, so that an interrupted bench goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from onedial.core.arm import Arm, Source
from onedial.core.cores import one_core
from onedial.core.errors import ConfigError, TableError
from onedial.core.outcome import Floats, Ints
from onedial.engine.fit import STRATEGIES, Fitting, fit_policies
from onedial.engine.ladders import Progress, quiet
from onedial.engine.recorded import Recorded
from onedial.engine.rollout import Ladder
from onedial.evals.ablations import Basis, basis_of, compute_only, model_only
from onedial.evals.bench.contenders import Contender, chosen_for, hull, serious_models, shown, with_fixed
from onedial.evals.bench.goals import Goal, asked
from onedial.evals.bench.published import Course, published
from onedial.evals.bench.table import BenchTable
from onedial.evals.selection import fixed_sweep
from onedial.evals.sweeps import Rolled
from onedial.metrics.hull import upper_hull
from onedial.policies.blocks import BLOCKS
from onedial.policies.grid import Grid, fixed_arms
from onedial.runtime.whole import whole_file
from onedial.strategies.draw import Reading

ALONE = 8
"""Models that compute-only is tried with, at most."""


@dataclass(frozen=True, slots=True)
class FoldResult:
    """What every policy did on the queries of one fold; n of them, k goals, p points of a sweep.

    Attributes:
        rows: (n,) which queries of the table they are.
        targets: (p,) what was asked for, NaN beyond the last target; the first k are the goals.
        quality: Per policy, (p, n); the best fixed arm's has one row per target.
        cost: Per policy, the same shape.
        families: Of every policy.
        absent: Policies that cannot be run on this table, with the reason.
        arms: The fixed arms.
        arm_quality: (n, arms).
        arm_cost: (n, arms).
        worth: (k,) price of quality on the training hull of fixed arms at each goal, USD per unit.
        forecast: (k, n) chance of being right that joint claimed, where the rung that mostly serves the goal stopped.
        reached: (k, n) what it reached.
        draws: (k, n, sources) samples it drew of each source.
        ease: (n,) mean forecast success before any sample, over all sources alike.
    """

    rows: Ints
    targets: Floats
    quality: dict[str, Floats]
    cost: dict[str, Floats]
    families: dict[str, str]
    absent: dict[str, str]
    arms: tuple[Arm, ...]
    arm_quality: Floats
    arm_cost: Floats
    worth: Floats
    forecast: Floats
    reached: Floats
    draws: Floats
    ease: Floats

    def save(self, path: Path) -> None:
        """Write to `path`, whole or not at all."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        for kind, values in (("quality", self.quality), ("cost", self.cost)):
            arrays |= {f"{kind}.{i}": value for i, value in enumerate(values.values())}
        arms = [[a.source.model, a.source.effort, a.strategy, a.n] for a in self.arms]
        header = {"families": self.families, "absent": self.absent, "arms": arms, "policies": list(self.quality)}
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, header=np.frombuffer(json.dumps(header).encode(), dtype=np.uint8), **arrays)

    @classmethod
    def load(cls, path: Path) -> FoldResult | None:
        """Read what `save` wrote; None where there is nothing, or nothing whole."""
        try:
            with np.load(path, allow_pickle=False) as file:
                found = {name: file[name] for name in file.files}
            header = json.loads(found.pop("header").tobytes())
            sweeps = [{name: found[f"{kind}.{i}"] for i, name in enumerate(header["policies"])} for kind in ("quality", "cost")]
            arrays = {name: found[name] for name in _ARRAYS}
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None
        arms = tuple(Arm(Source(model, effort), strategy, n) for model, effort, strategy, n in header["arms"])
        return cls(quality=sweeps[0], cost=sweeps[1], families=header["families"], absent=header["absent"], arms=arms, **arrays)


_ARRAYS = ("rows", "targets", "arm_quality", "arm_cost", "worth", "forecast", "reached", "draws", "ease")


@one_core()
def run_fold(
    table: BenchTable,
    fold: Ints,
    k: int,
    goals: Sequence[Goal],
    seed: int = 0,
    policies: Sequence[str] = (),
    progress: Progress = quiet,
) -> FoldResult:
    """Fit and choose on every fold but one, and run on that one.

    Args:
        table: Queries and outcomes.
        fold: (n_queries,) the fold of each query.
        k: The one that is tested.
        goals: What the comparison is made at.
        seed: Of forests, subsets and baselines.
        policies: Names of the contenders beside joint and the best fixed arm; all if empty.
        progress: Told how far it is.
    """
    rows = np.flatnonzero(fold == k)
    train, test = (table.recorded([table.queries[int(i)] for i in part]) for part in (np.flatnonzero(fold != k), rows))
    grids = shared_arms(train, test, seed)
    fitting = fit_policies(train, test, table.models, Reading(), seed, progress)
    targets = asked(goals, float(grids[0].quality.mean(axis=0).max()))
    joint = Contender("joint", "joint", {"all": _rolled(fitting.train)}, {"all": _rolled(fitting.proof)})
    fixed = fixed_sweep(*grids, targets)
    quality, cost, families, absent = {fixed.name: fixed.quality}, {fixed.name: fixed.cost_usd}, {fixed.name: "fixed"}, {}
    made = _contenders(table, fitting, train, test, grids, seed, progress)
    for i, (name, make) in enumerate(made.items()):
        if policies and name not in policies:
            continue
        progress("compare policies", i, len(made))
        try:
            contender = make()
        except (TableError, ConfigError) as error:
            absent[name] = str(error)
            continue
        sweep = shown(contender, targets)
        quality[name], cost[name], families[name] = sweep.quality, sweep.cost_usd, contender.family
    sweep = shown(joint, targets)
    quality["joint"], cost["joint"], families["joint"] = sweep.quality, sweep.cost_usd, "joint"
    serving = _serving(joint, targets[: len(goals)])
    return FoldResult(
        rows=rows,
        targets=sweep.targets,
        quality=quality,
        cost=cost,
        families=families,
        absent=absent,
        arms=grids[1].arms,
        arm_quality=grids[1].quality,
        arm_cost=grids[1].cost_usd,
        worth=hull_prices(grids[0], targets[: len(goals)]),
        forecast=fitting.proof.forecast[serving],
        reached=fitting.proof.quality[serving],
        draws=_over(fitting.proof.draws[serving], fitting.fit.forecast.sources, table.sources),
        ease=fitting.fit.forecast.latents(test.queries).mu.mean(axis=1),
    )


def shared_arms(train: Recorded, test: Recorded, seed: int) -> tuple[Grid, Grid]:
    """Every fixed arm that is complete on both splits; neither grid depends on the other split's scores."""
    depth = int(max(part.panel.counts.max() for part in (train, test)))
    votes = tuple(n for n in BLOCKS if n <= depth)
    opinions = any(np.isfinite(part.panel.verdict).any() for part in (train, test))
    kinds = STRATEGIES if opinions else tuple(s for s in STRATEGIES if s != "best")
    grids = [fixed_arms(p.panel, p.prices, np.random.default_rng(seed), votes=votes, strategies=kinds) for p in (train, test)]
    complete = [np.isfinite(g.quality).all(axis=0) & np.isfinite(g.cost_usd).all(axis=0) for g in grids]
    columns = np.flatnonzero(complete[0] & complete[1])
    return grids[0].columns(columns), grids[1].columns(columns)


def hull_prices(train: Grid, targets: Floats) -> Floats:
    """(k,) what a unit of quality costs on the training hull of fixed arms where a target is met; its last price beyond it."""
    edge = upper_hull(train.cost_usd.mean(axis=0), train.quality.mean(axis=0))
    if edge.cost.size < 2:
        return np.zeros(len(targets))
    prices = np.diff(edge.cost) / np.diff(edge.quality)
    return np.asarray(prices[np.clip(np.searchsorted(edge.quality, targets) - 1, 0, len(prices) - 1)])


def _contenders(
    table: BenchTable, fitting: Fitting, train: Recorded, test: Recorded, grids: tuple[Grid, Grid], seed: int, progress: Progress
) -> dict[str, Callable[[], Contender]]:
    @cache
    def basis() -> Basis:
        return basis_of(fitting, train, test, table.models, seed)

    def routed() -> Contender:
        return Contender("model-only", "model_only", *with_fixed(model_only(basis(), table.models, *grids), *grids, "setting"))

    def alone() -> Contender:
        names = [name for name in serious_models(grids[0], ALONE) if _has_choices(train, name)]
        options = compute_only(basis(), table.models, Reading(), names, progress) if names else ({}, {})
        return Contender("compute-only", "compute_only", *with_fixed(options, *grids, "model"))

    return {
        "model-only": routed,
        "compute-only": alone,
        "hull": lambda: hull(*grids),
        **published(Course(train, test, *grids, seed)),
    }


def _over(draws: Floats, sources: Sequence[Source], every: Sequence[Source]) -> Floats:
    """Samples drawn of each source, over all sources of the table: what was not shortlisted is not drawn."""
    found = np.zeros((*draws.shape[:2], len(every)))
    found[:, :, [every.index(source) for source in sources]] = draws
    return found


def _has_choices(train: Recorded, model: str) -> bool:
    """Whether there is anything to choose with this model alone: an effort, or another sample."""
    columns = [j for j, source in enumerate(train.panel.sources) if source.base == model]
    return len(columns) > 1 or int(train.panel.counts[:, columns].max()) > 1


def _rolled(ladder: Ladder) -> Rolled:
    return Rolled(ladder.quality, ladder.cost_usd)


def _serving(joint: Contender, targets: Floats) -> Ints:
    """The rung of the joint ladder that serves each target most often."""
    chosen = chosen_for(joint.train, targets)[: len(targets)]
    return np.array([c.mixture.high if c.mixture.p_high >= 0.5 else c.mixture.low for c in chosen], dtype=np.int64)
