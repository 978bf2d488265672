"""The joint controller with actions removed: model-only and compute-only, as options among which training chooses.

Model-only routes between models at one shared effort, strategy and count; compute-only
serves one model. Definitions: docs/THEORY.md, section 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.arm import Arm
from onedial.core.model import Model
from onedial.core.outcome import Floats
from onedial.engine.fit import Fitting, depths
from onedial.engine.ladders import Climb, Progress, climb_all, quiet
from onedial.engine.recorded import Recorded
from onedial.evals.sweeps import Rolled, routed, settings_of
from onedial.forecasts.fit import fit_forecast
from onedial.forecasts.forecast import Forecast
from onedial.forecasts.latents import Latents
from onedial.policies.assessor import Assessor
from onedial.policies.blocks import BLOCKS
from onedial.policies.grid import Grid
from onedial.strategies.draw import Reading

Options = dict[str, Rolled]


@dataclass(frozen=True, slots=True)
class Basis:
    """A forecast of every source, with what it says of the queries of both splits, none of them having been seen.

    Attributes:
        forecast: Of all sources: the ablations choose among other ones than joint does.
        assessor: Loaded with both splits.
        train: Training split.
        test: Test split.
        latents: (of train, of test).
        worths: USD per unit of quality, as joint's.
    """

    forecast: Forecast
    assessor: Assessor
    train: Recorded
    test: Recorded
    latents: tuple[Latents, Latents]
    worths: Floats


def basis_of(fitting: Fitting, train: Recorded, test: Recorded, models: Mapping[str, Model], seed: int) -> Basis:
    """Use joint's forecast where it knows every source of the panel; where the pool was narrowed, fit one to all."""
    forecast, latents = fitting.fit.forecast, fitting.latents
    if set(forecast.sources) != set(train.panel.sources):
        fitted = fit_forecast(train.panel, seed, train.prices)
        forecast, latents = fitted.forecast, fitted.latents
    train, test = train.only(forecast.sources), test.only(forecast.sources)
    unseen = forecast.latents(test.queries, test.panel.input_tokens)
    assessor = Assessor(forecast, models)
    assessor.preload(train.queries, latents)
    assessor.preload(test.queries, unseen)
    return Basis(forecast, assessor, train, test, (latents, unseen), fitting.fit.worths)


def compute_only(
    basis: Basis,
    models: Mapping[str, Model],
    reading: Reading,
    names: Sequence[str] | None = None,
    progress: Progress = quiet,
    workers: int = 1,
) -> tuple[Options, Options]:
    """Roll out one ladder per model on both splits.

    Args:
        basis: What is forecast.
        models: The pool.
        reading: How completions are read.
        names: Models to try; None is all.
        progress: Told how far it is.
        workers: Processes.

    Returns:
        Ladders by model, on the training split and on the test split.
    """
    sources, deep = basis.forecast.sources, depths(basis.train, basis.test)
    chosen = list(dict.fromkeys(source.model for source in sources)) if names is None else list(names)
    columns = [tuple(j for j, source in enumerate(sources) if source.model == name) for name in chosen]
    own = [tuple(deep[j] for j in group) for group in columns]
    climbs = [
        Climb(recorded, latents, group, basis.worths, depth)
        for recorded, latents in zip((basis.train, basis.test), basis.latents, strict=True)
        for group, depth in zip(columns, own, strict=True)
    ]
    ladders = climb_all(climbs, basis.forecast, models, reading, workers, "serve one model", progress) if climbs else []
    alone = [Rolled(ladder.quality, ladder.cost_usd) for ladder in ladders]
    return dict(zip(chosen, alone[: len(chosen)], strict=True)), dict(zip(chosen, alone[len(chosen) :], strict=True))


def model_only(basis: Basis, train_grid: Grid, test_grid: Grid) -> tuple[Options, Options]:
    """Route by forecast at every shared setting of effort, strategy and count; ladders by setting, on both splits."""
    forecasts = [forecast_arms(basis.assessor, recorded, train_grid.arms) for recorded in (basis.train, basis.test)]
    found: tuple[Options, Options] = ({}, {})
    for setting, columns in settings_of(train_grid.arms).items():
        for side, grid in enumerate((train_grid, test_grid)):
            found[side][setting] = routed(grid, *forecasts[side], columns, basis.worths)
    return found


def forecast_arms(assessor: Assessor, recorded: Recorded, arms: Sequence[Arm]) -> tuple[Floats, Floats]:
    """(n_queries, n_arms) forecast quality and cost of fixed arms, before any sample."""
    column = {source: j for j, source in enumerate(assessor.sources)}
    place = [(column[arm.source], BLOCKS.index(arm.n)) for arm in arms]
    rows, blocks = (np.array(part) for part in zip(*place, strict=True))
    first = [assessor.assess(query, ()) for query in recorded.queries]
    return np.stack([a.then[rows, blocks] for a in first]), np.stack([a.cost_usd[rows, blocks] for a in first])
