"""Two-parameter item response theory with a free ability per configuration: the rival of structured curves.

Source: RADAR 2509.25426, with the item parameters free where its own are linear in an embedding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from onedial.core.outcome import Floats

_STEPS = 60


@dataclass(frozen=True, slots=True)
class Items:
    """Fitted items and configurations: P(right) = expit(a (theta - b)).

    Attributes:
        discrimination: (n,) a, positive.
        difficulty: (n,) b.
        ability: (C,) theta; NaN for configurations without results.
    """

    discrimination: Floats
    difficulty: Floats
    ability: Floats

    def at(self, ability: float) -> Floats:
        """(n,) success of a configuration of this ability."""
        return np.asarray(expit(self.discrimination * (ability - self.difficulty)))


def fit_items(rate: Floats, draws: Floats) -> Items:
    """Fit by penalised likelihood: log a and b standard normal, theta normal with deviation 2.

    Args:
        rate: (n, C) mean score; anything where there is none.
        draws: (n, C) graded samples.
    """
    n = len(rate)
    seen = (draws > 0).astype(float)
    target = np.where(draws > 0, rate, 0.0)

    def loss(flat: Floats) -> tuple[float, Floats]:
        log_a, b, theta = flat[:n], flat[n : 2 * n], flat[2 * n :]
        a, gap = np.exp(log_a)[:, None], theta[None, :] - b[:, None]
        z = a * gap
        cost = -(seen * (target * z - np.logaddexp(0.0, z))).sum() + 0.5 * (log_a**2 / 0.25 + b**2).sum() + (theta**2).sum() / 8
        pull = seen * (expit(z) - target)
        grads = ((pull * z).sum(axis=1) + log_a / 0.25, -(pull * a).sum(axis=1) + b, (pull * a).sum(axis=0) + theta / 4)
        return float(cost), np.concatenate(grads)

    column = target.sum(axis=0) / np.maximum(seen.sum(axis=0), 1.0)
    start = np.concatenate((np.zeros(2 * n), logit(np.clip(column, 0.02, 0.98))))
    found = np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x)
    return Items(np.exp(found[:n]), found[n : 2 * n], np.where(seen.any(axis=0), found[2 * n :], np.nan))
