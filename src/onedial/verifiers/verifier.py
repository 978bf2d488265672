"""What a verifier is, and the registry of those built in.

A verifier scores an extracted answer from the query's text alone; it never
sees the reference. Adding one means adding a file and an entry to `VERIFIERS`.
"""

from __future__ import annotations

from collections.abc import Callable

from onedial.core.query import Query

Verifier = Callable[[Query, str], float | None]
"""From (query, extracted answer) to a score in [0, 1]; None: it has no opinion on this query."""


def no_opinion(query: Query, answer: str) -> float | None:
    """Abstain on everything: the verifier of a user who has none."""
    return None


VERIFIERS: dict[str, Verifier] = {"none": no_opinion}
