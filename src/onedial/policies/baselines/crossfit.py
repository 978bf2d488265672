"""Honest training performance of a router: what each training query would get from a model that has not seen it.

Mixtures and hyperparameters are chosen on these picks, never on picks for queries that were fitted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from onedial.core.errors import ConfigError
from onedial.core.outcome import Floats, Ints
from onedial.policies.baselines.contract import Lesson, Router, RouterRecipe
from onedial.policies.grid import Grid

INNER_FOLDS = 3


def cross_picks(recipe: RouterRecipe, lesson: Lesson, folds: Ints) -> Ints:
    """Pick for every training query with a router fitted to the other folds.

    Args:
        recipe: Of the router.
        lesson: The training split.
        folds: (n_train,) which fold each query belongs to; at least two different ones.

    Returns:
        (n_rungs, n_train) columns of the lesson's grid. Rung r is the same setting of the knob in every fold.

    Raises:
        ConfigError: There is only one fold, or the folds do not match the queries.
    """
    return crossed(recipe.fit, lesson, folds)


def crossed(fit: Callable[[Lesson], Router], lesson: Lesson, folds: Ints) -> Ints:
    """Do what `cross_picks` does, with a fitting function in place of a recipe."""
    names = np.unique(folds)
    if len(folds) != len(lesson.queries) or names.size < 2:
        found = f"{len(folds)} labels in {names.size} folds for {len(lesson.queries)} queries"
        raise ConfigError(f"cross-fitting needs a fold for each query and two folds at least; found {found}.")
    found_picks: list[tuple[Ints, Ints]] = []
    for name in names:
        held = np.flatnonzero(folds == name)
        router = fit(lesson_of(lesson, np.flatnonzero(folds != name)))
        found_picks.append((held, router.picks([lesson.queries[int(i)] for i in held], lesson.features[held])))
    picks = np.zeros((found_picks[0][1].shape[0], len(folds)), dtype=np.int64)
    for held, some in found_picks:
        picks[:, held] = some
    return picks


def lesson_of(lesson: Lesson, rows: Ints) -> Lesson:
    """The lesson of a subset of its queries."""
    return replace(lesson, panel=lesson.panel.rows(rows), features=lesson.features[rows], grid=lesson.grid.rows(rows))


def folds_for(n: int, seed: int, count: int = INNER_FOLDS) -> Ints:
    """(n,) random folds of even size."""
    return np.asarray(np.random.default_rng([seed, n]).permutation(n) % count, dtype=np.int64)


def earned(grid: Grid, picks: Ints) -> tuple[Floats, Floats]:
    """(n_rungs,) mean cost and mean quality of picks, (n_rungs, n_queries), on the grid of those queries."""
    rows = np.arange(picks.shape[1])
    return grid.cost_usd[rows, picks].mean(axis=1), grid.quality[rows, picks].mean(axis=1)
