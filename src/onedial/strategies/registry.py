"""The strategies by the name that arm ids use, and their settings. Adding one means adding a file and an entry here."""

from __future__ import annotations

from collections.abc import Callable

from onedial.core.answer import Answer
from onedial.core.arm import Arm
from onedial.core.confidence import MEASURES
from onedial.core.errors import ConfigError, unknown
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.best_of_n import best_of_n
from onedial.strategies.budget_forcing import budget_forcing
from onedial.strategies.deepconf import deepconf
from onedial.strategies.deepconf_online import deepconf_online
from onedial.strategies.direct import direct
from onedial.strategies.draw import Reading
from onedial.strategies.mixture_vote import mixture_vote
from onedial.strategies.parallel_chains import parallel_chains
from onedial.strategies.pessimistic_best import pessimistic_best
from onedial.strategies.reflexion import reflexion
from onedial.strategies.revision_chain import revision_chain
from onedial.strategies.search.registry import SEARCHES
from onedial.strategies.search.registry import SETTINGS as OF_SEARCHES
from onedial.strategies.self_certainty import self_certainty
from onedial.strategies.self_consistency import self_consistency
from onedial.strategies.self_refine import self_refine
from onedial.strategies.settings import Setting, amount, amounts, count, one_of, positive, settings_of, share, sources, whole
from onedial.strategies.thinking_budget import thinking_budget
from onedial.strategies.universal import universal
from onedial.strategies.weighted_vote import weighted_vote

Strategy = Callable[..., Steps[Answer]]
"""Called with query, source, n and reading, and with the settings of `SETTINGS` by name, all of which have a default."""

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
    "certain": self_certainty,
    "deepconf": deepconf,
    "deepstop": deepconf_online,
    **SEARCHES,
    "mix": mixture_vote,
    "reflect": reflexion,
    "chains": parallel_chains,
}

_GROUPS: dict[str, Setting] = {"keep": share, "window": count, "top": whole}
SETTINGS: dict[str, dict[str, Setting]] = {
    "pbest": {"pessimism": amount},
    "certain": {"power": amount, "top": whole},
    "deepconf": {**_GROUPS, "measure": one_of(MEASURES)},
    "deepstop": {**_GROUPS, "warm": count, "block": count, "consensus": share},
    **OF_SEARCHES,
    "mix": {"others": sources, "weights": amounts},
    "reflect": {"accept": share},
    "chains": {"ratio": positive},
}
"""What an arm may set of its strategy, as in `small/pbest=8/pessimism=0.2`; one that is not here has nothing to set."""


def most_asks(strategy: str, n: int) -> int:
    """Requests that a run makes at most where each brings one sample, a judge's apart: those for its `n` samples, and one to choose.

    >>> most_asks("usc", 5), most_asks("reflect", 5), most_asks("cap", 512)
    (6, 9, 1)
    """
    return {"reflect": 2 * n - 1, "cap": 1}.get(strategy, n + 1)


def steps_of(arm: Arm, query: Query, reading: Reading) -> Steps[Answer]:
    """Start the arm's strategy on a query.

    Raises:
        ConfigError: The arm names a strategy that is not registered, or a setting that the strategy does not have.
    """
    if arm.strategy not in STRATEGIES:
        raise ConfigError(f"arm {str(arm)!r}: {unknown('strategy', arm.strategy, STRATEGIES)}")
    return STRATEGIES[arm.strategy](query, arm.source, arm.n, reading, **settings_of(arm, SETTINGS.get(arm.strategy, {})))
