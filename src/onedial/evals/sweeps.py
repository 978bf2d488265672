"""Sweeps of per-query policies: chosen on the training split, shown on the test split.

An option is one ladder of policies (a menu at rising worths) rolled out on both
splits. Joint has one option; compute-only one per model; model-only one per shared
setting. At every target the option and the mixture of rungs that is cheapest in
training is shown, whatever it then does on the test split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onedial.core.arm import Arm
from onedial.core.outcome import Floats, Ints
from onedial.evals.selection import Sweep
from onedial.metrics.hull import Mixture, mix, mixture_for_quality
from onedial.policies.grid import Grid


@dataclass(frozen=True, slots=True)
class Rolled:
    """Policies at rising worths on one split; both (n_rungs, n_queries)."""

    quality: Floats
    cost_usd: Floats


@dataclass(frozen=True, slots=True)
class Chosen:
    """What training chose at one target: the option and its mixture of rungs."""

    option: str
    mixture: Mixture
    cost_usd: float


def choose(options: Mapping[str, Rolled], target: float) -> Chosen | None:
    """The option and mixture that meet the target at the least training cost; None if none meets it."""
    found = []
    for name, rolled in options.items():
        cost, quality = rolled.cost_usd.mean(axis=1), rolled.quality.mean(axis=1)
        mixture = mixture_for_quality(cost, quality, target)
        if mixture is not None:
            found.append(Chosen(name, mixture, float((1 - mixture.p_high) * cost[mixture.low] + mixture.p_high * cost[mixture.high])))
    return min(found, key=lambda c: c.cost_usd, default=None)


def policy_sweep(name: str, train: Mapping[str, Rolled], test: Mapping[str, Rolled], targets: npt.ArrayLike) -> Sweep:
    """Choose per target in training and show it on the test split; targets that training cannot meet are left out.

    What comes last is the rest of the dial: the rungs from the best one in training
    up to the most lavish, of the option that is best in training.
    """
    found = [(float(t), choose(train, float(t))) for t in np.asarray(targets, dtype=float)]
    able = [(t, c) for t, c in found if c is not None]
    top = max(train, key=lambda option: train[option].quality.mean(axis=1).max())
    reached = train[top].quality.mean(axis=1)
    best = int(reached.argmax())
    able += [(float(reached[best]), Chosen(top, Mixture(rung, rung, 0.0), 0.0)) for rung in range(best, len(reached))]
    return Sweep(
        name,
        np.array([t for t, _ in able]),
        np.stack([mix(test[c.option].quality.T, c.mixture) for _, c in able]),
        np.stack([mix(test[c.option].cost_usd.T, c.mixture) for _, c in able]),
        tuple(c.option for _, c in able),
    )


def routed(grid: Grid, forecast: Floats, forecast_cost: Floats, columns: Sequence[int], worths: Floats) -> Rolled:
    """Route every query to one of some arms by forecast net worth, once, at each worth.

    Args:
        grid: What the arms reach and cost.
        forecast: (n_queries, n_arms) forecast quality.
        forecast_cost: (n_queries, n_arms) forecast cost.
        columns: Arms to choose among.
        worths: (n_rungs,) USD per unit of quality.
    """
    rows, allowed = np.arange(grid.quality.shape[0]), np.asarray(columns, dtype=np.int64)
    picks: list[Ints] = [allowed[(w * forecast[:, allowed] - forecast_cost[:, allowed]).argmax(axis=1)] for w in worths]
    return Rolled(np.stack([grid.quality[rows, p] for p in picks]), np.stack([grid.cost_usd[rows, p] for p in picks]))


def settings_of(arms: Sequence[Arm]) -> dict[str, list[int]]:
    """Group arms that differ in their model alone: the shared settings of a model-only policy.

    A strategy run over a model is part of the setting: `small+revise3/think=2` is `+revise3/think=2` of `small`.
    """
    groups: dict[str, list[int]] = {}
    for j, arm in enumerate(arms):
        setting = str(arm).removeprefix(arm.source.base).lstrip("/") or "direct"  # a model's own name may have slashes
        groups.setdefault(setting, []).append(j)
    return groups
