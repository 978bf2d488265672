"""PORT: nearest neighbours forecast quality and cost; weights from one dual problem keep every model within its budget.

A query goes to the model with the largest forecast quality less weight times
forecast cost, among those with budget left. The weights solve the dual of the
relaxed assignment once. The paper solves it on the first queries of the stream,
which are routed at random; here it is solved on up to 250 training queries, with their
own outcomes left out, and no query is spent on it. The total budget is split over models by cost
efficiency (as published), by quality or evenly. The stream's length is not known, so that a model's budget after
t queries is its share of t + 10. Where no model has both budget and a positive
score the cheapest one answers.

A policy object serves one stream, in the order in which queries come; copy it for
another. Settings: up to 10 models, 12 budgets, 3 splits; at most 36, on at most 1,000 training queries.

Source: Wu 2509.02718, algorithm 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, hstack

from onedial.core.answer import Candidate
from onedial.core.arm import Arm
from onedial.core.decision import Decision, Policy
from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.policies.baselines.contract import Lesson, StepperRecipe
from onedial.policies.baselines.embedding import Embedding
from onedial.policies.baselines.neighbours import means, nearest, unit
from onedial.policies.baselines.pool import SOURCES, frontier_arms, ladder
from onedial.policies.baselines.text_ridge import described

NEIGHBOURS = 10
BUDGETS = 12
OBSERVED = 250
STREAM = 1000
SLACK = 10


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Training queries with their outcomes.

    Attributes:
        embedding: Of text.
        unit: (n, r) coordinates of the training queries, of unit length.
        quality: (n, models).
        cost_usd: (n, models).
    """

    embedding: Embedding
    unit: Floats
    quality: Floats
    cost_usd: Floats

    @classmethod
    def of(cls, features: Floats, quality: Floats, cost_usd: Floats) -> Neighbours:
        """Of (n, d) features."""
        embedding = Embedding.of(features)
        return cls(embedding, unit(embedding.rows(features)), quality, cost_usd)

    def near(self, rows: Floats, own: bool = False) -> tuple[Floats, Floats]:
        """(k, models) mean quality and cost of the nearest to rows of unit length; `own` leaves training rows themselves out."""
        index = nearest(rows, self.unit, NEIGHBOURS, without_self=own)
        return means(index, self.quality), means(index, self.cost_usd)


@dataclass(slots=True)
class DualRouting:
    """Models chosen one query at a time.

    Attributes:
        neighbours: What forecasts.
        arms: The models, cheapest first.
        weights: (models,) of cost, per USD.
        budget_usd: (models,) per query of the stream.
        quality: Mean training quality.
    """

    neighbours: Neighbours
    arms: tuple[Arm, ...]
    weights: Floats
    budget_usd: Floats
    quality: float = 0.0
    _spent: Floats = field(default_factory=lambda: np.zeros(0), repr=False)
    _count: int = field(default=0, repr=False)
    _current: str = field(default="", repr=False)
    _arm: int = field(default=0, repr=False)

    def choose(self, query: Query, tried: tuple[Candidate, ...] = (), spent_usd: float = 0.0) -> Decision:
        """Ask one model, once, and book what it cost."""
        if query.id != self._current:
            quality, cost = self.neighbours.near(unit(self.neighbours.embedding.rows(described(query))))
            self._spent = self._spent if self._count else np.zeros(len(self.arms))
            self._arm = taken(quality[0], cost[0], self.weights, self.budget_usd * (self._count + SLACK) - self._spent)
            self._count, self._current = self._count + 1, query.id
        if not tried:
            return Decision(self.arms[self._arm], None, 0.0, "the best forecast net of its weighted cost, within budget")
        self._spent[self._arm] += spent_usd
        return Decision(None, tried[0].answer, self.quality, "one model is asked per query", pick=0)


def taken(quality: Floats, cost_usd: Floats, weights: Floats, left_usd: Floats) -> int:
    """The model taken: the largest positive score among those with budget left, else the first."""
    score = np.where(left_usd >= cost_usd, quality - weights * cost_usd, -np.inf)
    best = int(score.argmax())
    return best if score[best] > 0 else 0


def dual_weights(quality: Floats, cost_usd: Floats, budget_usd: Floats) -> Floats:
    """Minimise budget . weights + mean over queries of max(0, best of quality - weight * cost); weights are not negative.

    Args:
        quality: (n, models) forecasts.
        cost_usd: (n, models) forecasts.
        budget_usd: (models,) per query.

    Source: 2509.02718, the dual of the relaxed assignment, as a linear programme.
    """
    n, m = quality.shape
    scale = max(float(cost_usd.mean()), 1e-300)
    row = np.arange(n * m)
    of_weight = coo_array((-(cost_usd / scale).ravel(), (row, np.tile(np.arange(m), n))), shape=(n * m, m))
    of_query = coo_array((-np.ones(n * m), (row, np.repeat(np.arange(n), m))), shape=(n * m, n))
    aim = np.concatenate((budget_usd / scale, np.full(n, 1.0 / n)))
    solved = linprog(aim, A_ub=hstack((of_weight, of_query)).tocsr(), b_ub=-quality.ravel(), bounds=(0, None), method="highs")
    return np.asarray(solved.x[:m]) / scale


def fit(lesson: Lesson) -> Sequence[Policy]:
    """Try every budget and split on the training stream; the training hull is the ladder."""
    grid = lesson.grid
    columns = frontier_arms(lesson, np.array([j for j, arm in enumerate(grid.arms) if arm.n == 1]), SOURCES)
    quality, usd = grid.quality[:, columns], grid.cost_usd[:, columns]
    known = Neighbours.of(lesson.features, quality, usd)
    d, g = known.near(known.unit[:STREAM], own=True)
    seen = slice(0, OBSERVED)
    totals = np.geomspace(usd.mean(axis=0).min(), 1.5 * usd.mean(axis=0).max(), BUDGETS)
    budgets = [total * share for total in totals for share in _splits(quality.mean(axis=0), usd.mean(axis=0))]
    settings = [(dual_weights(d[seen], g[seen], budget), budget) for budget in budgets]
    rows = np.arange(len(d))
    streams = [_stream(d, g, usd, weights, budget) for weights, budget in settings]
    reached, paid = ([float(values[rows, t].mean()) for t in streams] for values in (quality, usd))
    arms = tuple(grid.arms[int(j)] for j in columns)
    return [DualRouting(known, arms, settings[k][0], settings[k][1], reached[k]) for k in ladder(paid, reached)]


def _splits(quality: Floats, usd: Floats) -> list[Floats]:
    """Shares of the total budget: by cost efficiency, by quality, evenly."""
    parts = (quality / np.maximum(usd, 1e-300), quality, np.ones(len(quality)))
    return [p / p.sum() if p.sum() > 0 else np.full(len(p), 1.0 / len(p)) for p in parts]


def _stream(quality: Floats, forecast_usd: Floats, usd: Floats, weights: Floats, budget: Floats) -> Ints:
    """(n,) models taken by the training stream, each billed what it costs on the query."""
    spent, chosen = np.zeros(len(budget)), np.zeros(len(quality), dtype=np.int64)
    for i in range(len(quality)):
        chosen[i] = taken(quality[i], forecast_usd[i], weights, budget * (i + SLACK) - spent)
        spent[chosen[i]] += usd[i, chosen[i]]
    return chosen


PORT = StepperRecipe("port", "Wu 2509.02718", fit)
