"""How uneven success is: concentration, hopeless share and shared residual difficulty, by likelihood on a grid.

The mean, and the chance of being beyond every source, are forecast elsewhere; here
they are given, and have not seen the outcomes that are counted. Grids are coarse on purpose: few parameters, strongly held.

Source: THEORY.md section 2 (repeats identify dispersion; three per query identify all).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from onedial.core.outcome import Floats
from onedial.forecasts.latents import at_nodes, log_run

SIGMAS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
KAPPAS = (0.3, 0.7, 1.5, 3.0, 8.0, 30.0, 200.0)
PI0S = (0.0, 0.05, 0.15, 0.3)
_LEAST = 1e-300
_FEW_DRAWS = 40  # Products of more factors may leave the range of floats.
_PRIOR_PI0 = 2.0  # Queries' worth of evidence against a hopeless share.


@dataclass(frozen=True, slots=True)
class Dispersion:
    """Fitted spread: `kappa` and `pi0` per source, (S,), and `sigma` in logits (see `Latents`), with the log likelihood, natural log."""

    kappa: Floats
    pi0: Floats
    sigma: float
    log_likelihood: float


def fit_dispersion(mu: Floats, right: Floats, draws: Floats, beyond: Floats, guess: Floats) -> Dispersion:
    """Choose the most likely spread.

    Args:
        mu: (n, S) forecast success over all states of a query and hopeless ones, not fitted on these outcomes.
        right: (n, S) right samples.
        draws: (n, S) graded samples; zero where there are none.
        beyond: (n,) forecast chance that a query is beyond every source, not fitted on these outcomes either.
        guess: (S,) success on such queries.
    """
    return max((_given_sigma(mu, right, draws, beyond, guess, sigma) for sigma in SIGMAS), key=lambda found: found.log_likelihood)


def _given_sigma(mu: Floats, right: Floats, draws: Floats, beyond: Floats, guess: Floats, sigma: float) -> Dispersion:
    nodes, weights = at_nodes(mu, sigma, beyond, guess)
    grid = [(kappa, pi0) for kappa in KAPPAS for pi0 in PI0S]
    chance = _chance_of_runs(right, draws)

    def alone(kappa: float, pi0: float) -> Floats:
        told = np.matmul(chance(nodes, kappa, pi0), weights[:, :, None])[..., 0]
        return np.asarray(np.log(np.maximum(told, _LEAST)).sum(axis=0) - _PRIOR_PI0 * pi0)

    best = np.stack([alone(*point) for point in grid]).argmax(axis=0)
    joint = np.zeros(nodes.shape[:1] + nodes.shape[2:])
    for g in np.unique(best):
        joint += np.log(np.maximum(chance(nodes, *grid[g])[:, best == g], _LEAST)).sum(axis=1)
    likelihood = float(logsumexp(joint + np.log(np.maximum(weights, 1e-12)), axis=1).sum())
    return Dispersion(np.array([grid[g][0] for g in best]), np.array([grid[g][1] for g in best]), sigma, likelihood)


def _chance_of_runs(right: Floats, draws: Floats) -> Callable[[Floats, float, float], Floats]:
    """(nodes, kappa, pi0) to the (n, S, nodes) chance of what was observed; solvable queries keep the mean where some are hopeless.

    Whole counts that are small need no logarithms, and most are.
    """
    most = int(draws.max(initial=0))
    if most > _FEW_DRAWS or (right != np.rint(right)).any():
        return lambda nodes, kappa, pi0: np.exp(
            log_run(right[..., None], draws[..., None], np.minimum(nodes / (1.0 - pi0), 1.0 - 1e-6), np.array(kappa), np.array(pi0))
        )
    r, w, none, counts = right[..., None], (draws - right)[..., None], (right == 0)[..., None], draws.astype(np.int64)

    def chance(nodes: Floats, kappa: float, pi0: float) -> Floats:
        alpha = np.minimum(nodes / (1.0 - pi0), 1.0 - 1e-6) * kappa
        beta, found = kappa - alpha, np.ones_like(alpha)
        for i in range(most):
            np.multiply(found, alpha + i, out=found, where=r > i)
            np.multiply(found, beta + i, out=found, where=w > i)
        whole = np.concatenate(([1.0], np.cumprod(kappa + np.arange(most))))[counts][..., None]
        return np.asarray(found * (1.0 - pi0) / whole + pi0 * none)

    return chance


def state_chances(mu: Floats, right: Floats, draws: Floats, beyond: Floats, guess: Floats, spread: Dispersion) -> Floats:
    """(n, states) chance of each state of `at_nodes` given what was observed of each query; arguments as in `fit_dispersion`."""
    nodes, weights = at_nodes(mu, spread.sigma, beyond, guess)
    mean = np.minimum(nodes / (1.0 - spread.pi0[:, None]), 1.0 - 1e-6)
    runs = log_run(right[..., None], draws[..., None], mean, spread.kappa[:, None], spread.pi0[:, None])
    log = runs.sum(axis=1) + np.log(np.maximum(weights, 1e-12))
    return np.asarray(np.exp(log - logsumexp(log, axis=1, keepdims=True)))
