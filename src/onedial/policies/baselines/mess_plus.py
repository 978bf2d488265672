"""MESS+: a virtual queue keeps a stream at the satisfaction that was agreed, at the least cost.

Every query goes to the model with the least V * cost + queue * (alpha - satisfaction); the queue
then grows by what the satisfaction was short of alpha. The paper learns satisfaction online, asking every model now
and then; here it is forecast by a ridge on the query, fitted to the training split,
and the queue runs on forecasts, since nobody grades a served answer. Cost is the
mean training cost, as a share of the dearest model's.

A policy object serves one stream, in the order in which queries come; copy it for
another. Settings: up to 10 models, 16 levels of alpha, 5 of V; at most 80, on at most 1,000 training queries.

Source: Woisetschlaeger 2505.19947, algorithm 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from onedial.core.answer import Candidate
from onedial.core.arm import Arm
from onedial.core.decision import Decision, Policy
from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.policies.baselines.contract import Lesson, StepperRecipe
from onedial.policies.baselines.pool import SOURCES, frontier_arms, ladder
from onedial.policies.baselines.text_ridge import TextRidge, forecast_scores

TRADES = (0.003, 0.03, 0.3, 3.0, 30.0)
LEVELS = 16
STREAM = 1000


@dataclass(slots=True)
class VirtualQueue:
    """Models chosen one query at a time.

    Attributes:
        forecast: Of mean scores, one output per model.
        arms: The models.
        cost: (models,) mean cost, as a share of the dearest.
        alpha: Satisfaction agreed.
        trade: V, what cost weighs against the queue.
        quality: Mean training quality.
    """

    forecast: TextRidge
    arms: tuple[Arm, ...]
    cost: Floats
    alpha: float
    trade: float
    quality: float = 0.0
    _queue: float = field(default=0.0, repr=False)
    _current: str = field(default="", repr=False)
    _arm: int = field(default=0, repr=False)

    def choose(self, query: Query, tried: tuple[Candidate, ...] = (), spent_usd: float = 0.0) -> Decision:
        """Ask the model that the queue calls for, once."""
        if query.id != self._current:
            satisfied = np.clip(self.forecast.of(query), 0.0, 1.0)
            self._arm = cheapest(self.cost, satisfied, self._queue, self.alpha, self.trade)
            self._queue = grown(self._queue, self.alpha, float(satisfied[self._arm]))
            self._current = query.id
        if not tried:
            return Decision(self.arms[self._arm], None, 0.0, f"the queue stands at {self._queue:.3f}")
        return Decision(None, tried[0].answer, self.quality, "one model is asked per query", pick=0)


def cheapest(cost: Floats, satisfied: Floats, queue: float, alpha: float, trade: float) -> int:
    """The model of the least drift plus penalty; the cheaper one on ties."""
    return int(np.argmin(trade * cost + queue * (alpha - satisfied)))


def grown(queue: float, alpha: float, satisfied: float) -> float:
    """The queue after a query.

    >>> round(grown(0.5, 0.9, 0.75), 2), grown(0.1, 0.5, 1.0)
    (0.65, 0.0)
    """
    return max(0.0, queue + alpha - satisfied)


def fit(lesson: Lesson) -> Sequence[Policy]:
    """Try every level and trade on the training stream; the training hull is the ladder."""
    grid = lesson.grid
    columns = frontier_arms(lesson, np.array([j for j, arm in enumerate(grid.arms) if arm.n == 1]), SOURCES)
    arms = tuple(grid.arms[int(j)] for j in columns)
    home = {source: j for j, source in enumerate(lesson.panel.sources)}
    forecast, held = forecast_scores(lesson, np.array([home[arm.source] for arm in arms]))
    quality, usd = grid.quality[:, columns], grid.cost_usd[:, columns]
    cost = usd.mean(axis=0) / max(float(usd.mean(axis=0).max()), 1e-300)
    means = quality.mean(axis=0)
    settings = [(float(a), v) for a in np.linspace(means.min(), min(1.0, means.max() + 0.02), LEVELS) for v in TRADES]
    streams = [_stream(np.clip(held[:STREAM], 0.0, 1.0), cost, alpha, trade) for alpha, trade in settings]
    rows = np.arange(min(len(held), STREAM))
    reached, paid = ([float(values[rows, taken].mean()) for taken in streams] for values in (quality, usd))
    return [VirtualQueue(forecast, arms, cost, settings[k][0], settings[k][1], reached[k]) for k in ladder(paid, reached)]


def _stream(satisfied: Floats, cost: Floats, alpha: float, trade: float) -> Ints:
    """(n,) models taken by the training stream."""
    queue, taken = 0.0, np.zeros(len(satisfied), dtype=np.int64)
    for i, row in enumerate(satisfied):
        taken[i] = cheapest(cost, row, queue, alpha, trade)
        queue = grown(queue, alpha, float(row[taken[i]]))
    return taken


MESS_PLUS = StepperRecipe("mess-plus", "Woisetschlaeger 2505.19947", fit)
