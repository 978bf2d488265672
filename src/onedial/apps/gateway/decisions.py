"""What the gateway decided, so that it can be asked why, and told afterwards how it went."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onedial.apps.ask import outlook_of
from onedial.apps.terminal import plain
from onedial.core.answer import Candidate
from onedial.core.query import Query
from onedial.engine.promise import Promise
from onedial.engine.solve import Solved

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Decided:
    """One request that was decided.

    Attributes:
        key: Name of the key that asked; others may not see it.
        said: What is told of it.
        query: What was asked, where an outcome of it can be learned from.
        chosen: The candidate that was the answer, likewise.
    """

    key: str
    said: Mapping[str, Any]
    query: Query | None = None
    chosen: Candidate | None = None


class Decisions:
    """The latest decisions by request id, in memory."""

    def __init__(self, most: int = KEPT) -> None:
        self._held: OrderedDict[str, Decided] = OrderedDict()
        self._most = most

    def keep(self, name: str, one: Decided) -> None:
        """Keep one; the oldest goes when there are too many."""
        self._held[name] = one
        if len(self._held) > self._most:
            self._held.popitem(last=False)

    def of(self, name: str, key: str) -> Decided | None:
        """The decision on a request of this key."""
        found = self._held.get(name)
        return found if found is not None and found.key == key else None


def new_name() -> str:
    """An id that nobody guesses."""
    return f"chatcmpl-{secrets.token_hex(12)}"


def told(solved: Solved, promised: Promise, overhead_ms: float) -> dict[str, Any]:
    """The `onedial` object of an answer: what was drawn and why, what it cost, and what is promised."""
    spend, usage = solved.answer.spend, solved.answer.spend.usage
    drawn = [
        {
            "arm": str(decision.arm),
            "reason": decision.reason,
            "expected_quality": None if (one := outlook_of(decision)) is None else one.quality,
            "cost_usd": block.spend.cost_usd,
            "trouble": block.trouble or None,
        }
        for decision, block in zip(solved.decisions, solved.drawn, strict=False)
    ]
    chosen = solved.chosen
    return {
        "arm": drawn[-1]["arm"] if drawn else None,
        "model": None if chosen is None else chosen.source.model,
        "applied_effort": None if chosen is None else chosen.source.effort,
        "reason": solved.answer.stopped,
        "quality": solved.quality,
        "drawn": drawn,
        "outlooks": plain(solved.decisions[0].outlooks),
        "promise": promised.sentence,
        "certified": promised.certificate is not None and promised.mixture is not None,
        "calls": usage.calls,
        "tokens": {
            "input": usage.input_tokens,
            "cached": usage.cached_tokens,
            "output": usage.output_tokens,
            "thinking": usage.thinking_tokens,
        },
        "bounded": usage.bounded,
        "cost_usd": spend.cost_usd,
        "overhead_ms": overhead_ms,
    }
