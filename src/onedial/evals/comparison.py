"""Costs at equal achieved quality, with paired intervals, and whether each promise was kept.

Everything is computed on the test split from sweeps whose choices were made on the training split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from onedial.core.outcome import Floats
from onedial.evals.selection import Sweep
from onedial.metrics.bootstrap import Interval, percentile_interval, resample_weights
from onedial.metrics.frontier import costs_at_quality
from onedial.metrics.regret import gap_closed


@dataclass(frozen=True, slots=True)
class Matched:
    """One policy at the quality that the best fixed arm for a target reaches on the test split.

    Attributes:
        target: The target, in the units asked for.
        level: The matched quality.
        policy: Name of the sweep.
        cost_usd: Mean cost per query there; NaN estimate if it is not reached.
        over_fixed: That cost over the best fixed arm's.
        lead_over: The leading policy's cost (`joint`) over this one's: below 1 the lead is cheaper, 0 where only the lead gets there.
        gap_closed: Share of the best fixed arm's distance to hindsight, the bound that nothing passes; NaN without it.
    """

    target: float
    level: float
    policy: str
    cost_usd: Interval
    over_fixed: Interval
    lead_over: Interval
    gap_closed: float


def matched_quality(
    fixed: Sweep, policies: Sequence[Sweep], rng: np.random.Generator, *, lead: str = "joint", n_resamples: int = 2000
) -> tuple[Matched, ...]:
    """Compare costs at each target of `fixed`, resampling the test queries jointly for all.

    The level to match is what the fixed arm itself reaches, in every resample anew,
    so that the fixed arm is one arm and not a mixture. Every other policy is read
    off the frontier of its own sweep.

    Args:
        fixed: The best fixed arms, one per target.
        policies: Sweeps over the same queries, `lead` among them.
        rng: Source of the resamples.
        lead: Name of the policy that is compared with each of the others.
        n_resamples: How many.

    Returns:
        Rows by target, then `fixed` and the policies in the order given.
    """
    weights = np.vstack((np.full(fixed.quality.shape[1], 1.0 / fixed.quality.shape[1]), _resamples(fixed, rng, n_resamples)))
    level, fixed_cost = weights @ fixed.quality.T, weights @ fixed.cost_usd.T
    costs = {fixed.name: fixed_cost} | {p.name: _costs_at(p, weights, level) for p in policies}
    return tuple(
        _row(float(target), float(level[0, t]), name, {k: v[:, t] for k, v in costs.items()}, fixed.name, lead)
        for t, target in enumerate(fixed.targets)
        for name in costs
    )


def _resamples(fixed: Sweep, rng: np.random.Generator, n_resamples: int) -> Floats:
    return resample_weights(fixed.quality.shape[1], n_resamples, rng)


def _costs_at(policy: Sweep, weights: Floats, level: Floats) -> Floats:
    """Cost of a policy at each (resample, target) level, of the shape of `level`; NaN where it is not reached."""
    quality, cost = weights @ policy.quality.T, weights @ policy.cost_usd.T
    return costs_at_quality(cost, quality, level)


def _row(target: float, level: float, name: str, costs: dict[str, Floats], fixed: str, lead: str) -> Matched:
    """Row 0 of every vector is the estimate, the rest are resamples."""
    own, nothing = costs[name], np.full(costs[name].shape, np.nan)
    bound = float(costs["hindsight"][0]) if "hindsight" in costs else float("nan")

    def interval(values: Floats) -> Interval:
        return percentile_interval(float(values[0]), values[1:])

    return Matched(
        target=target,
        level=level,
        policy=name,
        cost_usd=interval(own),
        over_fixed=interval(own / costs[fixed]),
        lead_over=ratio_interval(costs.get(lead, nothing), own),
        gap_closed=gap_closed(float(costs[fixed][0]), float(own[0]), bound),
    )


def ratio_interval(cost: Floats, rival: Floats) -> Interval:
    """Divide two costs, estimate first and then resamples, NaN where the quality is not reached.

    Where the rival alone does not reach it the ratio is 0, where the other alone
    does not, infinite. Where neither does, nothing is known: the lower end takes the resample for 0, the upper for infinity.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(np.isnan(rival) & np.isfinite(cost), 0.0, np.where(np.isnan(cost) & np.isfinite(rival), np.inf, cost / rival))
    resampled = ratio[1:]
    high = percentile_interval(float(ratio[0]), resampled)
    low = percentile_interval(float(ratio[0]), np.where(np.isnan(resampled), 0.0, resampled)).low
    return high._replace(low=low)


@dataclass(frozen=True, slots=True)
class Kept:
    """What was promised at a target, and what the test split says.

    Attributes:
        target: Mean quality promised.
        quality: Mean quality reached.
        cost_usd: Mean cost per query.
        verdict: `kept`; `within noise` if the interval reaches the target though the mean does not; `missed`.
    """

    target: float
    quality: Interval
    cost_usd: Interval
    verdict: Literal["kept", "within noise", "missed"]


def kept_promises(policy: Sweep, rng: np.random.Generator, n_resamples: int = 2000) -> tuple[Kept, ...]:
    """Set the quality reached against the quality promised, per target of the policy."""
    weights = _resamples(policy, rng, n_resamples)
    rows = []
    for target, quality, cost in zip(policy.targets, policy.quality, policy.cost_usd, strict=True):
        reached = percentile_interval(float(quality.mean()), weights @ quality)
        spent = percentile_interval(float(cost.mean()), weights @ cost)
        verdict: Literal["kept", "within noise", "missed"] = "kept" if reached.estimate >= target else "missed"
        if verdict == "missed" and reached.high >= target:
            verdict = "within noise"
        rows.append(Kept(float(target), reached, spent, verdict))
    return tuple(rows)
