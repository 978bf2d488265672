"""Policies in the form in which they are compared: options, each a ladder rolled out on the training and on the test split.

At every target the option and the mixture of rungs that is cheapest in training is shown on the test split. What needs no
forecast is made here; the controller's ablations are in `ablations`, published methods in `published`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.outcome import Floats
from onedial.evals.selection import Sweep
from onedial.evals.sweeps import Chosen, Rolled, choose, settings_of
from onedial.metrics.frontier import frontier
from onedial.metrics.hull import Mixture, mix
from onedial.policies.grid import Grid

PLACES = 12
"""Points beside the targets: so many places along the training frontier of the best option, from its thriftiest rung to its best,
and further ones from there to the most lavish."""
REST = (1 / 3, 2 / 3, 1.0)


@dataclass(frozen=True, slots=True)
class Contender:
    """One policy on both splits.

    Attributes:
        name: As it is shown.
        family: `joint`, `model_only`, `compute_only`, `fixed`, `random`, `router`, `cascade`, ...
        train: Ladders by option, thrifty first; what is chosen is chosen here.
        test: The same ladders on the test split.
    """

    name: str
    family: str
    train: Mapping[str, Rolled]
    test: Mapping[str, Rolled]


def chosen_for(train: Mapping[str, Rolled], targets: Floats) -> list[Chosen]:
    """What training chooses for every target, the best rung where one is out of reach; then single rungs, at `PLACES` and `REST`."""
    top = max(train, key=lambda option: train[option].quality.mean(axis=1).max())
    reached = train[top].quality.mean(axis=1)
    best = int(reached.argmax())
    edge = frontier(train[top].cost_usd.mean(axis=1), reached).point
    places = [int(edge[round(i * (len(edge) - 1) / (PLACES - 1))]) for i in range(PLACES)]
    rest = [best + round(share * (len(reached) - 1 - best)) for share in REST]
    single = [Chosen(top, Mixture(rung, rung, 0.0), 0.0) for rung in (best, *places, *rest)]
    return [choose(train, float(target)) or single[0] for target in targets] + single[1:]


def shown(contender: Contender, targets: Floats) -> Sweep:
    """The contender on the test split, at every target and beyond; targets of the points beyond are not a number."""
    chosen = chosen_for(contender.train, targets)
    quality = np.stack([mix(contender.test[c.option].quality.T, c.mixture) for c in chosen])
    cost = np.stack([mix(contender.test[c.option].cost_usd.T, c.mixture) for c in chosen])
    return Sweep(contender.name, np.append(targets, np.full(PLACES + len(REST), np.nan)), quality, cost, tuple(c.option for c in chosen))


def hull(train: Grid, test: Grid) -> Contender:
    """Mixtures of any two fixed arms."""
    return Contender("hull", "fixed", {"all": rungs_of(train, train)}, {"all": rungs_of(train, test)})


def with_fixed(options: tuple[dict[str, Rolled], dict[str, Rolled]], train: Grid, test: Grid, by: str) -> tuple[Mapping[str, Rolled], ...]:
    """Add to every option the fixed arms that are its special cases: a model's own arms, or the arms of a shared setting.

    Args:
        options: Ladders on both splits, by model or by setting.
        train: Fixed arms on the training split; rungs are ordered by their mean cost there.
        test: On the test split.
        by: `model` or `setting`.
    """
    groups = settings_of(train.arms) if by == "setting" else _by_model(train)
    found: tuple[dict[str, Rolled], dict[str, Rolled]] = ({}, {})
    for name, columns in groups.items():
        own = [rungs_of(train.columns(columns), grid.columns(columns)) for grid in (train, test)]
        parts = [[side[name]] if name in side else [] for side in options]
        joined = [_stacked([*part, one]) for part, one in zip(parts, own, strict=True)]
        order = np.argsort(joined[0].cost_usd.mean(axis=1), kind="stable")
        for side, rolled in zip(found, joined, strict=True):
            side[name] = Rolled(rolled.quality[order], rolled.cost_usd[order])
    return found


def _by_model(grid: Grid) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for j, arm in enumerate(grid.arms):
        groups.setdefault(arm.source.base, []).append(j)
    return groups


def _stacked(parts: Sequence[Rolled]) -> Rolled:
    return Rolled(np.concatenate([p.quality for p in parts]), np.concatenate([p.cost_usd for p in parts]))


def rungs_of(train: Grid, grid: Grid) -> Rolled:
    """Fixed arms as rungs, cheapest in training first."""
    order = np.argsort(train.cost_usd.mean(axis=0), kind="stable")
    return Rolled(grid.quality[:, order].T, grid.cost_usd[:, order].T)


def serious_models(train: Grid, most: int) -> list[str]:
    """Models worth serving alone: those of the most training frontiers' points when the models before them are taken away.

    A model that is alone on nobody's frontier costs a ladder and is never chosen; the first `most` are kept.
    """
    own = _by_model(train)
    left, found = list(own), list[str]()
    while left and len(found) < most:
        columns = [j for name in left for j in own[name]]
        edge = frontier(train.cost_usd[:, columns].mean(axis=0), train.quality[:, columns].mean(axis=0)).point
        there = list(dict.fromkeys(train.arms[columns[int(p)]].source.base for p in reversed(edge)))
        found += there
        left = [name for name in left if name not in there]
    return found[:most]


def of_frontier(grid: Grid) -> Grid:
    """The arms of the models whose single sample, at some effort, is on the frontier of mean cost and quality."""
    single = [j for j, arm in enumerate(grid.arms) if arm.n == 1]
    edge = frontier(grid.cost_usd[:, single].mean(axis=0), grid.quality[:, single].mean(axis=0)).point
    names = {grid.arms[single[int(p)]].source.base for p in edge}
    return grid.columns([j for j, arm in enumerate(grid.arms) if arm.source.base in names])
