"""Success and tokens as functions of how much a model is made to think, with curves pooled across models.

On the logit scale the mean success of model m that uses u tokens is

    theta_m(u) = A_m - B_m (u / u0)^-gamma + d_label + e_label a_m

where d and e are what a label does to everybody and to able models (a_m: how the model does at its other levels).
A and B scatter around shared means, and the exponent is shared: a model seen at one level borrows its curve from the others.
Tokens used follow the level asked for in the same way; what a query does to both is in `query_effects`.

Source: THEORY.md section 2, "thinking budget"; RADAR 2509.25426 for the logit scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.arm import Source
from onedial.core.errors import TableError
from onedial.core.outcome import Floats
from onedial.forecasts.effort_levels import rung
from onedial.forecasts.pooling import Pooled, fit_pooled

GAMMAS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5)
MIN_LEVELS = 3
LOG_NOISE = 1e-3  # variance of a mean log token count, at least


@dataclass(frozen=True, slots=True)
class EffortCurves:
    """Fitted curves.

    Attributes:
        models: Order of the per-model coefficients.
        labels: Order of the per-label coefficients.
        reference_tokens: u0.
        gamma: The exponent.
        success: Regression of mean success in logits on `_success_blocks`.
        tokens: Regression of log tokens on `_token_blocks`; None where no tokens are known.
        seen: Per source that was fitted, its mean success in logits.
    """

    models: tuple[str, ...]
    labels: tuple[str, ...]
    reference_tokens: float
    gamma: float
    success: Pooled
    tokens: Pooled | None
    seen: dict[Source, float]

    def tokens_at(self, source: Source) -> float:
        """Mean tokens that a model would use at a level, NaN where none are known."""
        if self.tokens is None:
            return float("nan")
        return float(np.exp(self.tokens.at(_side(_token_blocks([source], self.models, self.labels)))[0]))

    def theta(self, source: Source, tokens: float) -> tuple[float, float]:
        """Mean success in logits, and its standard deviation, of a model at a level that uses so many tokens."""
        row = _side(self._blocks([source], np.array([tokens])))
        return float(self.success.at(row)[0]), float(self.success.sd(row)[0])

    def curve(self, model: str) -> tuple[float, float]:
        """(A, B) of a model, in logits.

        Raises:
            TableError: No level of this model was fitted.
        """
        if model not in self.models:
            raise TableError(f"no level of model {model!r} was fitted; known: {', '.join(self.models)}. Collect outcomes of it first.")
        k, m = self.models.index(model), len(self.models)
        beta = self.success.coefficients
        return float(beta[0] + beta[1 + k]), float(beta[1 + m] + beta[2 + m + k])

    def _blocks(self, sources: Sequence[Source], tokens: Floats) -> list[Floats]:
        return _success_blocks(sources, tokens / self.reference_tokens, self.gamma, self.models, self.labels, self.seen)


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
    share = np.clip(success, 0.002, 0.998)
    theta = np.log(share / (1.0 - share))
    noise = np.maximum(noise, 1e-6) / (share * (1.0 - share)) ** 2
    seen = dict(zip(sources, theta.tolist(), strict=True))
    models, labels = tuple(sorted({s.model for s in sources})), tuple(sorted({str(s.effort) for s in sources}))
    known = np.isfinite(tokens)
    middle = float(np.exp(np.log(np.maximum(tokens[known], 1.0)).mean())) if known.any() else 1.0
    fits = {
        gamma: fit_pooled(_success_blocks(sources, tokens / middle, gamma, models, labels, seen), theta, noise)
        for gamma in (GAMMAS if known.any() else GAMMAS[:1])
    }
    gamma = max(fits, key=lambda g: fits[g].log_likelihood)
    return EffortCurves(models, labels, middle, gamma, fits[gamma], _fit_tokens(sources, tokens, models, labels), seen)


def _fit_tokens(sources: Sequence[Source], tokens: Floats, models: tuple[str, ...], labels: tuple[str, ...]) -> Pooled | None:
    known = np.flatnonzero(np.isfinite(tokens))
    if known.size < MIN_LEVELS:
        return None
    blocks = _token_blocks([sources[int(j)] for j in known], models, labels)
    return fit_pooled(blocks, np.log(np.maximum(tokens[known], 1.0)), np.full(known.size, LOG_NOISE))


def _success_blocks(
    sources: Sequence[Source], ratio: Floats, gamma: float, models: tuple[str, ...], labels: tuple[str, ...], seen: dict[Source, float]
) -> list[Floats]:
    """Columns: free intercept; intercepts of models; shared slope; slopes of models; labels; labels times ability."""
    who, what = _one_hot([s.model for s in sources], models), _one_hot([str(s.effort) for s in sources], labels)
    with np.errstate(invalid="ignore"):
        power = -(np.where(np.isfinite(ratio), np.maximum(ratio, 1e-3), 1.0) ** -gamma)[:, None]
    power = np.where(np.isfinite(ratio)[:, None], power, 0.0)
    able = np.array([_ability(s, seen) for s in sources])[:, None]
    return [np.ones((len(sources), 1)), who, power, who * power, what, what * able]


def _ability(source: Source, seen: dict[Source, float]) -> float:
    """How a model does at its other levels, in logits from the middle of all; 0 if there are none."""
    others = [theta for other, theta in seen.items() if other.model == source.model and other != source]
    return float(np.mean(others) - np.mean(list(seen.values()))) if others else 0.0


def _token_blocks(sources: Sequence[Source], models: tuple[str, ...], labels: tuple[str, ...]) -> list[Floats]:
    """Columns: free intercept; intercepts of models; rung shared; rung of models; labels."""
    who, what = _one_hot([s.model for s in sources], models), _one_hot([str(s.effort) for s in sources], labels)
    rungs = np.nan_to_num(np.array([[rung(s.effort)] for s in sources]), nan=1.0)
    thinks = (rungs > 0).astype(float)
    return [np.ones((len(sources), 1)), who, np.hstack((rungs, thinks)), who * rungs, what]


def _one_hot(values: Sequence[str], known: tuple[str, ...]) -> Floats:
    return np.array([[float(value == name) for name in known] for value in values]).reshape(len(values), len(known))


def _side(blocks: list[Floats]) -> Floats:
    return np.concatenate(blocks, axis=1)
