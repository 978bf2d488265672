"""How each query of a batch is answered: by the arm that was planned, or by deciding again after every answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np

from onedial.core.answer import Answer, Candidate
from onedial.core.ask import Sample
from onedial.core.decision import Decision, Policy
from onedial.core.errors import ConfigError
from onedial.core.outcome import Floats
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.engine.dial import Dial
from onedial.engine.fitted import Fit
from onedial.engine.plan import Plan, Planned
from onedial.engine.solve import solve_steps
from onedial.policies.assessor import Assessor
from onedial.policies.controller import Controller, Menu
from onedial.runtime.ledger import Grant
from onedial.strategies.registry import steps_of

MEMORY = 20.0
"""Queries' worth of trust that a batch costs what the training queries did at the same worth."""
ROUNDING = 1e-9


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
    """The controller at the worth at which what is left should just do, never above that of the plan.

    A query may take what its planned arm could, and beyond that what is not planned for
    the others: what was saved so far.
    """

    def __init__(self, plan: Plan, todo: Sequence[Planned], dial: Dial, grant: Grant, to_spend_usd: float) -> None:
        """Start.

        Args:
            plan: What each query was meant to have.
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
        planned = sum(entry.cost_usd for entry in todo)
        scale = min(1.0, max(to_spend_usd, 0.0) / planned) if planned > 0 else 0.0
        self._shares = {entry.query.id: scale * entry.cost_usd for entry in todo}
        self._kept = sum(self._shares.values())
        self._ladder = _Ladder.of(fit)
        self._seen_usd = self._expected_usd = MEMORY * self._share()
        self._most, self._worths = plan.aim.worth, dict[str, float]()

    def steps(self, entry: Planned) -> Steps[Answer]:
        """Solve it at the worth of this moment."""
        query, worth = entry.query, self._worth()
        self._worths[query.id] = worth
        most = [self._dial.pool.input_tokens(Sample(query.id, source, query.messages)) for source in self._assessor.sources]
        self._assessor.bound_input(query, np.array(most, dtype=float))
        return self._solved(query, _Capped(Controller(self._assessor, self._menu, worth), partial(self._cap, entry)))

    def learn(self, entry: Planned, answer: Answer) -> None:
        """Follow what is left for those that remain."""
        self._kept -= self._shares.pop(entry.query.id)
        self._seen_usd += answer.spend.cost_usd
        self._expected_usd += self._ladder.cost_at(self._worths.pop(entry.query.id))

    def _worth(self) -> float:
        """At which the rest should cost what is left: the worth that did in training, if costs go on as they went."""
        return min(self._most, self._ladder.worth_at(self._share() * self._expected_usd / self._seen_usd))

    def _share(self) -> float:
        """What is left to spend, for each query that is not answered yet."""
        return max(self._to_spend - self._grant.spent.usd, 1e-15) / max(len(self._shares), 1)

    def _cap(self, entry: Planned, spent_usd: float) -> float:
        """The most that a query may have cost after its next block, which is held at its worst case."""
        left = self._grant.left.usd
        if left is None:
            return float("inf")
        saved = left - (self._kept - self._shares[entry.query.id])
        return min(spent_usd + left, max(spent_usd + saved, entry.worst_usd * (1.0 + ROUNDING)))

    def _solved(self, query: Query, policy: Policy) -> Steps[Answer]:
        solved = yield from solve_steps(query, policy, self._dial.settings.reading)
        self._assessor.forget(query)
        return solved.answer


@dataclass(frozen=True, slots=True)
class _Capped:
    """A controller whose cap is found at each decision."""

    controller: Controller
    cap_usd: Callable[[float], float]

    def choose(self, query: Query, tried: tuple[Candidate, ...] = (), spent_usd: float = 0.0) -> Decision:
        return replace(self.controller, cap_usd=self.cap_usd(spent_usd)).choose(query, tried, spent_usd)


@dataclass(frozen=True, slots=True)
class _Ladder:
    """What the rule cost per training query at each worth; both rise."""

    log_worth: Floats
    log_cost: Floats

    @classmethod
    def of(cls, fit: Fit) -> _Ladder:
        cost = np.maximum.accumulate(fit.train.cost_usd[: len(fit.worths)].mean(axis=1))
        return cls(np.log(fit.worths), np.log(cost * (1.0 + ROUNDING * np.arange(len(cost)))))

    def cost_at(self, worth: float) -> float:
        return float(np.exp(np.interp(np.log(worth), self.log_worth, self.log_cost)))

    def worth_at(self, cost_usd: float) -> float:
        return float(np.exp(np.interp(np.log(max(cost_usd, 1e-300)), self.log_cost, self.log_worth)))
