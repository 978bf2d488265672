"""Predicting one thinking effort of a model from its other efforts and from other models: quality and cost, per query and on the whole.

Each level of each model with several is left out in turn. Ours are
`forecasts.effort_curves` and `forecasts.query_effects`; the rivals are in `effort_rivals`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import nnls
from scipy.special import expit

from onedial.core.arm import Source
from onedial.core.errors import TableError
from onedial.core.outcome import Floats, Panel, known_mean
from onedial.core.usage import TOKENS_PER_PRICE, Price
from onedial.evals.extrapolation.effort_rivals import RIVALS, LeftOut, Predicted, neighbours
from onedial.evals.extrapolation.ridge_heads import RidgeHeads
from onedial.evals.extrapolation.scores import Actions, Cells, difficulty_groups, regret, score_cells, score_regret
from onedial.evals.extrapolation.truth import sample_costs
from onedial.forecasts.effort_curves import EffortCurves, fit_effort_curves
from onedial.forecasts.effort_levels import parts
from onedial.forecasts.query_effects import fit_query_effects

COVERED = 0.9
_OWN_TOKENS = 2.0  # levels' worth of "as the model on the whole" in a query's factor on tokens


@dataclass(frozen=True, slots=True)
class Levels:
    """A panel as means over samples, each (n, S): score, its variance, samples, tokens, prompt tokens and cost of one sample."""

    sources: tuple[Source, ...]
    rate: Floats
    noise: Floats
    draws: Floats
    tokens: Floats
    input_tokens: Floats
    cost: Floats
    cost_noise: Floats

    @classmethod
    def of(cls, panel: Panel, prices: Mapping[str, Price]) -> Levels:
        """Average samples; the noise of a mean of one sample is not known."""
        draws = np.isfinite(panel.score).sum(axis=2).astype(float)
        prompt, cost = sample_costs(panel, prices)
        tokens, each = known_mean(panel.output_tokens), prompt[..., None] + cost
        spread, cost_spread = _variance_of_mean(panel.score), _variance_of_mean(each)
        return cls(panel.sources, known_mean(panel.score), spread, draws, tokens, panel.input_tokens, known_mean(each), cost_spread)


def run_efforts(panel: Panel, prices: Mapping[str, Price], heads: RidgeHeads, weights: Floats) -> dict[str, Any]:
    """Leave out each level of each model that has several, of which repeats tell the noise; a table without says so in `reason`."""
    levels = Levels.of(_covered(panel), prices)
    hidden = scored_levels(levels)
    if not hidden:
        return {"reason": "no model has two efforts or more of which one has repeated samples on most queries", "parts": []}
    try:
        posed = [LeftOutLevel.of(levels, s, heads) for s in hidden]
    except TableError as trouble:
        return {"reason": str(trouble), "parts": []}
    return {"reason": None, "parts": [_scored(levels, posed, weights)]}


def _covered(panel: Panel) -> Panel:
    """Without the sources that most queries lack."""
    keep = np.flatnonzero((panel.counts > 0).mean(axis=0) >= COVERED)
    names = ("score", "answer", "output_tokens", "input_tokens", "verdict", "cost_usd", "latency_s")
    sources = tuple(panel.sources[int(j)] for j in keep)
    return Panel(panel.queries, sources, **{name: getattr(panel, name)[:, keep] for name in names}, answers=panel.answers)


def _variance_of_mean(values: Floats) -> Floats:
    """Unbiased variance of the mean over the last axis; NaN with fewer than two values."""
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    apart = np.where(known, values - known_mean(values)[..., None], 0.0)
    return np.asarray(np.where(count > 1, (apart**2).sum(axis=-1) / np.maximum(count - 1, 1) / np.maximum(count, 1), np.nan))


def scored_levels(levels: Levels) -> list[int]:
    """Columns that are left out in turn: levels with siblings, and with repeats on most queries."""
    siblings = [sum(other.model == s.model for other in levels.sources) > 1 for s in levels.sources]
    repeated = (levels.draws > 1).mean(axis=0) >= COVERED
    return [j for j in range(len(levels.sources)) if siblings[j] and repeated[j]]


@dataclass(frozen=True, slots=True)
class LeftOutLevel:
    """One posed question: the column left out, and what every method says about it."""

    column: int
    predictions: Mapping[str, Predicted]
    rate_of_others: Floats

    @classmethod
    def of(cls, levels: Levels, column: int, heads: RidgeHeads) -> LeftOutLevel:
        """Fit and predict without that column.

        Raises:
            TableError: Too few other levels.
        """
        draws = levels.draws.copy()
        draws[:, column] = 0.0
        curves = _curves(levels, column)
        tokens = curves.tokens_at(levels.sources[column])
        means = known_mean(levels.tokens, axis=0)
        siblings = [j for j, s in enumerate(levels.sources) if s.model == levels.sources[column].model and j != column]
        near = neighbours(levels.sources, means, siblings, levels.sources[column], tokens)
        priced = _priced(levels, column, siblings, tokens)
        question = LeftOut(column, tokens, near, tuple(siblings), levels.rate, draws, means, levels.cost, priced, heads)
        found = {"onedial": _onedial(levels, draws, curves, question)}
        found |= {name: rival(question) for name, rival in RIVALS.items()}
        others = np.delete(levels.rate, column, axis=1)
        return cls(column, found, others)


def _curves(levels: Levels, column: int) -> EffortCurves:
    keep = [j for j in range(len(levels.sources)) if j != column]
    rate = known_mean(levels.rate[:, keep], axis=0)
    share = known_mean(levels.noise[:, keep] * levels.draws[:, keep], axis=0) / np.maximum(rate * (1.0 - rate), 1e-4)
    within = np.where(np.isfinite(share), share, np.nanmedian(share) if np.isfinite(share).any() else 0.5) * rate * (1.0 - rate)
    noise = within / np.maximum(levels.draws[:, keep].sum(axis=0), 1.0)
    return fit_effort_curves([levels.sources[j] for j in keep], rate, noise, known_mean(levels.tokens[:, keep], axis=0))


def _onedial(levels: Levels, draws: Floats, curves: EffortCurves, question: LeftOut) -> Predicted:
    theta, sd = curves.theta(levels.sources[question.column], question.tokens)
    mean = float(expit(theta / np.sqrt(1.0 + np.pi * sd**2 / 8.0)))
    effects = fit_query_effects(levels.rate, draws, levels.sources)
    return Predicted(effects.at_mean(question.column, mean), _cost(levels, question))


def _cost(levels: Levels, question: LeftOut) -> Floats:
    """(n,) expected cost of one sample: the tokens of the level times what the query costs the model's other levels, priced."""
    siblings = list(question.siblings)
    ratio = levels.tokens[:, siblings] / known_mean(levels.tokens[:, siblings], axis=0)
    count = np.isfinite(ratio).sum(axis=1)
    factor = (np.nansum(ratio, axis=1) + _OWN_TOKENS) / (count + _OWN_TOKENS)
    return _priced(levels, question.column, siblings, question.tokens * factor / factor.mean())


