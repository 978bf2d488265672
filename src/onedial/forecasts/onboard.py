"""Place a new source beside the known ones from a handful of probes, without refitting anything.

Its success is a line, on the logit scale, through a mix of known sources: whichever
it behaves like. Two kinds of hypothesis compete by evidence: it is one of the known
sources up to a small shift, or it is the pool's mean up to as large a shift as
known sources have. With no probes it is the pool's mean.

Source: THEORY.md section 2 (pool strongly; few parameters); MacKay 1992 (evidence as the choice between hypotheses).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import expit, logit, logsumexp

from onedial.core.arm import Source
from onedial.core.errors import TableError
from onedial.core.outcome import Floats, known_mean
from onedial.core.query import Query
from onedial.forecasts.forecast import Forecast
from onedial.forecasts.latents import P_EDGE, Latents

NEAR_SHIFT = 0.3
"""Typical shift, in logits, of a source from the one that it behaves like."""
SLOPE_SPREAD = 0.25
_LEAST_SHIFT = 0.5  # From the pool's mean, however alike the known sources are.
_PULL = 2.0  # Of token ratios to one, in probes.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)


@dataclass(frozen=True, slots=True)
class Probes:
    """Outcomes of a new source on some queries.

    Attributes:
        right: (n,) right samples, fractions allowed.
        draws: (n,) graded samples; zero where there are none.
        output_tokens: (n,) mean per sample, NaN where unknown.
        input_tokens: (n,) prompt tokens, NaN where unknown.
    """

    right: Floats
    draws: Floats
    output_tokens: Floats
    input_tokens: Floats


@dataclass(frozen=True, slots=True)
class Placement:
    """A new source in terms of known ones; `append` gives it a column.

    Attributes:
        mix: (S,) how much of each known source is in it, summing to one.
        line: (2,) intercept and slope on the mixed logit of success.
        base: The known source that is most like it; what tokens say about a sample is taken from there.
        tokens_ratio: Its output tokens over the mix's.
        input_ratio: Its prompt tokens over the mix's.
        kappa: See `Latents`; that of the mix, like the next two.
        pi0: See `Latents`.
        guess: See `Latents`.
    """

    mix: Floats
    line: Floats
    base: int
    tokens_ratio: float
    input_ratio: float
    kappa: float
    pi0: float
    guess: float

    def success(self, known: Floats) -> Floats:
        """(n,) success of the new source from (n, S) of the known ones."""
        return np.asarray(expit(self.line[0] + self.line[1] * (_logits(known) @ self.mix)))

    def append(self, latents: Latents, source: Source) -> Latents:
        """The latents with the new source as last column."""
        known = len(latents.sources)
        mu = np.clip(self.success(latents.success) / (1.0 - self.pi0), P_EDGE, 1.0 - P_EDGE)
        wider = latents.columns((*range(known), self.base))
        return replace(
            wider,
            sources=(*latents.sources, source),
            mu=np.column_stack((latents.mu, mu)),
            kappa=np.append(latents.kappa, self.kappa),
            pi0=np.append(latents.pi0, self.pi0),
            guess=np.append(latents.guess, self.guess),
            output_tokens=np.column_stack((latents.output_tokens, self.tokens_ratio * (latents.output_tokens @ self.mix))),
            input_tokens=np.column_stack((latents.input_tokens, self.input_ratio * (latents.input_tokens @ self.mix))),
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """A new source in its place.

    Attributes:
        source: Which.
        placement: Where.
        n: Queries it was probed on.
        depth: Samples that a query had of it, at most.
    """

    source: Source
    placement: Placement
    n: int
    depth: int


@dataclass(frozen=True, slots=True)
class Widened:
    """A forecast with new sources as its last columns; everything else is that of the forecast."""

    known: Forecast
    placed: tuple[Placed, ...]

    @property
    def sources(self) -> tuple[Source, ...]:
        """The (model, effort) pairs it knows."""
        return (*self.known.sources, *(one.source for one in self.placed))

    @property
    def charged(self) -> Floats:
        """(S,) see `Forecast`; new sources are charged their model's price."""
        return np.append(self.known.charged, np.full(len(self.placed), np.nan))

    @property
    def p_accept_right(self) -> float:
        """See `Forecast`."""
        return self.known.p_accept_right

    @property
    def p_accept_wrong(self) -> float:
        """See `Forecast`."""
        return self.known.p_accept_wrong

    def latents(self, queries: Sequence[Query], input_tokens: Floats | None = None) -> Latents:
        """Forecast the latents of queries; `input_tokens` are those of the known sources."""
        found = known = self.known.latents(queries, input_tokens)
        for one in self.placed:
            wider = one.placement.append(known, one.source)
            found = _joined(found, wider)
        return found


