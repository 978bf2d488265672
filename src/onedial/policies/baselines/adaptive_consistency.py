"""Adaptive-Consistency: stop when the leading answer would beat the second one, or all others, with high posterior probability.

Published with a threshold of .95; others are tried too. Beating the second one is the Beta criterion, and the one that
its_hub 1.2.0 calls `BetaSelfConsistency` (asking for all samples at once, and cancelling what has not come when it stops);
beating all others is the Dirichlet criterion, which the authors found to behave alike.

Source: Aggarwal 2305.11860.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import betainc

from onedial.core.outcome import Floats, Ints
from onedial.policies.baselines.stopping import AfterEach, Flags, stop_recipe
from onedial.policies.baselines.votes import p_largest, tally

THRESHOLDS = (0.95, 0.7, 0.8, 0.9, 0.99)


def beta_tail(first: Ints, second: Ints) -> Floats:
    """P(Beta(first + 1, second + 1) > 1/2).

    >>> round(float(beta_tail(np.array(4), np.array(0))), 5)
    0.96875
    """
    return np.asarray(betainc(second + 1.0, first + 1.0, 0.5))


@lru_cache(maxsize=65536)
def dirichlet_tail(counts: tuple[int, ...]) -> float:
    """P(the first answer has the largest mass) under a Dirichlet of the counts plus one; a lone answer stands against one of no votes.

    >>> round(dirichlet_tail((4,)), 3) == round(dirichlet_tail((4, 0)), 3) == 0.969
    True
    """
    if not counts:
        return 0.0
    return p_largest(counts[0] + 1.0, tuple(c + 1.0 for c in counts[1:]) or (1.0,))


@dataclass(frozen=True, slots=True)
class BetaRule(AfterEach):
    """Look after every sample; samples without an answer do not vote.

    Attributes:
        threshold: Posterior probability at which to stop.
    """

    threshold: float = 0.95

    def enough(self, answer: Ints) -> Flags:
        """Whether the leader is safe."""
        votes = tally(answer)
        second = votes[:, 1] if votes.shape[1] > 1 else np.zeros(len(votes), dtype=np.int64)
        return beta_tail(votes[:, 0], second) >= self.threshold


@dataclass(frozen=True, slots=True)
class DirichletRule(AfterEach):
    """As `BetaRule`, against all other answers.

    Attributes:
        threshold: Posterior probability at which to stop.
    """

    threshold: float = 0.95

    def enough(self, answer: Ints) -> Flags:
        """Whether the leader is safe."""
        rows = [tuple(int(c) for c in row if c > 0) for row in tally(answer)]
        return np.array([dirichlet_tail(row) >= self.threshold for row in rows])


ADAPTIVE_CONSISTENCY = stop_recipe("adaptive-consistency", "Aggarwal 2305.11860", tuple(map(BetaRule, THRESHOLDS)))
