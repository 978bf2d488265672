"""The joint controller with actions removed: model-only and compute-only, as options among which training chooses.

Model-only routes between models at one shared effort, strategy and count; compute-only
serves one model. Definitions: docs/THEORY.md, section 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from onedial.core.arm import Arm
from onedial.core.model import Model
from onedial.core.outcome import Floats
from onedial.engine.fit import Fitting
from onedial.engine.ladders import Climb, Progress, climb_all, quiet
from onedial.engine.recorded import Recorded
from onedial.evals.sweeps import Rolled, routed, settings_of
from onedial.forecasts.latents import Latents
from onedial.policies.assessor import Assessor
from onedial.policies.blocks import BLOCKS
from onedial.policies.grid import Grid
from onedial.strategies.draw import Reading

Options = dict[str, Rolled]


def compute_only(
    fitting: Fitting,
    train: Recorded,
    test: Recorded,
    latents: Latents,
    models: Mapping[str, Model],
    reading: Reading,
    names: Sequence[str] | None = None,
    progress: Progress = quiet,
    workers: int = 1,
) -> tuple[Options, Options]:
    """Roll out one ladder per model on both splits.

    Args:
        fitting: Of the joint policy, on the training split.
        train: Training split.
        test: Test split.
        latents: Forecast of the test queries.
        models: The pool.
        reading: How completions are read.
        names: Models to try; None is all.
        progress: Told how far it is.
        workers: Processes.

    Returns:
        Ladders by model, on the training split and on the test split.
    """
    sources = fitting.assessor.sources
    chosen = list(dict.fromkeys(source.model for source in sources)) if names is None else list(names)
    columns = [tuple(j for j, source in enumerate(sources) if source.model == name) for name in chosen]
    worths, depth = fitting.fit.worths, fitting.fit.max_draws
    climbs = [Climb(train, fitting.latents, own, worths, depth) for own in columns]
    climbs += [Climb(test, latents, own, worths, depth) for own in columns]
    ladders = climb_all(climbs, fitting.fit.forecast, models, reading, workers, "serve one model", progress) if climbs else []
    alone = [Rolled(ladder.quality, ladder.cost_usd) for ladder in ladders]
    return dict(zip(chosen, alone[: len(chosen)], strict=True)), dict(zip(chosen, alone[len(chosen) :], strict=True))


def model_only(fitting: Fitting, train: Recorded, test: Recorded, train_grid: Grid, test_grid: Grid) -> tuple[Options, Options]:
    """Route by forecast at every shared setting of effort, strategy and count; ladders by setting, on both splits."""
    forecasts = [forecast_arms(fitting.assessor, recorded, train_grid.arms) for recorded in (train, test)]
    found: tuple[Options, Options] = ({}, {})
    for setting, columns in settings_of(train_grid.arms).items():
        for side, grid in enumerate((train_grid, test_grid)):
            found[side][setting] = routed(grid, *forecasts[side], columns, fitting.fit.worths)
    return found


def forecast_arms(assessor: Assessor, recorded: Recorded, arms: Sequence[Arm]) -> tuple[Floats, Floats]:
    """(n_queries, n_arms) forecast quality and cost of fixed arms, before any sample."""
    column = {source: j for j, source in enumerate(assessor.sources)}
    place = [(column[arm.source], BLOCKS.index(arm.n)) for arm in arms]
    rows, blocks = (np.array(part) for part in zip(*place, strict=True))
    first = [assessor.assess(query, ()) for query in recorded.queries]
    return np.stack([a.then[rows, blocks] for a in first]), np.stack([a.cost_usd[rows, blocks] for a in first])
