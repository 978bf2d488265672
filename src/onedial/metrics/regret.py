"""How far from the best possible: the oracle without hindsight, regret in USD, and the share of the gap closed.

An oracle that picks and scores on the same noisy samples wins by luck. Here it
picks on one half of the samples and is scored on the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from onedial.core.outcome import Floats, Ints

TIE = 1e-9


class Picked(NamedTuple):
    """Per-query results of a choice: arm index, quality and cost, each (n_queries,)."""

    arm: Ints
    quality: Floats
    cost: Floats


def cheapest_best(quality: Floats, cost: Floats) -> Ints:
    """Per query, the cheapest arm among those of the best quality.

    Args:
        quality: (n_queries, n_arms) in [0, 1]; NaN where an arm is not available.
        cost: Same shape.

    >>> cheapest_best(np.array([[0.5, 1.0, 1.0]]), np.array([[1.0, 3.0, 2.0]])).tolist()
    [2]
    """
    known = np.where(np.isfinite(quality), quality, -np.inf)
    best = known >= known.max(axis=1, keepdims=True) - TIE
    return np.asarray(np.where(best, cost, np.inf).argmin(axis=1), dtype=np.int64)


def best_net(quality: Floats, cost: Floats, worth: float) -> Ints:
    """Per query, the arm of the largest worth x quality - cost; an infinite worth gives `cheapest_best`."""
    if np.isinf(worth):
        return cheapest_best(quality, cost)
    net = np.where(np.isfinite(quality), worth * quality - cost, -np.inf)
    return np.asarray(net.argmax(axis=1), dtype=np.int64)


def half_sample_oracle(
    quality_a: Floats, cost_a: Floats, quality_b: Floats, cost_b: Floats, worth: float = float("inf")
) -> tuple[Picked, Picked]:
    """Choose on one half of the samples and score on the other, both ways round.

    Args:
        quality_a: (n_queries, n_arms) from the first half of each query's samples.
        cost_a: Same shape.
        quality_b: From the second half.
        cost_b: Same shape.
        worth: USD per unit of quality; infinite is the definition (best quality, then cheapest),
            finite values trace the oracle's frontier.

    Returns:
        (chosen on a, scored on b), (chosen on b, scored on a); average the two.

    Source: THEORY.md section 5, "oracle".
    """
    rows = np.arange(quality_a.shape[0])
    first, second = best_net(quality_a, cost_a, worth), best_net(quality_b, cost_b, worth)
    return (
        Picked(first, quality_b[rows, first], cost_b[rows, first]),
        Picked(second, quality_a[rows, second], cost_a[rows, second]),
    )


def gap_closed(fixed_cost: float, policy_cost: float, oracle_cost: float) -> float:
    """Share of the saving that an oracle would make over the best fixed arm, all three at matched quality.

    Returns:
        1 at the oracle, 0 at the fixed arm, negative if dearer; NaN if the oracle saves nothing.

    >>> gap_closed(4.0, 3.0, 2.0)
    0.5
    """
    saving = fixed_cost - oracle_cost
    return (fixed_cost - policy_cost) / saving if saving > 0 else float("nan")


def regret_usd(quality: Floats, cost: Floats, rival_quality: Floats, rival_cost: Floats, worth: float) -> float:
    """Mean net value given up against a rival, in USD per query at `worth` USD per unit of quality.

    Args:
        quality: (n_queries,) of the policy.
        cost: (n_queries,) in USD.
        rival_quality: (n_queries,) of the rival: best fixed arm, best per data set, or oracle.
        rival_cost: (n_queries,) in USD.
        worth: USD per unit of quality.
    """
    return float(np.mean(worth * (rival_quality - quality) - (rival_cost - cost)))


def best_fixed_by_group(quality: Floats, cost: Floats, groups: Ints, worth: float) -> Ints:
    """Per query, the fixed arm of the largest mean net value within the query's group (its data set).

    Args:
        quality: (n_queries, n_arms).
        cost: Same shape.
        groups: (n_queries,) group codes.
        worth: USD per unit of quality, finite.
    """
    net = np.where(np.isfinite(quality), worth * quality - cost, -np.inf)
    chosen = np.zeros(groups.shape, dtype=np.int64)
    for group in np.unique(groups):
        chosen[groups == group] = int(net[groups == group].mean(axis=0).argmax())
    return chosen
