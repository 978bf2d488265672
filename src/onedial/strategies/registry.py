"""The strategies by the name that arm ids use. Adding one means adding a file and an entry here."""

from __future__ import annotations

from collections.abc import Callable

from onedial.core.answer import Answer
from onedial.core.arm import Arm, Source
from onedial.core.errors import ConfigError, unknown
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.best_of_n import best_of_n
from onedial.strategies.budget_forcing import budget_forcing
from onedial.strategies.direct import direct
from onedial.strategies.draw import Reading
from onedial.strategies.pessimistic_best import pessimistic_best
from onedial.strategies.revision_chain import revision_chain
from onedial.strategies.self_consistency import self_consistency
from onedial.strategies.self_refine import self_refine
from onedial.strategies.thinking_budget import thinking_budget
from onedial.strategies.universal import universal
from onedial.strategies.weighted_vote import weighted_vote

Strategy = Callable[[Query, Source, int, Reading], Steps[Answer]]

STRATEGIES: dict[str, Strategy] = {
    "direct": direct,
    "vote": self_consistency,
    "best": best_of_n,
    "cap": thinking_budget,
    "wvote": weighted_vote,
    "pbest": pessimistic_best,
    "usc": universal,
    "refine": self_refine,
    "revise": revision_chain,
    "force": budget_forcing,
}


def steps_of(arm: Arm, query: Query, reading: Reading) -> Steps[Answer]:
    """Start the arm's strategy on a query.

    Raises:
        ConfigError: The arm names a strategy that is not registered.
    """
    if arm.strategy not in STRATEGIES:
        raise ConfigError(f"arm {str(arm)!r}: {unknown('strategy', arm.strategy, STRATEGIES)}")
    return STRATEGIES[arm.strategy](query, arm.source, arm.n, reading)
