"""Fit by gradient: L-BFGS, and the strength of a penalty by the loss on a held-out quarter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import minimize

from onedial.core.outcome import Floats, Ints

STEPS = 60
HELD = 4

Loss = Callable[[Floats], tuple[float, Floats]]


def minimised(loss: Loss, start: Floats, steps: int = STEPS) -> Floats:
    """The parameters that L-BFGS reaches in at most so many steps; `loss` returns a value and its gradient."""
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": steps})
    return np.asarray(found.x)


def best_strength(n: int, seed: int, strengths: Sequence[float], held_loss: Callable[[float, Ints, Ints], float]) -> float:
    """The strength of the least loss on a random quarter of the rows.

    Args:
        n: Rows.
        seed: Of the split.
        strengths: To try, the firmest first; the firmer of equals.
        held_loss: From a strength, the rows to fit and the rows held out.
    """
    order = np.random.default_rng([seed, n]).permutation(n)
    held, fitted = order[: n // HELD], order[n // HELD :]
    return strengths[int(np.argmin([held_loss(strength, fitted, held) for strength in strengths]))]


def cross_entropy(p: Floats, y: Floats) -> float:
    """Mean of -y log p - (1 - y) log(1 - p), with p held off 0 and 1."""
    p = np.clip(p, 1e-6, 1.0 - 1e-6)
    return float(-(y * np.log(p) + (1.0 - y) * np.log(1.0 - p)).mean())
