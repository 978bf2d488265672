"""Success and tokens as functions of how much a model is made to think, with curves pooled across models.

On the logit scale the mean success of model m that uses u tokens is

    theta_m(u) = A_m - B_m (u / u0)^-gamma + d_label + d_m,label

where d is what the words of a label do to everybody and to this model. A, B and d scatter around the means of the
model's family, and these around shared ones; the exponent is shared: a model seen at one level borrows its curve from
the others. Tokens used follow the level asked for in the same way. What a query does to both is in `query_effects`.

Source: THEORY.md section 2, "thinking budget"; RADAR 2509.25426 for the logit scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from onedial.core.arm import Source
from onedial.core.cores import one_core
from onedial.core.errors import TableError
from onedial.core.outcome import Floats
from onedial.forecasts.effort_design import Names, powers, success_blocks, token_blocks
from onedial.forecasts.pooling import Pooled, fit_pooled

GAMMAS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5)
MIN_LEVELS = 3
LOG_NOISE = 1e-3
"""Variance of a mean log token count, at least."""


@dataclass(frozen=True, slots=True)
class EffortCurves:
    """Fitted curves.

    Attributes:
        names: What the columns of both regressions stand for.
        reference_tokens: u0.
        gamma: The exponent.
        success: Regression of mean success in logits.
        tokens: Regression of log tokens; None where no tokens are known.
        seen: Per source that was fitted, its mean success in logits.
    """

    names: Names
    reference_tokens: float
    gamma: float
    success: Pooled
    tokens: Pooled | None
    seen: dict[Source, float]

    def tokens_at(self, source: Source) -> float:
        """Mean tokens that a model would use at a level, NaN where none are known."""
        if self.tokens is None:
            return float("nan")
        return float(np.exp(self.tokens.at(_side(token_blocks(self.names.columns([source]), [source])))[0]))

    def theta(self, source: Source, tokens: float) -> tuple[float, float]:
        """Mean success in logits, and its standard deviation, of a model at a level that uses so many tokens."""
        row = self._design([source], np.array([tokens]))
        return float(self.success.at(row)[0]), float(self.success.sd(row)[0])

    def smoothed(self, sources: Sequence[Source], noise: Floats, tokens: Floats) -> Floats:
        """(S,) mean success of levels that were fitted, each held to its curve as firmly as its own noise asks for.

        Args:
            sources: The levels, as fitted.
            noise: (S,) sampling variance of their mean success.
            tokens: (S,) mean tokens used; NaN where unknown.
        """
        line, theta = self.success.at(self._design(sources, tokens)), np.array([self.seen[s] for s in sources])
        own = self.success.variances[-1]
        trust = own / (own + np.maximum(noise, 1e-6) / _slope(expit(theta)) ** 2)
        return np.asarray(expit(line + trust * (theta - line)))

    def curve(self, model: str) -> tuple[float, float]:
        """(A, B) of a model, in logits, whatever the label.

        Raises:
            TableError: No level of this model was fitted.
        """
        if model not in self.names.models:
            known = ", ".join(self.names.models)
            raise TableError(f"no level of model {model!r} was fitted; known: {known}. Collect outcomes of it first.")
        who, kin, what = self.names.columns([Source(model)])
        flat, bent = (_side(success_blocks((who, kin, 0.0 * what), np.array([[power]]))) for power in (0.0, 1.0))
        asymptote = float(self.success.at(flat)[0])
        return asymptote, float(self.success.at(bent)[0]) - asymptote

    def _design(self, sources: Sequence[Source], tokens: Floats) -> Floats:
        return _side(_blocks(self.names, sources, tokens / self.reference_tokens, self.gamma))


def fit_effort_curves(sources: Sequence[Source], success: Floats, noise: Floats, tokens: Floats) -> EffortCurves:
    """Fit curves to the levels that were recorded.

    Args:
        sources: The levels, S of them.
        success: (S,) mean success in (0, 1).
        noise: (S,) its sampling variance.
        tokens: (S,) mean tokens used; NaN where unknown.

    Raises:
        TableError: Fewer than three levels.
    """
    if len(sources) < MIN_LEVELS:
        raise TableError(f"{len(sources)} recorded levels; curves need at least {MIN_LEVELS}. Collect more levels or models.")
    theta, names = logit(np.clip(success, 0.002, 0.998)), Names.of(sources)
    spread = np.maximum(noise, 1e-6) / _slope(success) ** 2
    seen = dict(zip(sources, theta.tolist(), strict=True))
    known = np.isfinite(tokens)
    middle = float(np.exp(np.log(np.maximum(tokens[known], 1.0)).mean())) if known.any() else 1.0
    fits: dict[float, Pooled] = {}
    with one_core():
        for gamma in GAMMAS if known.any() else GAMMAS[:1]:
            before = next(reversed(fits.values())).variances if fits else None
            fits[gamma] = fit_pooled(_blocks(names, sources, tokens / middle, gamma), theta, spread, before)
        used = _fit_tokens(names, sources, tokens)
    gamma = max(fits, key=lambda g: fits[g].log_likelihood)
    return EffortCurves(names, middle, gamma, fits[gamma], used, seen)


def _fit_tokens(names: Names, sources: Sequence[Source], tokens: Floats) -> Pooled | None:
    known = np.flatnonzero(np.isfinite(tokens))
    if known.size < MIN_LEVELS:
        return None
    told = [sources[int(j)] for j in known]
    return fit_pooled(token_blocks(names.columns(told), told), np.log(np.maximum(tokens[known], 1.0)), np.full(known.size, LOG_NOISE))


def _blocks(names: Names, sources: Sequence[Source], ratio: Floats, gamma: float) -> list[Floats]:
    return success_blocks(names.columns(sources), powers(ratio, gamma))


def _slope(success: Floats) -> Floats:
    """Slope of the mean in logits, kept away from 0."""
    share = np.clip(success, 0.01, 0.99)
    return np.asarray(share * (1.0 - share))


def _side(blocks: list[Floats]) -> Floats:
    return np.concatenate(blocks, axis=1)
