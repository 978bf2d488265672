"""The standing experiment: joint, model-only, compute-only and every fixed arm, chosen on one split and shown on another.

The three policies are one controller with actions removed. Definitions are those
of docs/THEORY.md, section 5; nothing here sees the test split before it is scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onedial.core.model import Model
from onedial.core.outcome import Floats
from onedial.engine.fit import STRATEGIES, Fitting, grid_of
from onedial.engine.ladders import Climb, Progress, climb_all, quiet
from onedial.engine.recorded import Recorded
from onedial.engine.rollout import Ladder
from onedial.evals.ablations import basis_of, compute_only, model_only
from onedial.evals.comparison import Matched, matched_quality
from onedial.evals.selection import Sweep, fixed_sweep, hindsight_sweep, hull_sweep, oracle_sweep
from onedial.evals.sweeps import Rolled, policy_sweep
from onedial.policies.grid import Grid, most_accurate
from onedial.strategies.draw import Reading

OFFSETS = (0.0, 0.02, 0.05)
"""Targets, fixed in advance: the best fixed arm's training quality less this."""
SWEEP_POINTS = 24
POLICIES = ("joint", "model-only", "compute-only")


@dataclass(frozen=True, slots=True)
class Experiment:
    """What came out.

    Attributes:
        targets: (3,) mean training quality of the best fixed arm less each of `OFFSETS`.
        fixed: The best fixed arm at each target.
        sweeps: joint, model-only, compute-only, hull, oracle, hindsight.
        matched: Costs at the quality that each best fixed arm reaches on the test split.
        test_grid: Every fixed arm on the test split.
        joint: The joint ladder on the test split, rung by rung.
    """

    targets: Floats
    fixed: Sweep
    sweeps: Mapping[str, Sweep]
    matched: tuple[Matched, ...]
    test_grid: Grid
    joint: Ladder


def run_experiment(
    fitting: Fitting,
    train: Recorded,
    test: Recorded,
    models: Mapping[str, Model],
    reading: Reading,
    seed: int = 0,
    progress: Progress = quiet,
    workers: int = 1,
) -> Experiment:
    """Compare on `test` what was chosen on `train`, the split that `fitting` was fitted on."""
    forecast, sources = fitting.fit.forecast, fitting.fit.forecast.sources
    listed = test.only(sources)
    latents = forecast.latents(test.queries, listed.panel.input_tokens)
    fitting.assessor.preload(test.queries, latents)
    train_grid, test_grid = _shared(fitting.train_grid, grid := grid_of(test, seed))
    quality = train_grid.quality.mean(axis=0)
    targets = quality[most_accurate(train_grid)] - np.array(OFFSETS)
    best = float(fitting.fit.train.quality.mean(axis=1).max())
    sweep_targets = np.unique(np.concatenate((np.linspace(float(quality.min()), best, SWEEP_POINTS), targets)))
    everything = Climb(listed, latents, forecast, tuple(range(len(sources))), fitting.fit.worths, fitting.fit.max_draws)
    (joint,) = climb_all([everything], models, reading, workers, "compare on test queries", progress)
    joint = joint.with_arms(grid, fitting.fit.arms, fitting.train_grid, sources)
    basis = basis_of(fitting, train, test, models, seed)
    compute = compute_only(basis, models, reading, progress=progress, workers=workers)
    routes = model_only(basis, models, train_grid, test_grid)
    options = {
        "joint": ({"all": rolled(fitting.train)}, {"all": rolled(joint)}),
        "model-only": routes,
        "compute-only": compute,
    }
    rng = np.random.default_rng(seed)
    sweeps = {name: policy_sweep(name, *pair, sweep_targets) for name, pair in options.items()}
    sweeps["hull"] = hull_sweep(train_grid, test_grid, sweep_targets)
    sweeps["oracle"] = oracle_sweep(test.panel, test.prices, rng, votes=_votes(test_grid), strategies=STRATEGIES)
    sweeps["hindsight"] = hindsight_sweep(test_grid)
    fixed = fixed_sweep(train_grid, test_grid, targets)
    matched = matched_quality(fixed, list(sweeps.values()), rng)
    return Experiment(targets, fixed, sweeps, matched, test_grid, joint)


def rolled(ladder: Ladder) -> Rolled:
    """What a ladder reached and cost."""
    return Rolled(ladder.quality, ladder.cost_usd)


def _shared(train: Grid, test: Grid) -> tuple[Grid, Grid]:
    """Both grids with the arms that are complete in both, in one order."""
    a, b = train.complete(), test.complete()
    common = [arm for arm in a.arms if arm in set(b.arms)]
    return a.columns([a.arms.index(arm) for arm in common]), b.columns([b.arms.index(arm) for arm in common])


def _votes(grid: Grid) -> tuple[int, ...]:
    return tuple(sorted({arm.n for arm in grid.arms}))
