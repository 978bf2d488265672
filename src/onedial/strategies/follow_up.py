"""Ask again with what was said before: the conversation that follow-up asks are made of.

Turns alternate between assistant and user, which many chat templates insist on.
"""

from __future__ import annotations

from collections.abc import Iterable

from onedial.core.query import Message, Query

NOTHING = "(no answer)"
"""Stands for a completion without text: an empty turn is refused by some endpoints."""


def follow_up(query: Query, said: Iterable[str], request: str) -> tuple[Message, ...]:
    """The query, then every text as something the assistant said, each followed by the request; of a query without text, only these."""
    turns = [(Message("assistant", text.strip() or NOTHING), Message("user", request)) for text in said]
    return (*query.messages, *(message for turn in turns for message in turn))
