"""Rivals that predict a left-out effort from the levels of the same model that were sampled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.arm import Source
from onedial.core.outcome import Floats, known_mean
from onedial.evals.extrapolation.item_response import fit_items
from onedial.evals.extrapolation.ridge_heads import RidgeHeads
from onedial.forecasts.effort_levels import rung
from onedial.forecasts.latents import log_run

_KAPPAS = np.geomspace(0.1, 100.0, 25)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Where a left-out level stands among the sampled levels of its model.

    Attributes:
        nearest: Column of the nearest.
        between: Columns of the two around it, the same twice beyond the ends.
        share: How far from the first to the second, in [0, 1].
    """

    nearest: int
    between: tuple[int, int]
    share: float


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a rival may use: everything but the column left out, and how many tokens that is expected to use.

    Attributes:
        column: The one left out.
        tokens: Expected mean tokens there; NaN where unknown.
        near: Its place among its siblings.
        siblings: Columns of the model's other levels.
        rate: (n, S) mean scores.
        draws: (n, S) samples; zero in the column left out.
        mean_tokens: (S,) mean tokens of each column.
        cost: (n, S) cost of one sample.
        priced: (n,) cost of one sample of the level left out, from its expected tokens, the same for every query but for the prompt.
        heads: Ridge regressions on the text.
    """

    column: int
    tokens: float
    near: Neighbours
    siblings: tuple[int, ...]
    rate: Floats
    draws: Floats
    mean_tokens: Floats
    cost: Floats
    priced: Floats
    heads: RidgeHeads

    def rate_of(self, column: int) -> Floats:
        """(n,) mean scores of a sampled column, its mean where a query has none."""
        found = self.rate[:, column]
        return np.where(np.isfinite(found), found, known_mean(found))

    def cost_of(self, column: int) -> Floats:
        """(n,) cost of one sample of a sampled column, its mean where a query has none."""
        found = self.cost[:, column]
        return np.where(np.isfinite(found), found, known_mean(found))


@dataclass(frozen=True, slots=True)
class Predicted:
    """Quality and cost of one sample of the left-out level per query, each (n,)."""

    quality: Floats
    cost: Floats


def neighbours(sources: Sequence[Source], tokens: Floats, siblings: Sequence[int], left_out: Source, expected: float) -> Neighbours:
    """Place a level by log tokens, else by its rung, else nowhere (the first sibling is the nearest)."""
    place = {j: _log(tokens[j]) for j in siblings}
    here = _log(expected)
    if not np.isfinite([here, *place.values()]).all():
        place, here = {j: rung(sources[j].effort) for j in siblings}, rung(left_out.effort)
    if not np.isfinite([here, *place.values()]).all():
        return Neighbours(siblings[0], (siblings[0], siblings[0]), 0.0)
    ordered = sorted(place, key=lambda j: place[j])
    nearest = min(ordered, key=lambda j: abs(place[j] - here))
    low = [j for j in ordered if place[j] <= here][-1:] or ordered[:1]
    high = [j for j in ordered if place[j] > here][:1] or ordered[-1:]
    gap = place[high[0]] - place[low[0]]
    return Neighbours(nearest, (low[0], high[0]), float(np.clip((here - place[low[0]]) / gap, 0.0, 1.0)) if gap > 0 else 0.0)


def _log(tokens: float) -> float:
    return float(np.log(max(tokens, 1.0))) if np.isfinite(tokens) else float("nan")


def nearest_budget(left: LeftOut) -> Predicted:
    """The nearest level that was sampled, taken for the one left out."""
    return Predicted(left.rate_of(left.near.nearest), left.cost_of(left.near.nearest))


def ridge_per_budget(left: LeftOut) -> Predicted:
    """A ridge head per sampled level on the text; between two levels, a straight line in log tokens. Source: R2-Router 2602.02823."""
    one, two = left.heads.predict(left.rate[:, list(left.near.between)]).T
    return Predicted(np.clip(one + left.near.share * (two - one), 0.0, 1.0), left.priced)


def free_theta_irt(left: LeftOut) -> Predicted:
    """A free ability per level; between two levels, a straight line in log tokens. Source: RADAR 2509.25426."""
    items = fit_items(np.nan_to_num(left.rate), left.draws)
    one, two = (float(items.ability[j]) for j in left.near.between)
    return Predicted(items.at(one + left.near.share * (two - one)), left.priced)


def power_law(left: LeftOut) -> Predicted:
    """Failure is a power of tokens, fitted to the model's sampled levels; queries keep their share of it at the nearest level."""
    failure = {j: float(np.clip(1.0 - known_mean(left.rate[:, j]), 1e-3, 1.0)) for j in left.siblings}
    told = [j for j in left.siblings if np.isfinite(left.mean_tokens[j])]
    grown = failure[left.near.nearest]
    if len(told) > 1 and np.isfinite(left.tokens) and np.ptp(left.mean_tokens[told]) > 0:
        slope, start = np.polyfit(np.log(left.mean_tokens[told]), np.log([failure[j] for j in told]), 1)
        grown = float(np.exp(start + slope * np.log(left.tokens)))
    missed = (1.0 - left.rate_of(left.near.nearest)) * grown / failure[left.near.nearest]
    return Predicted(np.clip(1.0 - missed, 0.0, 1.0), left.priced)


def beta_binomial(left: LeftOut) -> Predicted:
    """The nearest level, each query's rate shrunken to the level's mean by a Beta fitted to it."""
    rate, draws = np.nan_to_num(left.rate[:, left.near.nearest]), left.draws[:, left.near.nearest]
    right = np.where(draws > 0, rate * draws, 0.0)
    mean = float(np.clip(right.sum() / max(float(draws.sum()), 1.0), 1e-3, 1.0 - 1e-3))
    fits = [log_run(right, draws, np.array(mean), np.array(k), np.array(0.0)).sum() for k in _KAPPAS]
    kappa = _KAPPAS[int(np.argmax(fits))] if draws.max() > 1 else 2.0
    return Predicted((right + mean * kappa) / (draws + kappa), left.cost_of(left.near.nearest))


RIVALS: dict[str, Callable[[LeftOut], Predicted]] = {
    "nearest": nearest_budget,
    "ridge_per_budget": ridge_per_budget,
    "free_theta_irt": free_theta_irt,
    "power_law": power_law,
    "beta_binomial": beta_binomial,
}
