"""Training queries met as new ones are: the split is fitted in folds, and each fold is served by a fit that has not seen it.

A fit looks better on the queries it was made of than on others: its sources, its
learner and its beliefs were chosen there. What a rung reaches is therefore learned
out of fold, and the rung that is served is of the fit of all.

Source: THEORY.md section 2, "selection must be paid for"; Stone 1974 (cross-validation of choices and estimates together).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.arm import Source
from onedial.core.outcome import Floats, Ints
from onedial.engine.ladders import Climb
from onedial.engine.recorded import Recorded
from onedial.engine.rollout import Ladder
from onedial.forecasts.fit import MIN_QUERIES, Fitted, fit_forecast
from onedial.forecasts.forecast import Forecast
from onedial.forecasts.latents import Latents
from onedial.forecasts.learners.contract import fold_of
from onedial.policies.controller import Menu

FOLDS = 4
SETTLED = 600
"""See `unseen_folds`."""

Narrow = Callable[[Ints], tuple[Source, ...]]
"""The sources that would be kept if only these training queries were known."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """Some training queries, and what is forecast of them by a fit of the others.

    Attributes:
        rows: (n,) which training queries they are.
        recorded: Their outcomes, sources of the forecast.
        latents: What is forecast of them.
        forecast: Of the other queries' outcomes.
    """

    rows: Ints
    recorded: Recorded
    latents: Latents
    forecast: Forecast

    def climb(self, columns: Sequence[int], worths: Floats, deep: Mapping[Source, int], seed: int) -> Climb:
        """The ladder of some of the forecast's sources on these queries; `deep` says how many samples each source has."""
        depth = tuple(deep[self.forecast.sources[j]] for j in columns)
        return Climb(self.recorded, self.latents, self.forecast, tuple(columns), worths, depth, seed)


def unseen_folds(train: Recorded, fitted: Fitted, narrow: Narrow, seed: int, settled: int = SETTLED) -> tuple[Unseen, ...]:
    """Fit to all folds but one, for each of them.

    Args:
        train: Outcomes of at least the sources that `narrow` may keep.
        fitted: The fit of all queries; where they are too few for folds, its forecasts of queries left out must do.
        narrow: Chooses sources on what a fold's fit sees.
        seed: Of folds and fits.
        settled: With more queries than this, which learner is best is not asked again in every fold.
    """
    n = len(train.queries)
    if n - -(-n // FOLDS) < MIN_QUERIES:
        return (Unseen(np.arange(n), train.only(fitted.forecast.sources), fitted.latents, fitted.forecast),)
    learners = tuple(fitted.forecast.learner.split("+")) if n > settled else None
    fold = fold_of(n, seed, FOLDS)
    return tuple(_left_out(train, np.flatnonzero(fold == k), narrow, learners, seed) for k in range(FOLDS))


def _left_out(train: Recorded, rows: Ints, narrow: Narrow, learners: tuple[str, ...] | None, seed: int) -> Unseen:
    others = np.setdiff1d(np.arange(len(train.queries)), rows)
    kept = train.only(narrow(others))
    known, left = (kept.rows(part) for part in (others, rows))
    forecast = fit_forecast(known.panel, seed, train.prices, learners).forecast
    return Unseen(rows, left, forecast.latents(left.queries, left.panel.input_tokens), forecast)


def joined(ladders: Sequence[Ladder], folds: Sequence[Unseen], sources: Sequence[Source], menu: Menu) -> Ladder:
    """One ladder over all training queries; samples of sources that are not among `sources` are not counted."""
    first, n = ladders[0], sum(len(fold.rows) for fold in folds)
    flat = {name: np.empty((len(first.worths), n)) for name in ("quality", "cost_usd", "forecast")}
    draws = np.zeros((len(first.worths), n, len(sources)))
    for ladder, fold in zip(ladders, folds, strict=True):
        for name, values in flat.items():
            values[:, fold.rows] = getattr(ladder, name)
        own = fold.forecast.sources
        common = [source for source in sources if source in own]
        for source in common:
            draws[:, fold.rows, sources.index(source)] = ladder.draws[:, :, own.index(source)]
    return Ladder(menu, first.worths, flat["quality"], flat["cost_usd"], flat["forecast"], draws)
