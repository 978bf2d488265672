"""Damani's allocation: forecast how much more samples would bring from the query alone, give every query its own number.

The offline variant: training queries are binned by forecast difficulty (held out),
every bin keeps the mean quality and cost of each number of samples, and gets the
number that is worth most at the price of the rung; marginal gains that are not falling are
bridged, since every number is compared with every other. The source is chosen on training.
Settings: up to 26 sources, 24 prices; at most 624.

Source: Damani 2410.04707, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.answer import Candidate
from onedial.core.arm import Arm
from onedial.core.decision import Decision, Policy
from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.policies.baselines.contract import Lesson, StepperRecipe
from onedial.policies.baselines.pool import ladder, pool_of, worths
from onedial.policies.baselines.text_ridge import TextRidge, forecast_scores
from onedial.policies.fixed_arm import FixedArm

BINS = 5
PRICES = 24


@dataclass(frozen=True, slots=True)
class BinnedBudget:
    """A number of samples per bin of forecast difficulty.

    Attributes:
        forecast: Of mean scores.
        output: Which of its outputs is about the source.
        edges: (bins - 1,) between the bins, rising.
        arms: One per bin, hardest first.
        quality: Mean training quality.
    """

    forecast: TextRidge
    output: int
    edges: Floats
    arms: tuple[Arm, ...]
    quality: float = 0.0

    def choose(self, query: Query, tried: tuple[Candidate, ...] = (), spent_usd: float = 0.0) -> Decision:
        """Draw the number of the query's bin, once."""
        k = int(np.searchsorted(self.edges, self.forecast.of(query)[self.output], side="right"))
        return FixedArm(self.arms[k], self.quality, f"bin {k + 1} of {len(self.arms)} by forecast difficulty").choose(query, tried)


@dataclass(frozen=True, slots=True)
class _Curve:
    """One source: its columns of the grid, its bins and their mean quality and cost, (bins, columns)."""

    output: int
    columns: Ints
    edges: Floats
    share: Floats
    quality: Floats
    cost_usd: Floats


def fit(lesson: Lesson) -> Sequence[Policy]:
    """Choose the source and allocate, at every price; the training hull is the ladder."""
    pool = pool_of(lesson, copies=0)
    forecast, held = forecast_scores(lesson, pool.sources)
    curves = [_curve(lesson, k, pool.names[k], held[:, k]) for k in range(len(pool.names))]
    every = [(curve, w) for curve in curves for w in worths(lesson.grid.cost_usd.mean(axis=0), PRICES)]
    picks = [np.argmax(w * c.quality - c.cost_usd, axis=1) for c, w in every]
    bins = [np.arange(len(c.share)) for c, _ in every]
    quality = [float(c.share @ c.quality[b, k]) for (c, _), k, b in zip(every, picks, bins, strict=True)]
    cost = [float(c.share @ c.cost_usd[b, k]) for (c, _), k, b in zip(every, picks, bins, strict=True)]
    return [_policy(lesson, forecast, every[i][0], picks[i], quality[i]) for i in ladder(cost, quality)]


def _curve(lesson: Lesson, output: int, source: object, held: Floats) -> _Curve:
    columns = np.array([j for j, arm in enumerate(lesson.grid.arms) if arm.source == source])
    edges = np.unique(np.quantile(held, np.arange(1, BINS) / BINS))
    level = np.searchsorted(edges, held, side="right")
    present = [k for k in range(len(edges) + 1) if (level == k).any()]
    edges = edges[[k - 1 for k in present[1:]]]
    level = np.searchsorted(edges, held, side="right")
    groups = [level == k for k in range(len(present))]
    quality, cost = (
        np.stack([values[g][:, columns].mean(axis=0) for g in groups]) for values in (lesson.grid.quality, lesson.grid.cost_usd)
    )
    return _Curve(output, columns, edges, np.array([g.mean() for g in groups]), quality, cost)


def _policy(lesson: Lesson, forecast: TextRidge, curve: _Curve, picks: Ints, quality: float) -> BinnedBudget:
    arms = tuple(lesson.grid.arms[int(curve.columns[k])] for k in picks)
    return BinnedBudget(forecast, curve.output, curve.edges, arms, quality)


DAMANI = StepperRecipe("damani-offline", "Damani 2410.04707", fit)