def _joined(found: Latents, wider: Latents) -> Latents:
    """Latents with the last column of others added."""
    last = [len(wider.sources) - 1]
    new = wider.columns(last)
    signals = found.signal, new.signal
    signal = None if signals[0] is None or signals[1] is None else signals[0].with_columns(signals[1])
    side: dict[str, Any] = {
        name: np.column_stack((getattr(found, name), getattr(new, name))) for name in ("mu", "output_tokens", "input_tokens")
    }
    flat: dict[str, Any] = {name: np.append(getattr(found, name), getattr(new, name)) for name in ("kappa", "pi0", "guess")}
    return replace(found, sources=(*found.sources, *new.sources), signal=signal, **side, **flat)


def place(latents: Latents, probes: Probes) -> Placement:
    """Place a new source.

    Args:
        latents: Of the probed queries, in the order of the probes; not fitted on the known sources' outcomes on them.
        probes: What the new source did; a few dozen queries are plenty.

    Raises:
        TableError: Probes and latents are not of the same queries.
    """
    if len(probes.draws) != len(latents.mu):
        raise TableError(f"{len(probes.draws)} probes and forecasts of {len(latents.mu)} queries; give both for the same queries.")
    z = _logits(latents.success)
    s = z.shape[1]
    pool = np.full((1, s), 1.0 / s)
    mixes = np.concatenate((np.eye(s), pool))
    shifts = np.append(np.full(s, NEAR_SHIFT), max(float(known_mean(z, axis=0, otherwise=0.0).std()), _LEAST_SHIFT))
    prior = np.append(np.full(s, 0.5 / s), 0.5)
    weight = _weight(probes.draws, float(np.exp(np.log(latents.kappa).mean())))
    rate = np.where(probes.draws > 0, probes.right / np.maximum(probes.draws, 1.0), 0.0)
    evidence = np.log(prior) + [_evidence(z @ mix, rate, weight, shift) for mix, shift in zip(mixes, shifts, strict=True)]
    posterior = np.exp(evidence - logsumexp(evidence))
    mix = posterior @ mixes
    return Placement(
        mix=mix,
        line=_line(z @ mix, rate, weight, float(np.sqrt(posterior @ shifts**2))),
        base=int(mix.argmax()),
        tokens_ratio=_ratio(probes.output_tokens, latents.output_tokens @ mix),
        input_ratio=_ratio(probes.input_tokens, latents.input_tokens @ mix),
        kappa=float(np.exp(np.log(latents.kappa) @ mix)),
        pi0=float(latents.pi0 @ mix),
        guess=float(latents.guess @ mix),
    )


def _logits(p: Floats) -> Floats:
    return np.asarray(logit(np.clip(p, P_EDGE, 1.0 - P_EDGE)))


def _weight(draws: Floats, kappa: float) -> Floats:
    """(n,) how many independent samples the samples of a query are worth, as their success is alike."""
    return np.asarray(draws / (1.0 + np.maximum(draws - 1.0, 0.0) / (kappa + 1.0)))


def _log_likelihood(out: Floats, rate: Floats, weight: Floats) -> Floats:
    return np.asarray((weight * (rate * out - np.logaddexp(0.0, out))).sum(axis=-1))


def _evidence(z: Floats, rate: Floats, weight: Floats, shift: float) -> float:
    """Log probability of the probes, the line integrated out."""
    intercept, slope = shift * _NODES, 1.0 + SLOPE_SPREAD * _NODES
    out = intercept[:, None, None] + slope[None, :, None] * z
    share = np.log(_WEIGHTS / _WEIGHTS.sum())
    return float(logsumexp(_log_likelihood(out, rate, weight) + share[:, None] + share))


def _line(z: Floats, rate: Floats, weight: Floats, shift: float) -> Floats:
    """(2,) the most probable intercept and slope."""
    from scipy.optimize import minimize

    def loss(line: Floats) -> float:
        held = 0.5 * (line[0] / shift) ** 2 + 0.5 * ((line[1] - 1.0) / SLOPE_SPREAD) ** 2
        return float(held - _log_likelihood(line[0] + line[1] * z, rate, weight))

    return np.asarray(minimize(loss, np.array([0.0, 1.0]), method="L-BFGS-B").x)


def _ratio(seen: Floats, expected: Floats) -> float:
    """Seen over expected where something was seen, as if two more probes had been as expected."""
    known = np.isfinite(seen)
    extra = _PULL * float(known_mean(expected, otherwise=1.0))
    return (float(seen[known].sum()) + extra) / (float(expected[known].sum()) + extra)
