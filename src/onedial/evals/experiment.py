"""The standing experiment: joint, model-only, compute-only and every fixed arm, chosen on one split and shown on another.

The three policies are one controller with actions removed. Definitions are those
of docs/THEORY.md, section 5; nothing here sees the test split before it is scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onedial.core.arm import Arm
from onedial.core.model import Model
from onedial.core.outcome import Floats
from onedial.engine.fit import STRATEGIES, Fitting, grid_of
from onedial.engine.ladders import Climb, Progress, climb_all, quiet
from onedial.engine.recorded import Recorded
from onedial.engine.rollout import Ladder
from onedial.evals.comparison import Matched, matched_quality
from onedial.evals.selection import Sweep, fixed_sweep, hindsight_sweep, hull_sweep, oracle_sweep
from onedial.evals.sweeps import Rolled, policy_sweep, routed, settings_of
from onedial.forecasts.latents import Latents
from onedial.policies.assessor import Assessor
from onedial.policies.blocks import BLOCKS
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
    forecast = fitting.fit.forecast
    latents = forecast.latents(test.queries, test.panel.input_tokens)
    fitting.assessor.preload(test.queries, latents)
    train_grid, test_grid = _shared(fitting.train_grid, grid_of(test, seed))
    quality = train_grid.quality.mean(axis=0)
    targets = quality[most_accurate(train_grid)] - np.array(OFFSETS)
    best = float(fitting.fit.train.quality.mean(axis=1).max())
    sweep_targets = np.unique(np.concatenate((np.linspace(float(quality.min()), best, SWEEP_POINTS), targets)))
    joint, compute = _ladders(fitting, train, test, latents, models, reading, progress, workers)
    routes = _model_only(fitting, train, test, train_grid, test_grid)
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


def _ladders(
    fitting: Fitting,
    train: Recorded,
    test: Recorded,
    latents: Latents,
    models: Mapping[str, Model],
    reading: Reading,
    progress: Progress,
    workers: int,
) -> tuple[Ladder, tuple[dict[str, Rolled], dict[str, Rolled]]]:
    """The joint ladder on the test split, and one ladder per model on both; which model serves is chosen in training."""
    fit, sources = fitting.fit, fitting.assessor.sources
    names = list(dict.fromkeys(source.model for source in sources))
    columns = [tuple(j for j, source in enumerate(sources) if source.model == name) for name in names]
    everything = tuple(range(len(sources)))
    climbs = [Climb(test, latents, everything, fit.worths, fit.max_draws)]
    climbs += [Climb(train, fitting.latents, own, fit.worths, fit.max_draws) for own in columns]
    climbs += [Climb(test, latents, own, fit.worths, fit.max_draws) for own in columns]
    joint, *rest = climb_all(climbs, fit.forecast, models, reading, workers, "compare on test queries", progress)
    alone = [rolled(ladder) for ladder in rest]
    return joint, (dict(zip(names, alone[: len(names)], strict=True)), dict(zip(names, alone[len(names) :], strict=True)))


def _model_only(
    fitting: Fitting, train: Recorded, test: Recorded, train_grid: Grid, test_grid: Grid
) -> tuple[dict[str, Rolled], dict[str, Rolled]]:
    """One routed ladder per shared setting of effort, strategy and count; which setting serves is chosen in training."""
    forecasts = [_forecast_arms(fitting.assessor, recorded, train_grid.arms) for recorded in (train, test)]
    found: tuple[dict[str, Rolled], dict[str, Rolled]] = ({}, {})
    for setting, columns in settings_of(train_grid.arms).items():
        for side, grid in enumerate((train_grid, test_grid)):
            found[side][setting] = routed(grid, *forecasts[side], columns, fitting.fit.worths)
    return found


def _forecast_arms(assessor: Assessor, recorded: Recorded, arms: tuple[Arm, ...]) -> tuple[Floats, Floats]:
    """(n_queries, n_arms) forecast quality and cost of fixed arms, before any sample."""
    column = {source: j for j, source in enumerate(assessor.sources)}
    place = [(column[arm.source], BLOCKS.index(arm.n)) for arm in arms]
    rows, blocks = (np.array(part) for part in zip(*place, strict=True))
    first = [assessor.assess(query, ()) for query in recorded.queries]
    return np.stack([a.then[rows, blocks] for a in first]), np.stack([a.cost_usd[rows, blocks] for a in first])
