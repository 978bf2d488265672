"""The value of looking first: a small block, then the best of stopping and of one more block of any source.

A rule that only values blocks as if one stopped after them never takes a cheap
first look before a dear model, which is what a cascade is. Two steps see it. What
the second block brings is valued as if it were the first of its source, at what the
look taught about the state of the query. Its votes are not pooled with those there
are, which values it too low; that its source has failed before is not held against
it beyond the state, which values more of the same too high.

Source: THEORY.md section 1, "a short lookahead".
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onedial.core.outcome import Floats
from onedial.policies.assessor import Assessment
from onedial.policies.blocks import LOOKS

Flags = npt.NDArray[np.bool_]


def look_first(now: Assessment, worth: float, allowed: Flags, same_model: Flags) -> Floats:
    """Expected net value of a first look, in USD, (S, len(LOOKS)); comparable with worth x quality - cost.

    Args:
        now: The query at this moment.
        worth: USD per unit of probability of being right.
        allowed: (S, blocks) what may follow.
        same_model: (S, S) whether two sources are efforts of one model, whose prompt is then cached.
    """
    follow_cost = np.where(same_model[:, :, None], now.cached_usd[None], now.cost_usd[None])
    follow_cost = np.where(allowed[None], follow_cost, np.inf)
    return np.stack([_value(now, i, worth, follow_cost) for i in range(len(LOOKS))], axis=1) - now.cost_usd[:, : len(LOOKS)]


def _value(now: Assessment, i: int, worth: float, follow_cost: Floats) -> Floats:
    vote, look = now.later[0], now.outlooks.looks[i]
    flat = follow_cost.reshape(len(follow_cost), 1, -1)
    then = np.maximum(look.nodes @ vote.reshape(-1, vote.shape[2]).T, look.quality[..., None])
    unchecked = np.maximum(worth * look.quality, (worth * then - flat).max(axis=2))
    total: Floats = (look.p * unchecked).sum(axis=1)
    if now.p_check > 0:
        total = (1.0 - now.p_check) * total + now.p_check * _checked(now, i, worth, flat[:, 0])
    return total


def _checked(now: Assessment, i: int, worth: float, follow_cost: Floats) -> Floats:
    """The same where the verifier says whether the right answer has been seen."""
    cover = now.later[1]
    seen = now.outlooks.cover[:, i]
    retry = now.outlooks.looks[i].missed @ cover.reshape(-1, cover.shape[2]).T
    return np.asarray(seen * worth + (1.0 - seen) * np.maximum(0.0, (worth * retry - follow_cost).max(axis=1)))
