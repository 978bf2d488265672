"""The latents of a query: what is forecast, and the formulas that turn them into the quality of any number of samples.

Per (query, model, effort) one sample is right with a probability that is zero with
chance `pi0`, else Beta(mu kappa, (1 - mu) kappa). Failures of different arms are
correlated in two ways: a residual difficulty, normal and shared by all sources of a
query, shifts every mu on the logit scale; and some queries are beyond the whole
pool, where every source only guesses. Two wrong samples agree with a chance that is itself
uncertain, Beta of mean `agree`: a query may be a trap into which all fall alike.

Source: THEORY.md section 2; Levi 2410.16377; Kazdan 2510.05197.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy.special import betaln, expit, logit

from onedial.core.arm import Source
from onedial.core.outcome import Floats, Ints
from onedial.forecasts.token_signal import TokenSignal

NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(3)
NODE_WEIGHTS: Floats = np.asarray(_WEIGHTS / _WEIGHTS.sum())
P_EDGE = 1e-3


@dataclass(frozen=True, slots=True)
class Echo:
    """How often two samples of different sources have the same text: both right, and both wrong."""

    right: float = 0.0
    wrong: float = 0.0


@dataclass(frozen=True, slots=True)
class Latents:
    """Forecast latents of some queries.

    Attributes:
        sources: Column order.
        mu: (n, S) mean success, in (0, 1), the chance of being beyond the pool included and `pi0` not.
        kappa: (S,) concentration of success, positive.
        pi0: (S,) chance that a source never solves the query, in [0, 1).
        sigma: Standard deviation of the shared residual difficulty, in logits.
        beyond: (n,) chance that the query is beyond every source, in [0, 1).
        guess: (S,) success of each source on such queries, in (0, 1).
        agree: (n,) mean chance that two wrong samples agree, in (0, 1).
        trap: How far that chance varies between queries that look alike: its variance over agree (1 - agree), in (0, 1).
        p_check: (n,) chance that the verifier has an opinion on the query.
        output_tokens: (n, S) expected tokens per sample, thinking included.
        input_tokens: (n, S) prompt tokens of one sending.
        signal: What the tokens of a sample say about it; None for nothing.
        free_form: Whether right answers differ from each other, so that every answer stands by itself.
        echo: In free form, how often two sources write the same.
    """

    sources: tuple[Source, ...]
    mu: Floats
    kappa: Floats
    pi0: Floats
    sigma: float
    beyond: Floats
    guess: Floats
    agree: Floats
    trap: float
    p_check: Floats
    output_tokens: Floats
    input_tokens: Floats
    signal: TokenSignal | None = None
    free_form: bool = False
    echo: Echo = Echo()

    def rows(self, index: Sequence[int] | Ints) -> Latents:
        """The latents of a subset of the queries."""
        per_query = {name: getattr(self, name)[index] for name in ("mu", "beyond", "agree", "p_check", "output_tokens", "input_tokens")}
        rest = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in per_query}
        return Latents(**rest, **per_query)

    def columns(self, index: Sequence[int] | Ints) -> Latents:
        """The latents of a subset of the sources."""
        keep = np.asarray(index, dtype=np.int64)
        return Latents(
            tuple(self.sources[j] for j in keep),
            self.mu[:, keep],
            self.kappa[keep],
            self.pi0[keep],
            self.sigma,
            self.beyond,
            self.guess[keep],
            self.agree,
            self.trap,
            self.p_check,
            self.output_tokens[:, keep],
            self.input_tokens[:, keep],
            self.signal.columns(keep) if self.signal else None,
            self.free_form,
            self.echo,
        )

    @property
    def success(self) -> Floats:
        """(n, S) chance that one sample is right."""
        return np.asarray((1.0 - self.pi0) * self.mu)


def at_nodes(mu: Floats, sigma: float, beyond: Floats, guess: Floats) -> tuple[Floats, Floats]:
    """Success under each state of the query as a whole: three residual difficulties, and "beyond every source".

    Args:
        mu: (n, S) mean success over all states.
        sigma: Of the residual difficulty, in logits.
        beyond: (n,) chance of the last state.
        guess: (S,) success in it.

    Returns:
        (n, S, 4) success and (n, 4) weights; where `mu` allows it, their product is `mu` again.

    Source: the probit approximation of a logistic-normal mean, MacKay 1992.
    """
    chance = np.minimum(guess, mu)
    within = np.clip((mu - beyond[:, None] * chance) / (1.0 - beyond[:, None]), P_EDGE, 1.0 - P_EDGE)
    centre = logit(within) * np.sqrt(1.0 + np.pi * sigma**2 / 8.0)
    success = np.concatenate((expit(centre[..., None] + sigma * NODES), np.maximum(chance, P_EDGE)[..., None]), axis=2)
    weights = np.column_stack(((1.0 - beyond)[:, None] * NODE_WEIGHTS, beyond))
    return np.asarray(success), weights


def concentrations(agree: float, trap: float) -> tuple[Floats, Floats]:
    """Two concentrations of wrong answers with their weights: the quadrature of a Beta-distributed chance of agreeing.

    A Chinese restaurant of concentration theta seats two guests together with chance 1 / (1 + theta).

    >>> theta, weight = concentrations(0.5, 0.2)
    >>> float(weight @ (1 / (1 + theta)))
    0.5
    """
    alpha, beta = agree * (1.0 / trap - 1.0), (1.0 - agree) * (1.0 / trap - 1.0)
    whole = alpha + beta
    deviation = np.sqrt(agree * (1.0 - agree) / (whole + 1.0))
    half_skew = (beta - alpha) * np.sqrt(whole + 1.0) / ((whole + 2.0) * np.sqrt(alpha * beta))
    root = np.sqrt(1.0 + half_skew**2)
    together = np.clip(agree + deviation * np.array([half_skew - root, half_skew + root]), 1e-3, 1.0 - 1e-3)
    return (1.0 - together) / together, np.array([1.0 + half_skew / root, 1.0 - half_skew / root]) / 2.0


def log_run(right: Floats | Ints, draws: Floats | Ints, mu: Floats, kappa: Floats, pi0: Floats) -> Floats:
    """Log probability of one particular sequence of `draws` samples of which `right` are right. Broadcasts.

    >>> round(float(np.exp(log_run(np.array(1), np.array(1), np.array(0.25), np.array(2.0), np.array(0.2)))), 6)
    0.2
    """
    alpha, beta = mu * kappa, (1.0 - mu) * kappa
    solvable = np.log1p(-pi0) + betaln(alpha + right, beta + draws - right) - betaln(alpha, beta)
    hopeless = np.where(np.asarray(right) == 0, np.log(np.maximum(pi0, 1e-300)), -np.inf)
    return np.asarray(np.logaddexp(solvable, hopeless))


def coverage(mu: Floats, kappa: Floats, pi0: Floats, n: int) -> Floats:
    """Chance that at least one of `n` samples is right: the quality of best-of-n under a perfect verifier.

    Source: THEORY.md section 2, first formula.

    >>> float(coverage(np.array(0.5), np.array(2.0), np.array(0.0), 1))
    0.5
    """
    return np.asarray(1.0 - np.exp(log_run(np.array(0), np.array(n), mu, kappa, pi0)))


def after_failures(mu: Floats, kappa: Floats, pi0: Floats, failures: int) -> Floats:
    """Chance that the next sample is right after `failures` failures in a row.

    Source: THEORY.md section 2, "after k failures".
    """
    none, next_right = (
        log_run(np.array(0), np.array(failures), mu, kappa, pi0),
        log_run(np.array(1), np.array(failures + 1), mu, kappa, pi0),
    )
    return np.asarray(np.exp(next_right - none))
