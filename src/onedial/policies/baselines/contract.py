"""What a baseline is given, and what it gives back. How baselines are compared is in `evals`.

There are two kinds. A *router* decides everything before the first token: it picks
one fixed arm per query. A *stepper* sees answers: it is a list of policies like any
other, and is rolled out on recorded samples. Both come as a ladder, from thrifty to
lavish, so that any target can be met by mixing two neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from onedial.core.decision import Policy
from onedial.core.outcome import Floats, Ints, Panel
from onedial.core.query import Query
from onedial.core.usage import Price
from onedial.policies.grid import Grid


@dataclass(frozen=True, slots=True)
class Lesson:
    """The training split of a table: everything that a baseline may learn from.

    Attributes:
        panel: Graded samples; `panel.queries` are the rows of everything below.
        features: (n_queries, width) of `forecasts.features`.
        grid: Every fixed arm that is complete on the table; its columns are what a router picks.
        prices: Per model; a model without one costs what was recorded.
        seed: Of everything random.
        caches: Whether a prompt put to a model a second time is billed as cached.
    """

    panel: Panel
    features: Floats
    grid: Grid
    prices: Mapping[str, Price]
    seed: int
    caches: bool = False

    @property
    def queries(self) -> tuple[Query, ...]:
        """The training queries."""
        return self.panel.queries


class Router(Protocol):
    """A fitted router."""

    def picks(self, queries: Sequence[Query], features: Floats) -> Ints:
        """(n_rungs, n_queries) the column of the lesson's grid chosen at each setting of the router's own knob, thrifty first."""
        ...


@dataclass(frozen=True, slots=True)
class RouterRecipe:
    """A router to be fitted.

    Attributes:
        name: Under which it was published.
        source: Where.
        fit: Learns from a lesson, hyperparameters included.
    """

    name: str
    source: str
    fit: Callable[[Lesson], Router]


@dataclass(frozen=True, slots=True)
class StepperRecipe:
    """A policy that sees answers, to be fitted: `fit` returns its ladder, thrifty first."""

    name: str
    source: str
    fit: Callable[[Lesson], Sequence[Policy]]
