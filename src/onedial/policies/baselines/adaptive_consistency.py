"""Adaptive-Consistency: stop when the leading answer would beat the second one with high posterior probability.

Published with a threshold of .95; others are tried too.

Source: Aggarwal 2305.11860, the Beta criterion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc

from onedial.core.outcome import Floats, Ints
from onedial.policies.baselines.stopping import Flags, stop_recipe
from onedial.policies.baselines.votes import tally

THRESHOLDS = (0.95, 0.7, 0.8, 0.9, 0.99)


def beta_tail(first: Ints, second: Ints) -> Floats:
    """P(Beta(first + 1, second + 1) > 1/2).

    >>> round(float(beta_tail(np.array(4), np.array(0))), 5)
    0.96875
    """
    return np.asarray(betainc(second + 1.0, first + 1.0, 0.5))


@dataclass(frozen=True, slots=True)
class BetaRule:
    """Look after every sample; samples without an answer do not vote.

    Attributes:
        threshold: Posterior probability at which to stop.
    """

    threshold: float = 0.95

    def checks(self, cap: int) -> tuple[int, ...]:
        """After each."""
        return tuple(range(1, cap + 1))

    def enough(self, answer: Ints) -> Flags:
        """Whether the leader is safe."""
        votes = tally(answer)
        second = votes[:, 1] if votes.shape[1] > 1 else np.zeros(len(votes), dtype=np.int64)
        return beta_tail(votes[:, 0], second) >= self.threshold


ADAPTIVE_CONSISTENCY = stop_recipe("adaptive-consistency", "Aggarwal 2305.11860", tuple(map(BetaRule, THRESHOLDS)))
