"""Linear regression with blocks of coefficients, each block held to zero as firmly as the data ask for.

A block is a group of columns that share one prior variance: the intercepts of all
models, the slopes of all models, the effects of all labels. The variances maximise the
marginal likelihood (empirical Bayes), so that what varies between models is learned from all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from onedial.core.outcome import Floats, Ints

_LOG_SD = (-1.5, 1.5)  # prior of the log standard deviation of a block: mean and standard deviation
_BOUNDS = (-6.0, 2.5)
_STEPS = 60
_WIDE = 25.0


@dataclass(frozen=True, slots=True)
class Pooled:
    """A fitted regression.

    Attributes:
        coefficients: (k,) posterior mean.
        covariance: (k, k) posterior covariance.
        variances: (blocks + 1,) prior variance of each block, the residual's last.
        log_likelihood: Marginal, natural log, the prior of the variances included.
    """

    coefficients: Floats
    covariance: Floats
    variances: Floats
    log_likelihood: float

    def at(self, design: Floats) -> Floats:
        """Predict rows of a design, (n, k) to (n,)."""
        return np.asarray(design @ self.coefficients)

    def sd(self, design: Floats) -> Floats:
        """Standard deviation of those predictions, (n,), the residual of a new row included."""
        spread = np.einsum("nk,kl,nl->n", design, self.covariance, design)
        return np.asarray(np.sqrt(np.maximum(spread, 0.0) + self.variances[-1]))


def fit_pooled(blocks: Sequence[Floats], values: Floats, noise: Floats, start: Floats | None = None) -> Pooled:
    """Fit by empirical Bayes; the first block is left free.

    Args:
        blocks: Each (n, width), the columns of one block; a block of zeros costs nothing.
        values: (n,) what is explained.
        noise: (n,) known variance of each value.
        start: (blocks,) variances of a similar fit, where the search begins.
    """
    from scipy.optimize import minimize

    design = np.concatenate(blocks, axis=1)
    member = np.repeat(np.arange(len(blocks)), [b.shape[1] for b in blocks])
    kernels = [b @ b.T for b in blocks[1:]] + [np.eye(len(values))]
    fixed = _WIDE * blocks[0] @ blocks[0].T + np.diag(np.maximum(noise, 1e-8))

    def loss(log_sd: Floats) -> tuple[float, Floats]:
        total = fixed + sum(np.exp(2 * s) * k for s, k in zip(log_sd, kernels, strict=True))
        factor = cho_factor(total, lower=True)
        solved, inverse = cho_solve(factor, values), cho_solve(factor, np.eye(len(values)))
        away = (log_sd - _LOG_SD[0]) / _LOG_SD[1]
        cost = 0.5 * values @ solved + np.log(np.diag(factor[0])).sum() + 0.5 * away @ away
        slopes = [np.exp(2 * s) * ((inverse * k).sum() - solved @ k @ solved) for s, k in zip(log_sd, kernels, strict=True)]
        return float(cost), np.array(slopes) + away / _LOG_SD[1]

    begin = np.full(len(kernels), _LOG_SD[0]) if start is None else np.clip(0.5 * np.log(start), *_BOUNDS)
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=[_BOUNDS] * len(kernels), options={"maxiter": _STEPS})
    variances = np.concatenate(([_WIDE], np.exp(2 * np.asarray(found.x))))
    return Pooled(*_posterior(design, member, values, noise, variances), variances[1:], -float(found.fun))


def _posterior(design: Floats, member: Ints, values: Floats, noise: Floats, variances: Floats) -> tuple[Floats, Floats]:
    prior = variances[member]
    spread = (design * prior) @ design.T + np.diag(np.maximum(noise, 1e-8) + variances[-1])
    factor = cho_factor(spread, lower=True)
    gain = prior[:, None] * design.T
    mean = gain @ cho_solve(factor, values)
    return np.asarray(mean), np.asarray(np.diag(prior) - gain @ cho_solve(factor, gain.T))
