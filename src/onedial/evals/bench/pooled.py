"""The folds of a table put together: every query is there once, as it was tested, and every policy traces one frontier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.errors import TableError
from onedial.core.outcome import Floats, Ints
from onedial.evals.bench.fold import FoldResult
from onedial.evals.bench.goals import Goal
from onedial.evals.selection import Sweep
from onedial.policies.grid import Grid


@dataclass(frozen=True, slots=True)
class Pooled:
    """All folds; arrays over queries are in table order.

    Attributes:
        goals: What the comparison is made at.
        targets: (goals,) quality asked for, the mean over queries of what their folds were asked.
        fixed: The best fixed arm at every goal.
        sweeps: Every other policy over its dial, the points beyond the last target too.
        families: Of every policy.
        absent: Policies that could not be run, with the reason.
        arms: Fixed arms that every fold has.
        worth: (goals,) mean price of quality on the training hulls.
        forecast: (goals, n) what joint claimed.
        reached: (goals, n) what it reached.
        draws: (goals, n, sources) samples it drew.
        ease: (n,) mean forecast success.
        fold: (n,) which fold tested each query.
    """

    goals: tuple[Goal, ...]
    targets: Floats
    fixed: Sweep
    sweeps: dict[str, Sweep]
    families: dict[str, str]
    absent: dict[str, str]
    arms: Grid
    worth: Floats
    forecast: Floats
    reached: Floats
    draws: Floats
    ease: Floats
    fold: Ints


def pool(folds: Sequence[FoldResult], goals: Sequence[Goal]) -> Pooled:
    """Put folds together; a policy that is absent from one is left out.

    Raises:
        TableError: The folds do not test every query once.
    """
    rows = np.concatenate([fold.rows for fold in folds])
    if not np.array_equal(np.sort(rows), np.arange(rows.size)):
        raise TableError(f"{len(folds)} folds test {rows.size} queries, {np.unique(rows).size} of them different; expected each once.")
    order = np.argsort(rows)

    def joined(parts: Sequence[Floats], axis: int) -> Floats:
        return np.take(np.concatenate(parts, axis=axis), order, axis=axis)

    size = np.array([fold.rows.size for fold in folds], dtype=float)
    targets = np.average([fold.targets for fold in folds], axis=0, weights=size)
    absent = {name: why for fold in folds for name, why in fold.absent.items()}
    names = [name for name in folds[0].quality if name not in absent]
    k = len(goals)
    sweeps = {}
    for name in names:
        quality, cost = (joined([getattr(fold, kind)[name] for fold in folds], 1) for kind in ("quality", "cost"))
        sweeps[name] = Sweep(name, targets[: len(quality)], quality, cost)
    best = sweeps.pop("best fixed")
    return Pooled(
        goals=tuple(goals),
        targets=targets[:k],
        fixed=Sweep(best.name, targets[:k], best.quality[:k], best.cost_usd[:k]),
        sweeps=sweeps,
        families={name: folds[0].families[name] for name in names},
        absent=absent,
        arms=_arms(folds, order),
        worth=np.average([fold.worth for fold in folds], axis=0, weights=size),
        forecast=joined([fold.forecast for fold in folds], 1),
        reached=joined([fold.reached for fold in folds], 1),
        draws=np.concatenate([fold.draws for fold in folds], axis=1)[:, order],
        ease=joined([fold.ease for fold in folds], 0),
        fold=np.repeat(np.arange(len(folds)), size.astype(int))[order],
    )


def _arms(folds: Sequence[FoldResult], order: Ints) -> Grid:
    common = [arm for arm in folds[0].arms if all(arm in fold.arms for fold in folds)]
    columns = [[fold.arms.index(arm) for arm in common] for fold in folds]
    quality, cost = (
        np.concatenate([getattr(fold, name)[:, own] for fold, own in zip(folds, columns, strict=True)])[order]
        for name in ("arm_quality", "arm_cost")
    )
    return Grid(tuple(common), quality, cost)
