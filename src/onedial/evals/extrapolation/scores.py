"""How predictions of what was left out are scored: error with the noise subtracted, regret, and both against the nearest budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from onedial.core.outcome import Floats, Ints, known_mean
from onedial.metrics.bootstrap import percentile_interval
from onedial.metrics.debiased import group_error, query_error, root

NEAREST = "nearest"
WORTHS = 25


@dataclass(frozen=True, slots=True)
class Cells:
    """Predictions of one method for many cells, side by side; rows are queries.

    Attributes:
        error: (n, cells) predicted less estimated quality; NaN where there is no estimate.
        noise: (n, cells) variance of the estimate.
        cost_error: (n, cells) predicted less recorded cost, over the cell's mean recorded cost; NaN where unknown.
        cost_noise: (n, cells) its variance.
    """

    error: Floats
    noise: Floats
    cost_error: Floats
    cost_noise: Floats


def score_cells(methods: Mapping[str, Cells], groups: Ints, exact: np.typing.NDArray[np.bool_], weights: Floats) -> dict[str, Any]:
    """Score every method on the same cells.

    Args:
        methods: By name; `nearest` is what the others are compared with.
        groups: (n,) or (n, cells), from what every method saw.
        exact: (cells,) whether the noise of a cell is without bias.
        weights: (1 + resamples, n); the first row is the queries as they are.

    Returns:
        `methods: {name: {level: {rmse, mse, ci95}}}` with levels `arm`, `arm_exact`, `group`, `query`, `cost`; and
        `ratio_to_nearest: {name: {level: {ratio, ci95}}}`. `rmse` is 0 where `mse` is not above 0.
    """
    squared = {name: _levels(cells, groups, exact, weights) for name, cells in methods.items()}
    report = {name: {level: _rooted(values) for level, values in levels.items()} for name, levels in squared.items()}
    base = squared[NEAREST]
    ratios = {name: {level: _ratio(values, base[level]) for level, values in levels.items()} for name, levels in squared.items()}
    return {"methods": report, "ratio_to_nearest": ratios}


def _levels(cells: Cells, groups: Ints, exact: np.typing.NDArray[np.bool_], weights: Floats) -> dict[str, Floats]:
    whole = np.zeros(len(cells.error), dtype=np.int64)
    return {
        "arm": group_error(cells.error, cells.noise, weights, whole),
        "arm_exact": group_error(cells.error[:, exact], cells.noise[:, exact], weights, whole),
        "group": group_error(cells.error, cells.noise, weights, groups),
        "query": query_error(cells.error[:, exact], cells.noise[:, exact], weights),
        "cost": group_error(cells.cost_error, cells.cost_noise, weights, whole),
    }


def _rooted(squared: Floats) -> dict[str, Any] | None:
    if not np.isfinite(squared[0]):
        return None
    interval = percentile_interval(float(root(squared[0])), root(squared[1:]))
    return {"rmse": interval.estimate, "mse": float(squared[0]), "ci95": [interval.low, interval.high]}


def _ratio(squared: Floats, base: Floats) -> dict[str, Any] | None:
    if not np.isfinite(squared[0]) or base[0] <= 1e-12:
        return None
    share = root(squared) / np.where(base > 0, root(base), np.nan)
    interval = percentile_interval(float(share[0]), share[1:])
    return {"ratio": interval.estimate, "ci95": [interval.low, interval.high if np.isfinite(interval.high) else None]}


@dataclass(frozen=True, slots=True)
class Actions:
    """The actions of one choice: quality and cost, predicted or true, each (n, actions)."""

    quality: Floats
    cost: Floats


def regret(predicted: Actions, true: Actions, groups: Ints) -> Floats:
    """(n,) quality lost by taking what looks best, over a grid of worths, where the best action was known afterwards.

    Each group of queries takes one action per worth: the largest mean of quality less cost over worth. The oracle's is
    the largest by the truths, the same for every method.

    >>> good, bad = Actions(np.array([[0.5, 0.9]]), np.array([[1.0, 2.0]])), Actions(np.array([[0.5, 0.4]]), np.array([[1.0, 2.0]]))
    >>> float(regret(good, good, np.zeros(1, dtype=np.int64)).sum()), bool(regret(bad, good, np.zeros(1, dtype=np.int64)).sum() > 0)
    (0.0, True)
    """
    truth = Actions(_filled(true.quality), _filled(true.cost))
    lost = np.zeros(len(truth.quality))
    worths = worth_grid(truth.cost.mean(axis=0))
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        value, guess = _values(truth, rows, worths), _values(Actions(_filled(predicted.quality), _filled(predicted.cost)), rows, worths)
        best, taken = value.argmax(axis=1), guess.argmax(axis=1)
        each = truth.quality[rows][:, best] - truth.quality[rows][:, taken]
        each -= (truth.cost[rows][:, best] - truth.cost[rows][:, taken]) / worths
        lost[rows] = each.mean(axis=1)
    return lost


def worth_grid(costs: Floats) -> Floats:
    """(worths,) USD per unit of quality, from where the cheapest action costs ten points of quality to where the dearest costs one."""
    return np.geomspace(10.0 * max(float(costs.min()), 1e-12), 100.0 * max(float(costs.max()), 1e-12), WORTHS)


def _values(actions: Actions, rows: Ints, worths: Floats) -> Floats:
    return np.asarray(actions.quality[rows].mean(axis=0) - actions.cost[rows].mean(axis=0) / worths[:, None])


def _filled(values: Floats) -> Floats:
    """NaN replaced by the mean of the column."""
    return np.where(np.isfinite(values), values, known_mean(values, axis=0)[None, :])


def score_regret(lost: Mapping[str, Floats], weights: Floats) -> dict[str, Any]:
    """Mean regret of every method with its interval, and of the others less ours, paired; positive where ours loses less."""
    means = {name: weights @ values for name, values in lost.items()}
    report: dict[str, Any] = {}
    for name, values in means.items():
        interval = percentile_interval(float(values[0]), values[1:])
        more = percentile_interval(float(values[0] - means["onedial"][0]), values[1:] - means["onedial"][1:])
        report[name] = {"regret": interval.estimate, "ci95": [interval.low, interval.high]}
        report[name] |= {"more_than_onedial": more.estimate, "more_ci95": [more.low, more.high]}
    return report


def difficulty_groups(rate: Floats) -> Ints:
    """(n,) groups of queries of like mean rate, (n, sources) of what was seen; about 20 queries or more each, 5 at most."""
    mean = known_mean(rate, axis=1, otherwise=0.5)
    count = int(np.clip(len(mean) // 20, 2, 5))
    order = np.argsort(np.argsort(mean, kind="stable"), kind="stable")
    return np.asarray(order * count // len(mean), dtype=np.int64)
