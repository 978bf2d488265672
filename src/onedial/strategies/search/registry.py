"""The searches by the name that arm ids use, and their settings. Adding one means adding a file and an entry here."""

from __future__ import annotations

from collections.abc import Callable

from onedial.core.answer import Answer
from onedial.core.steps import Steps
from onedial.strategies.search.ab_mcts import ab_mcts
from onedial.strategies.search.beam import beam_search
from onedial.strategies.search.dvts import diverse_search
from onedial.strategies.search.lookahead import lookahead_search
from onedial.strategies.search.mcts import tree_search
from onedial.strategies.search.particles import particle_filter
from onedial.strategies.search.rebase import rebase
from onedial.strategies.settings import Setting, amount, count, positive, share, sources

SEARCHES: dict[str, Callable[..., Steps[Answer]]] = {
    "beam": beam_search,
    "dvts": diverse_search,
    "lookahead": lookahead_search,
    "rebase": rebase,
    "particle": particle_filter,
    "mcts": tree_search,
    "abmcts": ab_mcts,
}

SETTINGS: dict[str, dict[str, Setting]] = {
    "beam": {"branches": count},
    "dvts": {"branches": count},
    "lookahead": {"branches": count, "ahead": count},
    "rebase": {"balance": positive},
    "particle": {"fewest": share},
    "mcts": {"branches": count, "exploration": amount},
    "abmcts": {"others": sources},
}
"""What an arm may set of them, as `onedial.strategies.registry` has it of the others."""
