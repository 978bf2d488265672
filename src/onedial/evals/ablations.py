"""The joint controller with actions removed: model-only and compute-only, as options among which training chooses.

Model-only routes between models at one shared effort, strategy and count; compute-only
serves one model. Definitions: docs/THEORY.md, section 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.arm import Arm, Source
from onedial.core.model import Model
from onedial.core.outcome import Floats
from onedial.core.query import Query
from onedial.engine.fit import Fitting, depths
from onedial.engine.ladders import Progress, climb_all, quiet
from onedial.engine.recorded import Recorded
from onedial.engine.unseen import Unseen, joined, unseen_folds
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
    """A forecast of every complete source, with what it says of the test queries, and what fits of others say of the training queries.

    Attributes:
        forecast: Of all complete sources: the ablations choose among other ones than joint does.
        assessor: Loaded with the test split.
        folds: The training queries, each forecast by a fit that has not seen it.
        test: Test split.
        latents: Of the test queries.
        worths: USD per unit of quality, as joint's.
        deep: Samples that every query has of each source.
        seed: Of folds and orders.
    """

    forecast: Forecast
    assessor: Assessor
    folds: tuple[Unseen, ...]
    test: Recorded
    latents: Latents
    worths: Floats
    deep: Mapping[Source, int]
    seed: int


def basis_of(fitting: Fitting, train: Recorded, test: Recorded, models: Mapping[str, Model], seed: int) -> Basis:
    """Use joint's forecasts where they know every complete source; where the pool was narrowed, fit one to all."""
    complete = {arm.source for arm in fitting.train_grid.complete().arms}
    sources = tuple(source for source in train.panel.sources if source in complete)
    forecast, folds = fitting.fit.forecast, fitting.folds
    if any(set(one.sources) != complete for one in (forecast, *(fold.forecast for fold in folds))):
        listed = train.only(sources)
        fitted = fit_forecast(listed.panel, seed, train.prices)
        forecast, folds = fitted.forecast, unseen_folds(listed, fitted, lambda _: sources, seed, settled=0)
    listed = test.only(forecast.sources)
    unseen = forecast.latents(test.queries, listed.panel.input_tokens)
    assessor = Assessor(forecast, models)
    assessor.preload(test.queries, unseen)
    deep = dict(zip(train.panel.sources, depths(train, test), strict=True))
    return Basis(forecast, assessor, folds, listed, unseen, fitting.fit.worths, deep, seed)


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
    chosen = list(dict.fromkeys(source.base for source in basis.forecast.sources)) if names is None else list(names)
    rows = np.arange(len(basis.test.queries))
    parts = (*basis.folds, Unseen(rows, basis.test, basis.latents, basis.forecast))
    climbs = [part.climb(_columns(part.forecast, name), basis.worths, basis.deep, basis.seed) for name in chosen for part in parts]
    ladders = climb_all(climbs, models, reading, workers, "serve one model", progress) if climbs else []
    found: tuple[Options, Options] = ({}, {})
    for i, name in enumerate(chosen):
        *unseen, last = ladders[i * len(parts) : (i + 1) * len(parts)]
        on_train = joined(unseen, basis.folds, (), last.menu)
        found[0][name], found[1][name] = Rolled(on_train.quality, on_train.cost_usd), Rolled(last.quality, last.cost_usd)
    return found


def _columns(forecast: Forecast, model: str) -> tuple[int, ...]:
    return tuple(j for j, source in enumerate(forecast.sources) if source.base == model)


def model_only(basis: Basis, models: Mapping[str, Model], train_grid: Grid, test_grid: Grid) -> tuple[Options, Options]:
    """Route by forecast at every shared setting of effort, strategy and count; ladders by setting, on both splits."""
    forecasts = [_unseen_arms(basis.folds, models, train_grid), forecast_arms(basis.assessor, basis.test.queries, test_grid.arms)]
    found: tuple[Options, Options] = ({}, {})
    for setting, columns in settings_of(train_grid.arms).items():
        for side, grid in enumerate((train_grid, test_grid)):
            found[side][setting] = routed(grid, *forecasts[side], columns, basis.worths)
    return found


def _unseen_arms(folds: Sequence[Unseen], models: Mapping[str, Model], grid: Grid) -> tuple[Floats, Floats]:
    """(n_queries, n_arms) forecast quality and cost, by fits that have not seen the queries."""
    quality, cost = np.empty_like(grid.quality), np.empty_like(grid.cost_usd)
    for fold in folds:
        assessor = Assessor(fold.forecast, models)
        assessor.preload(fold.recorded.queries, fold.latents)
        quality[fold.rows], cost[fold.rows] = forecast_arms(assessor, fold.recorded.queries, grid.arms)
    return quality, cost


def forecast_arms(assessor: Assessor, queries: Sequence[Query], arms: Sequence[Arm]) -> tuple[Floats, Floats]:
    """(n_queries, n_arms) forecast quality and cost of fixed arms, before any sample."""
    column = {source: j for j, source in enumerate(assessor.sources)}
    place = [(column[arm.source], BLOCKS.index(arm.n)) for arm in arms]
    rows, blocks = (np.array(part) for part in zip(*place, strict=True))
    first = [assessor.assess(query, ()) for query in queries]
    return np.stack([a.then[rows, blocks] for a in first]), np.stack([a.cost_usd[rows, blocks] for a in first])
