"""Hold a long-run target on a stream: raise the worth of quality while short of it, lower it while beyond.

What is short is kept in a virtual queue, never negative. As long as the queue is
bounded, the long-run average meets the target, whatever the traffic: after T queries
it is off by at most queue / T. No forecast is trusted for that, only what was observed.

Source: THEORY.md section 1, "stream"; MESS+ 2505.19947; PORT 2509.02718.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from onedial.core.answer import Candidate
from onedial.core.decision import Decision, Policy
from onedial.core.errors import ConfigError
from onedial.core.query import Query


class Queue(Protocol):
    """What is short of a target so far, as a worth of quality."""

    @property
    def worth(self) -> float:
        """USD per unit of quality, finite and not negative."""
        ...

    def after(self, quality: float, cost_usd: float) -> Queue:
        """The queue once one more query is answered."""
        ...


@dataclass(frozen=True, slots=True)
class QualityQueue:
    """Hold a mean quality: w <- max(0, w + eta (target - observed)).

    Attributes:
        target: Mean quality, in (0, 1].
        eta: USD per unit of quality, by which one wrong answer too many raises the worth; about a hundredth of a usual worth.
        worth: See `Queue`; where it starts.
        most: Never beyond this.
    """

    target: float
    eta: float
    worth: float = 0.0
    most: float = float("inf")

    def __post_init__(self) -> None:
        if not 0 < self.target <= 1:
            raise ConfigError(f"a long-run quality of {self.target}; expected one in (0, 1], as in 0.92.")
        _refuse_negative(self.eta, self.worth)

    def after(self, quality: float, cost_usd: float) -> QualityQueue:
        """Observe the quality of an answer, a label where there is one, else what was forecast of it."""
        return replace(self, worth=min(max(0.0, self.worth + self.eta * (self.target - quality)), self.most))


@dataclass(frozen=True, slots=True)
class BudgetQueue:
    """Hold a mean cost: the price of money, 1/w, rises by eta for every mean budget spent too much.

    Attributes:
        budget_usd: Mean cost per query.
        eta: Quality per USD, by which one mean budget too many raises the price.
        price: Quality per USD; where it starts, the reciprocal of a worth.
        most: Worth while nothing is short.
    """

    budget_usd: float
    eta: float
    price: float
    most: float

    def __post_init__(self) -> None:
        if not self.budget_usd > 0 or not 0 < self.most < float("inf"):
            raise ConfigError(f"a mean budget of ${self.budget_usd} and a worth of at most ${self.most}; expected positive amounts.")
        _refuse_negative(self.eta, self.price)

    @classmethod
    def at(cls, budget_usd: float, worth: float, memory: float = 100.0) -> BudgetQueue:
        """Start at a worth, from which spending nothing, or twice the budget, for `memory` queries leads far away."""
        return cls(budget_usd, 1.0 / (worth * memory), 1.0 / worth, 1e3 * worth)

    @property
    def worth(self) -> float:
        """See `Queue`."""
        return min(1.0 / self.price, self.most) if self.price > 0 else self.most

    def after(self, quality: float, cost_usd: float) -> BudgetQueue:
        """Observe what an answer cost."""
        return replace(self, price=max(0.0, self.price + self.eta * (cost_usd / self.budget_usd - 1.0)))


class Tracking:
    """A policy whose worth follows a queue; a query is decided at one worth from its first token to its last."""

    def __init__(self, queue: Queue, policy_at: Callable[[float], Policy]) -> None:
        """Start.

        Args:
            queue: Where it starts.
            policy_at: The policy at a worth, such as `lambda worth: Dual(forecast, latents, worth)`.
        """
        self.queue = queue
        self._policy_at = policy_at
        self._open: dict[str, Policy] = {}

    @property
    def worth(self) -> float:
        """At which the next query is decided."""
        return self.queue.worth

    def choose(self, query: Query, tried: tuple[Candidate, ...] = (), spent_usd: float = 0.0) -> Decision:
        """Decide at the worth of the moment when the query was first seen."""
        if query.id not in self._open:
            self._open[query.id] = self._policy_at(self.queue.worth)
        return self._open[query.id].choose(query, tried, spent_usd)

    def learn(self, query: Query, quality: float, cost_usd: float) -> None:
        """Observe an answered query, in [0, 1] and USD. Queries may end in another order than they began in."""
        self._open.pop(query.id, None)
        self.queue = self.queue.after(quality, cost_usd)


def _refuse_negative(eta: float, start: float) -> None:
    if not eta > 0 or not start >= 0:
        raise ConfigError(f"a step of {eta} from {start}; expected a positive step, and a start that is not negative.")
