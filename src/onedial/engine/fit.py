"""From outcomes to a frozen ladder of policies, with what each rung reached on queries that nothing was chosen on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onedial.core.arm import Arm
from onedial.core.errors import TableError
from onedial.core.model import Model
from onedial.core.outcome import Floats
from onedial.engine.fitted import Fit, Rungs
from onedial.engine.ladders import Climb, Progress, climb_all, quiet
from onedial.engine.recorded import Recorded
from onedial.engine.rollout import Ladder, worth_ladder
from onedial.forecasts.fit import fit_forecast
from onedial.forecasts.latents import Latents
from onedial.policies.assessor import Assessor
from onedial.policies.blocks import BLOCKS
from onedial.policies.grid import Grid, fixed_arms, most_accurate
from onedial.policies.prior import MAX_DRAWS
from onedial.policies.shortlist import hull_arms, optimism, shortlist
from onedial.strategies.draw import Reading

STRATEGIES = ("direct", "vote", "best")


@dataclass(frozen=True, slots=True)
class Fitting:
    """A fit, and what it was made with, for whoever goes on to compare it.

    Attributes:
        fit: The frozen result.
        assessor: Loaded with forecasts of the training queries (out of bag) and of the proof queries.
        latents: Those of the training queries.
        train_grid: Every fixed arm on the training queries, those of sources that were not shortlisted too.
        train: The joint ladder on the training queries; its last rungs are the fixed arms of the training hull.
        proof: The joint ladder on the proof queries.
    """

    fit: Fit
    assessor: Assessor
    latents: Latents
    train_grid: Grid
    train: Ladder
    proof: Ladder


def fit_policies(
    train: Recorded,
    proof: Recorded,
    models: Mapping[str, Model],
    reading: Reading,
    seed: int = 0,
    progress: Progress = quiet,
    workers: int = 1,
) -> Fitting:
    """Fit on `train`, freeze, and see on `proof` what was frozen.

    Args:
        train: Outcomes for forecasts, worths and the reference arm.
        proof: Outcomes for certificates alone.
        models: The pool.
        reading: How completions are read; the verifier of replayed samples is the recorded one.
        seed: Of the forest, of vote subsets and of the order in which certificates are tested.
        progress: Told how far it is.
        workers: Processes to use; see `climb_all`.

    Raises:
        TableError: Too few queries, or a source that is missing in one of the splits.
    """
    _refuse_unlike(train, proof)
    progress("fit the forecast", 0, 1)
    grids = grid_of(train, seed), grid_of(proof, seed)
    complete = grids[0].complete()
    reference = complete.arms[most_accurate(complete)]
    sources = shortlist(complete)
    train, proof = train.only(sources), proof.only(sources)
    fitted = fit_forecast(train.panel, seed, train.prices)
    progress("fit the forecast", 1, 1)
    known = fitted.forecast.latents(proof.queries, proof.panel.input_tokens)
    assessor = Assessor(fitted.forecast, models)
    assessor.preload(train.queries, fitted.latents)
    assessor.preload(proof.queries, known)
    depth, worths = depths(train, proof), _worths(grids[0])
    columns = tuple(range(len(sources)))
    climbs = [Climb(train, fitted.latents, columns, worths, depth), Climb(proof, known, columns, worths, depth)]
    climbed = climb_all(climbs, fitted.forecast, models, reading, workers, "try policies", progress)
    arms = tuple(complete.arms[j] for j in hull_arms(complete, sources) if _complete(grids[1], complete.arms[j]))
    on_train = climbed[0].with_arms(grids[0], arms, grids[0], sources, optimism(complete, np.random.default_rng(seed)))
    on_proof = climbed[1].with_arms(grids[1], arms, grids[0], sources)
    fit = Fit(
        forecast=fitted.forecast,
        worths=worths,
        arms=arms,
        max_draws=depth,
        reference=reference,
        train=_rungs(on_train, grids[0], reference),
        proof=_rungs(on_proof, grids[1], reference),
        label_kind=_label_kind(proof),
        seed=seed,
    )
    return Fitting(fit, assessor, fitted.latents, grids[0], on_train, on_proof)


def _refuse_unlike(train: Recorded, proof: Recorded) -> None:
    if train.panel.sources != proof.panel.sources:
        raise TableError(
            f"the training queries have outcomes of {_named(train)}, the held-out ones of {_named(proof)}; "
            "collect the same sources for both."
        )


def _worths(grid: Grid) -> Floats:
    """Worths that span the costs of the fixed arms."""
    cost = np.nanmean(grid.cost_usd, axis=0)
    return worth_ladder(float(np.nanmin(cost)), float(np.nanmax(cost)))


def depths(*splits: Recorded) -> tuple[int, ...]:
    """Samples that every query of every split has of each source."""
    return tuple(int(n) for n in np.minimum(np.min([split.panel.counts.min(axis=0) for split in splits], axis=0), MAX_DRAWS))


def _complete(grid: Grid, arm: Arm) -> bool:
    """Whether an arm has a quality and a cost for every query."""
    if arm not in grid.arms:
        return False
    column = grid.arms.index(arm)
    return bool(np.isfinite(grid.quality[:, column]).all() and np.isfinite(grid.cost_usd[:, column]).all())


def grid_of(recorded: Recorded, seed: int) -> Grid:
    """Every fixed arm on recorded queries, with as many samples as are recorded."""
    depth = int(np.isfinite(recorded.panel.score).sum(axis=2).max())
    votes = tuple(n for n in BLOCKS if n <= depth)
    return fixed_arms(recorded.panel, recorded.prices, np.random.default_rng(seed), votes=votes, strategies=STRATEGIES)


def _rungs(ladder: Ladder, grid: Grid, reference: Arm) -> Rungs:
    column = grid.arms.index(reference)
    return Rungs(ladder.quality, ladder.cost_usd, grid.quality[:, column], grid.cost_usd[:, column])


def _label_kind(recorded: Recorded) -> str:
    kinds = {o.label_kind or "recorded" for cell in recorded.recording.samples.values() for o in cell}
    return " and ".join(sorted(kinds))


def _named(recorded: Recorded) -> str:
    return ", ".join(map(str, recorded.panel.sources)) or "nothing"
