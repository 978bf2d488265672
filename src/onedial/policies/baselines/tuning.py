"""Choose among variants of a router by inner folds of the training split."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from onedial.core.outcome import Ints
from onedial.metrics.hull import upper_hull
from onedial.policies.baselines.contract import Lesson, Router
from onedial.policies.baselines.crossfit import crossed, earned, folds_for
from onedial.policies.baselines.rungs import Chooser, Ladder, sorted_ladder
from onedial.policies.grid import Grid

BUDGETS = 24

Variant = Callable[[Lesson], Chooser]


def tuned(lesson: Lesson, variants: Sequence[Variant]) -> Router:
    """Fit the variant whose cross-fitted settings have the highest hull, on average over log-spaced budgets; the first of equals."""
    folds = folds_for(len(lesson.queries), lesson.seed)
    heights = [_height(lesson.grid, crossed(_unsorted(fit), lesson, folds)) for fit in variants] if len(variants) > 1 else [0.0]
    return sorted_ladder(lesson, variants[int(np.argmax(heights))](lesson))


def _unsorted(fit: Variant) -> Callable[[Lesson], Router]:
    return lambda lesson: Ladder(fit(lesson))


def _height(grid: Grid, picks: Ints) -> float:
    """Mean quality of the hull of settings, over budgets from the cheapest arm's mean cost to the dearest's."""
    mean = grid.cost_usd.mean(axis=0)
    low, high = (max(float(x), 1e-12) for x in (mean.min(), mean.max()))
    edge = upper_hull(*earned(grid, picks))
    return float(np.interp(np.geomspace(low, high, BUDGETS), edge.cost, edge.quality, left=0.0).mean())
