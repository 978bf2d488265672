"""Route-to-Reason: two networks predict accuracy and tokens of every (model, strategy) pair; a weighted sum decides.

A pair is an arm of the training frontier, at most twelve: its model has one vector, its effort, strategy and number of samples
another. Tokens are not money, and that is the method's; where no tokens are recorded, cost takes their place.

Source: 2505.19435: argmax alpha * accuracy - (1 - alpha) * tokens, tokens normalised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from onedial.core.outcome import Floats, Ints, known_mean
from onedial.core.query import Query
from onedial.policies.baselines.contract import Lesson, Router, RouterRecipe
from onedial.policies.baselines.descent import best_strength, minimised
from onedial.policies.baselines.embedding import embedded
from onedial.policies.baselines.rungs import few_arms, odds, sorted_ladder

ARMS = 12
HIDDEN = 16
STRENGTHS = (10.0, 1.0, 0.1)


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a network: d inputs, and for each of k arms which model and which strategy it is."""

    d: int
    model: Ints
    strategy: Ints

    def parts(self, flat: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Text weights (d, h), model vectors (m, h), strategy vectors (s, h), output weights (h,), constant per arm (k,)."""
        sizes = (self.d, int(self.model.max()) + 1, int(self.strategy.max()) + 1)
        cuts = np.cumsum([s * HIDDEN for s in sizes] + [HIDDEN])
        text, model, strategy, out, constant = np.split(flat, cuts)
        return text.reshape(-1, HIDDEN), model.reshape(-1, HIDDEN), strategy.reshape(-1, HIDDEN), out, constant

    @property
    def size(self) -> int:
        """Parameters in all."""
        vectors = self.d + int(self.model.max()) + int(self.strategy.max()) + 3
        return vectors * HIDDEN + len(self.model)


@dataclass(frozen=True, slots=True)
class Network:
    """tanh(x W + model + strategy) . out + constant, for every arm."""

    shape: Shape
    flat: Floats

    def __call__(self, x: Floats) -> Floats:
        """(n, k) outputs."""
        return _forward(self.shape, self.flat, x)[1]


def _forward(shape: Shape, flat: Floats, x: Floats) -> tuple[Floats, Floats]:
    text, model, strategy, out, constant = shape.parts(flat)
    hidden = np.tanh((x @ text)[:, None, :] + (model[shape.model] + strategy[shape.strategy]))
    return hidden, hidden @ out + constant


def network_loss(flat: Floats, shape: Shape, x: Floats, y: Floats, strength: float, binary: bool) -> tuple[float, Floats]:
    """Cross-entropy (binary) or half squared error, summed over queries and averaged over arms, with penalty, and its gradient."""
    hidden, z = _forward(shape, flat, x)
    k, pull = z.shape[1], np.full(flat.size, strength)
    pull[-k:] = 1e-3
    value = (np.logaddexp(0.0, z) - y * z).sum() if binary else 0.5 * ((z - y) ** 2).sum()
    away = ((expit(z) if binary else z) - y) / k
    inner = away[:, :, None] * shape.parts(flat)[3] * (1.0 - hidden**2)
    by_arm = inner.sum(axis=0)
    grads = (
        x.T @ inner.sum(axis=1),
        np.eye(int(shape.model.max()) + 1)[shape.model].T @ by_arm,
        np.eye(int(shape.strategy.max()) + 1)[shape.strategy].T @ by_arm,
        np.einsum("nk,nkh->h", away, hidden),
        away.sum(axis=0),
    )
    return float(value / k + 0.5 * (pull * flat**2).sum()), np.concatenate([g.ravel() for g in grads]) + pull * flat


def fit_network(shape: Shape, x: Floats, y: Floats, seed: int, binary: bool) -> Network:
    """Fit from small random weights, the penalty by a held-out quarter."""
    start = 0.3 * np.random.default_rng(seed).standard_normal(shape.size)

    def fit(rows: Ints, strength: float) -> Network:
        return Network(shape, minimised(lambda at: network_loss(at, shape, x[rows], y[rows], strength, binary), start))

    def held_loss(strength: float, rows: Ints, held: Ints) -> float:
        return network_loss(fit(rows, strength).flat, shape, x[held], y[held], 0.0, binary)[0]

    return fit(np.arange(len(x)), best_strength(len(x), seed, STRENGTHS, held_loss))


@dataclass(frozen=True, slots=True)
class RouteToReason:
    """Two networks: logit of accuracy, and log tokens, scaled to [0, 1] by the range of the arms' training means."""

    accuracy: Network
    tokens: Network
    low: float
    span: float
    arms: Ints

    def choose(self, queries: Sequence[Query], features: Floats) -> Ints:
        """(n_weights, n_queries) columns."""
        accuracy = expit(self.accuracy(features))
        tokens = (np.exp(np.clip(self.tokens(features), -60.0, 60.0)) - self.low) / self.span
        return np.stack([self.arms[utility(accuracy, tokens, alpha).argmax(axis=1)] for alpha in odds()])


def utility(accuracy: Floats, tokens: Floats, alpha: float) -> Floats:
    """Weigh accuracy by alpha and tokens by 1 - alpha, both in [0, 1]; the greatest wins."""
    return np.asarray(alpha * accuracy - (1.0 - alpha) * tokens)


def tokens_of(lesson: Lesson, arms: Ints) -> Floats:
    """(n, k) tokens that arms generate; what is missing is the source's mean; cost instead where a source has none at all."""
    mean = known_mean(lesson.panel.output_tokens)
    filled = np.where(np.isfinite(mean), mean, known_mean(mean, axis=0))
    at = [lesson.panel.sources.index(lesson.grid.arms[int(j)].source) for j in arms]
    count = np.array([lesson.grid.arms[int(j)].n for j in arms])
    found = filled[:, at] * count
    return found if np.isfinite(found).all() else lesson.grid.cost_usd[:, arms]


def fit_route_to_reason(lesson: Lesson) -> Router:
    """Fit both networks."""
    arms, x = few_arms(lesson, ARMS), lesson.features
    kinds = [lesson.grid.arms[int(j)] for j in arms]
    shape = Shape(x.shape[1], _codes([a.source.model for a in kinds]), _codes([f"{a.source.effort} {a.strategy} {a.n}" for a in kinds]))
    tokens = np.maximum(tokens_of(lesson, arms), 1e-12)
    mean = tokens.mean(axis=0)
    accuracy = fit_network(shape, x, lesson.grid.quality[:, arms], lesson.seed, binary=True)
    log_tokens = fit_network(shape, x, np.log(tokens), lesson.seed, binary=False)
    span = float(np.ptp(mean)) or float(mean.max())
    return sorted_ladder(lesson, RouteToReason(accuracy, log_tokens, float(mean.min()), span, arms).choose)


def _codes(names: Sequence[str]) -> Ints:
    return np.asarray(np.unique(np.array(names), return_inverse=True)[1], dtype=np.int64)


ROUTE_TO_REASON = RouterRecipe("route-to-reason", "Route-to-Reason 2505.19435", embedded(fit_route_to_reason))
