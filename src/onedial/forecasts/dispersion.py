"""How uneven success is: concentration, hopeless share and shared residual difficulty, by likelihood on a grid.

The mean, and the chance of being beyond every source, are forecast elsewhere; here
they are given, and have not seen the outcomes that are counted. Grids are coarse on purpose: few parameters, strongly held.

Source: THEORY.md section 2 (repeats identify dispersion; three per query identify all).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from onedial.core.outcome import Floats
from onedial.forecasts.latents import at_nodes, log_run

SIGMAS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
KAPPAS = (0.3, 0.7, 1.5, 3.0, 8.0, 30.0, 200.0)
PI0S = (0.0, 0.05, 0.15, 0.3)
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
    log_weights = np.log(np.maximum(weights, 1e-12))
    grid = [(kappa, pi0) for kappa in KAPPAS for pi0 in PI0S]
    runs = np.stack([_runs(nodes, right, draws, kappa, pi0) for kappa, pi0 in grid])
    alone = logsumexp(runs + log_weights[:, None], axis=3).sum(axis=1)
    alone -= _PRIOR_PI0 * np.array([pi0 for _, pi0 in grid])[:, None]
    best = alone.argmax(axis=0)
    joint = runs[best, :, np.arange(mu.shape[1])].sum(axis=0)
    likelihood = float(logsumexp(joint + log_weights, axis=1).sum())
    return Dispersion(np.array([grid[g][0] for g in best]), np.array([grid[g][1] for g in best]), sigma, likelihood)


def _runs(nodes: Floats, right: Floats, draws: Floats, kappa: float, pi0: float) -> Floats:
    """(n, S, nodes) log probability of what was observed; solvable queries keep the mean where some are hopeless."""
    mean = np.minimum(nodes / (1.0 - pi0), 1.0 - 1e-6)
    return log_run(right[..., None], draws[..., None], mean, np.array(kappa), np.array(pi0))


def state_chances(mu: Floats, right: Floats, draws: Floats, beyond: Floats, guess: Floats, spread: Dispersion) -> Floats:
    """(n, states) chance of each state of `at_nodes` given what was observed of each query; arguments as in `fit_dispersion`."""
    nodes, weights = at_nodes(mu, spread.sigma, beyond, guess)
    mean = np.minimum(nodes / (1.0 - spread.pi0[:, None]), 1.0 - 1e-6)
    runs = log_run(right[..., None], draws[..., None], mean, spread.kappa[:, None], spread.pi0[:, None])
    log = runs.sum(axis=1) + np.log(np.maximum(weights, 1e-12))
    return np.asarray(np.exp(log - logsumexp(log, axis=1, keepdims=True)))
