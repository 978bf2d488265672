"""Best-of-infinity: stop when the Bayes factor for "the leading answer is the true mode" is large.

The posterior over answer masses is a Dirichlet of the counts plus one, with one
more bin of count .3 for answers not seen. The published code draws from it; here
the chance that the leader's mass is the largest is integrated, so that the rule
is the same whenever it is asked.

Source: Komiyama 2509.21091, algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from onedial.core.outcome import Ints
from onedial.policies.baselines.stopping import AfterEach, Flags, stop_recipe
from onedial.policies.baselines.votes import p_largest, tally

UNSEEN = 0.3
FACTORS = (10.0, 3.0, 6.0, 30.0, 100.0, 1000.0)


@lru_cache(maxsize=65536)
def p_mode(counts: tuple[int, ...]) -> float:
    """P(the first bin's mass is the largest) under a Dirichlet of the counts plus one and of the unseen bin.

    >>> round(p_mode(()), 3)
    0.0
    """
    if not counts:
        return 0.0
    return p_largest(counts[0] + 1.0, tuple(shape + 1.0 for shape in (*counts[1:], UNSEEN)))


def bayes_factor(counts: tuple[int, ...]) -> float:
    """Posterior odds of the leader over its prior odds, one in as many as there are bins."""
    p = min(p_mode(counts), 1.0 - 1e-12)
    return (len(counts) + 1) * p / (1.0 - p)


@dataclass(frozen=True, slots=True)
class BayesFactorRule(AfterEach):
    """Look after every sample.

    Attributes:
        factor: At which to stop.
    """

    factor: float = 10.0

    def enough(self, answer: Ints) -> Flags:
        """Whether the factor is reached."""
        rows, back = np.unique(tally(answer), axis=0, return_inverse=True)
        factors = np.array([bayes_factor(tuple(int(c) for c in row if c > 0)) for row in rows])
        return np.asarray(factors[back.ravel()] >= self.factor)


BEST_OF_INFINITY = stop_recipe("best-of-infinity", "Komiyama 2509.21091", tuple(map(BayesFactorRule, FACTORS)))
