"""How each query of a batch is answered: by the arm that was planned, or by deciding again after every answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np

from onedial.core.answer import Answer, Candidate
from onedial.core.arm import Arm, Source
from onedial.core.ask import Sample
from onedial.core.decision import Decision, Policy
from onedial.core.errors import ConfigError
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.engine.dial import Dial
from onedial.engine.fitted import Fit
from onedial.engine.plan import Plan, Planned, forecast_all, worst_usd
from onedial.engine.solve import solve_steps
from onedial.policies.assessor import Assessor
from onedial.policies.controller import Controller, Menu
from onedial.policies.fixed_forecast import FixedForecast
from onedial.policies.online import BudgetQueue
from onedial.runtime.ledger import Grant
from onedial.strategies.registry import steps_of

MEMORY = 30.0
"""Mean budgets, spent too much or too little, that move the worth of an adaptive run by about its own size."""
MARGIN = 1.1
"""What is kept for the others, over what it is forecast to take."""


class Rule(Protocol):
    """Answers one query at a time; told of every end."""

    def steps(self, entry: Planned) -> Steps[Answer]:
        """Start a query."""
        ...

    def learn(self, entry: Planned, answer: Answer) -> None:
        """Know that a query has ended, with an answer or without."""
        ...


class AsPlanned:
    """What the plan says."""

    def __init__(self, dial: Dial) -> None:
        self._reading = dial.settings.reading

    def steps(self, entry: Planned) -> Steps[Answer]:
        """Run the arm's strategy."""
        return steps_of(entry.arm, entry.query, self._reading)

    def learn(self, entry: Planned, answer: Answer) -> None:
        """Nothing changes."""


class Adaptive:
    """The controller at the worth of the plan, which then follows what is left to spend.

    No query takes so much that each of the others could not have one sample of the
    cheapest source, as long as forecast and one of them as long as may be: so all are answered if
    the budget allows that.
    """

    def __init__(self, plan: Plan, todo: Sequence[Planned], dial: Dial, grant: Grant, to_spend_usd: float) -> None:
        """Start.

        Args:
            plan: Its worth is where it starts, unless policies at that worth cost more than there is.
            todo: What is to be answered.
            dial: Its fit must be that of the plan.
            grant: What may be spent at most.
            to_spend_usd: What is meant to be spent on `todo`.

        Raises:
            ConfigError: Another fit is in force.
        """
        fit = dial.fitted
        if fit.digest != plan.aim.fit:
            raise ConfigError("the plan was made with another fit than that in force. Make it again, or run it without --adaptive.")
        self._dial, self._grant, self._to_spend = dial, grant, to_spend_usd
        self._assessor = Assessor(fit.forecast, dial.pool.models)
        self._menu = Menu(tuple(range(len(self._assessor.sources))), max_draws=fit.max_draws)
        self._floors = _floors(dial, [entry.query for entry in todo])
        self._kept = sum(floor.cost_usd for floor in self._floors.values())
        self._longest = max((floor.worst_usd for floor in self._floors.values()), default=0.0)
        self._queue = BudgetQueue.at(self._share(), min(plan.aim.worth, _affordable(fit, self._share())), MEMORY)

    def steps(self, entry: Planned) -> Steps[Answer]:
        """Solve it at the worth of this moment."""
        query = entry.query
        most = [self._dial.pool.input_tokens(Sample(query.id, source, query.messages)) for source in self._assessor.sources]
        self._assessor.bound_input(query, np.array(most, dtype=float))
        return self._solved(query, _Capped(Controller(self._assessor, self._menu, self._queue.worth), self._room))

    def learn(self, entry: Planned, answer: Answer) -> None:
        """Follow what is left for those that remain."""
        self._kept -= self._floors.pop(entry.query.id).cost_usd
        self._queue = replace(self._queue.after(0.0, answer.spend.cost_usd), budget_usd=self._share())

    def _share(self) -> float:
        """What is left to spend, for each query that is not answered yet."""
        return max(self._to_spend - self._grant.spent.usd, 1e-15) / max(len(self._floors), 1)

    def _room(self, query: Query) -> float:
        """What may be held for the next block of a query; one sample of the cheapest source always may."""
        left, own = self._grant.left.usd, self._floors[query.id]
        if left is None:
            return float("inf")
        others = MARGIN * (self._kept - own.cost_usd) + (self._longest if len(self._floors) > 1 else 0.0)
        return max(left - others, min(left, own.worst_usd))

    def _solved(self, query: Query, policy: Policy) -> Steps[Answer]:
        solved = yield from solve_steps(query, policy, self._dial.settings.reading)
        self._assessor.forget(query)
        return solved.answer


@dataclass(frozen=True, slots=True)
class _Capped:
    """A controller whose cap is what there is room for at each decision."""

    controller: Controller
    room: Callable[[Query], float]

    def choose(self, query: Query, tried: tuple[Candidate, ...] = (), spent_usd: float = 0.0) -> Decision:
        return replace(self.controller, cap_usd=spent_usd + self.room(query)).choose(query, tried, spent_usd)


class _Floor(NamedTuple):
    """One sample of the cheapest source: what it should cost, and what it can."""

    cost_usd: float
    worst_usd: float


def _floors(dial: Dial, queries: Sequence[Query]) -> dict[str, _Floor]:
    if not queries:
        return {}
    arm = Arm(_cheapest(dial, dial.fitted.forecast.sources))
    forecast = FixedForecast.of(dial.fitted.forecast, dial.pool.models, [arm])
    _, costs = forecast_all(forecast, dial, queries)
    return {query.id: _Floor(cost, worst_usd(dial, query, arm)) for query, cost in zip(queries, costs[:, 0].tolist(), strict=True)}


def _cheapest(dial: Dial, sources: Sequence[Source]) -> Source:
    """The source whose longest answer costs least."""
    models = dial.pool.models
    return min(sources, key=lambda s: models[s.model].max_output_tokens * models[s.model].price.output_usd_per_mtok)


def _affordable(fit: Fit, share_usd: float) -> float:
    """The highest worth at which policies cost no more than a share of the budget on the training queries."""
    cost = fit.train.cost_usd[: len(fit.worths)].mean(axis=1)
    able = np.flatnonzero(cost <= share_usd)
    return float(fit.worths[able[cost[able].argmax()]] if able.size else fit.worths[0])