def _priced(levels: Levels, column: int, siblings: list[int], tokens: Floats | float) -> Floats:
    """(n,) cost of so many tokens at the prices that the model's other levels imply; the prompt is that of the levels most alike."""
    price = implied_price(levels, siblings)
    words = parts(levels.sources[column].effort)
    shared = np.array([len(words & parts(levels.sources[j].effort)) for j in siblings])
    alike = [j for j, k in zip(siblings, shared, strict=True) if k == shared.max()]
    prompt = known_mean(levels.input_tokens[:, alike], axis=1, otherwise=0.0)
    return np.asarray((price.input_usd_per_mtok * prompt + price.output_usd_per_mtok * tokens) / TOKENS_PER_PRICE)


def implied_price(levels: Levels, columns: list[int]) -> Price:
    """The prices that the recorded costs of some sources imply, by non-negative least squares."""
    x = np.column_stack((np.nan_to_num(levels.input_tokens[:, columns]).ravel(), levels.tokens[:, columns].ravel()))
    y = levels.cost[:, columns].ravel()
    known = np.isfinite(x).all(axis=1) & np.isfinite(y)
    if not known.any():
        return Price(float("nan"), float("nan"))
    scale = np.maximum(y[known].mean(), 1e-12)
    found = nnls(x[known] / TOKENS_PER_PRICE / scale, y[known] / scale)[0]
    return Price(float(found[0]), float(found[1]))


def _scored(levels: Levels, posed: list[LeftOutLevel], weights: Floats) -> dict[str, Any]:
    groups = np.stack([difficulty_groups(one.rate_of_others) for one in posed], axis=1)
    names = list(posed[0].predictions)
    cells = {name: _cells(levels, posed, name) for name in names}
    exact = np.ones(len(posed), dtype=bool)
    lost = {name: _regrets(levels, posed, name, groups) for name in names}
    known = {name: values for name, values in lost.items() if values is not None}
    each = {str(levels.sources[one.column]): _row(levels, one) for one in posed}
    head = {"n_cells": len(posed), "n_queries": len(groups), "n_groups": int(groups.max()) + 1}
    return head | score_cells(cells, groups, exact, weights) | {"regret": score_regret(known, weights) if known else None, "levels": each}


def _cells(levels: Levels, posed: list[LeftOutLevel], name: str) -> Cells:
    columns = [one.column for one in posed]
    quality = np.stack([one.predictions[name].quality for one in posed], axis=1)
    cost = np.stack([one.predictions[name].cost for one in posed], axis=1)
    scale = known_mean(levels.cost[:, columns], axis=0)[None, :]
    error, noise = quality - levels.rate[:, columns], levels.noise[:, columns]
    return Cells(error, noise, (cost - levels.cost[:, columns]) / scale, levels.cost_noise[:, columns] / scale**2)


def _row(levels: Levels, one: LeftOutLevel) -> dict[str, Any]:
    """Mean quality and cost of one level, as recorded and as each method has it."""
    found = {name: {"quality": _mean(p.quality), "cost_usd": _mean(p.cost)} for name, p in one.predictions.items()}
    return {"recorded": {"quality": _mean(levels.rate[:, one.column]), "cost_usd": _mean(levels.cost[:, one.column])}} | found


def _mean(values: Floats) -> float | None:
    mean = float(known_mean(values))
    return mean if np.isfinite(mean) else None


def _regrets(levels: Levels, posed: list[LeftOutLevel], name: str, groups: np.typing.NDArray[np.int64]) -> Floats | None:
    """(n,) regret of choosing among a model's levels of which one is predicted and the others are known, mean over cells."""
    lost = []
    for k, one in enumerate(posed):
        columns = [
            one.column,
            *(j for j, s in enumerate(levels.sources) if s.model == levels.sources[one.column].model and j != one.column),
        ]
        quality, cost = levels.rate[:, columns], levels.cost[:, columns]
        if not np.isfinite(known_mean(cost, axis=0)).all():
            continue
        guess_q, guess_c = quality.copy(), cost.copy()
        guess_q[:, 0], guess_c[:, 0] = one.predictions[name].quality, one.predictions[name].cost
        lost.append(regret(Actions(guess_q, guess_c), Actions(quality, cost), groups[:, k]))
    return np.mean(lost, axis=0) if lost else None
