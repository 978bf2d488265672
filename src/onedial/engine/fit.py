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
from onedial.engine.rollout import Ladder
from onedial.engine.unseen import Unseen, joined, unseen_folds
from onedial.engine.worths import TRIED, spaced_worths, worth_range
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
        folds: The training queries, each forecast by a fit that has not seen it.
        train_grid: Every fixed arm on the training queries, those of sources that were not shortlisted too.
        train: The joint ladder on the training queries, climbed by fits that have not seen them; its last rungs are the fixed arms
            of the training hull.
        proof: The joint ladder on the proof queries.
    """

    fit: Fit
    assessor: Assessor
    latents: Latents
    folds: tuple[Unseen, ...]
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
    progress("fit the forecast", 0, 2)
    grids = grid_of(train, seed), grid_of(proof, seed)
    complete = grids[0].complete()
    reference = complete.arms[most_accurate(complete)]
    sources, deep = shortlist(complete), dict(zip(train.panel.sources, depths(train, proof), strict=True))
    listed, proof = train.only(sources), proof.only(sources)
    fitted = fit_forecast(listed.panel, seed, train.prices)
    progress("fit the forecast", 1, 2)
    folds = unseen_folds(train, fitted, lambda rows: shortlist(complete.rows(rows)), seed)
    progress("fit the forecast", 2, 2)
    known = fitted.forecast.latents(proof.queries, proof.panel.input_tokens)
    assessor = Assessor(fitted.forecast, models)
    assessor.preload(train.queries, fitted.latents)
    assessor.preload(proof.queries, known)
    depth, columns = tuple(deep[source] for source in sources), tuple(range(len(sources)))
    whole = Climb(listed, fitted.latents, fitted.forecast, columns, _whole_range(complete), depth, seed)
    worths = spaced_worths(whole, models, reading, seed)
    climbs = [fold.climb(tuple(range(len(fold.forecast.sources))), worths, deep, seed) for fold in folds]
    climbs.append(Climb(proof, known, fitted.forecast, columns, worths, depth, seed))
    *unseen, climbed = climb_all(climbs, models, reading, workers, "try policies", progress)
    climbed_train = joined(unseen, folds, sources, climbed.menu)
    arms = tuple(complete.arms[j] for j in hull_arms(complete, sources) if _complete(grids[1], complete.arms[j]))
    on_train = climbed_train.with_arms(grids[0], arms, grids[0], sources, optimism(complete, np.random.default_rng(seed)))
    on_proof = climbed.with_arms(grids[1], arms, grids[0], sources)
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
    return Fitting(fit, assessor, fitted.latents, folds, grids[0], on_train, on_proof)


def _refuse_unlike(train: Recorded, proof: Recorded) -> None:
    if train.panel.sources != proof.panel.sources:
        raise TableError(
            f"the training queries have outcomes of {_named(train)}, the held-out ones of {_named(proof)}; "
            "collect the same sources for both."
        )


def _whole_range(grid: Grid) -> Floats:
    """Worths that span the costs of the fixed arms."""
    cost = grid.cost_usd.mean(axis=0)
    return worth_range(float(cost.min()), float(cost.max()), TRIED)


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
