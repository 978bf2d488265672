"""A query: one request, as messages."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from onedial.core.errors import QueryError


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: role is `system`, `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Query:
    """A request to be answered.

    Attributes:
        id: Stable key; outcomes are stored under it.
        prompt: The user's text, never blank unless `textless`.
        system: Optional system text.
        reference: The right answer where it is known (collecting, benchmarks); never shown to a model or a forecast.
        dataset: Where it comes from, for reports only; never a feature.
        textless: Its outcomes are recorded but its text is not: it can be replayed and compared, not asked. Made by `without_text`.
    """

    id: str
    prompt: str
    system: str = ""
    reference: str | None = None
    dataset: str = ""
    textless: bool = False

    def __post_init__(self) -> None:
        if self.textless and (self.prompt or self.system):
            raise QueryError(f"query {self.id!r} is marked as being without text, and has some. Leave out one or the other.")
        if not self.textless and not self.prompt.strip():
            raise QueryError(f"query {self.id!r} has an empty prompt; expected text to answer. Remove it or fill it in.")

    @classmethod
    def of(cls, prompt: str, **fields: str | None) -> Query:
        """A query whose id is a digest of its text."""
        digest = hashlib.blake2b(prompt.encode(), digest_size=8).hexdigest()
        return cls(id=digest, prompt=prompt, **fields)  # type: ignore[arg-type]

    @classmethod
    def without_text(cls, query_id: str, reference: str | None = None, dataset: str = "") -> Query:
        """A query of which only outcomes are recorded. Its features are those of an empty text, the same for all of its kind."""
        return cls(query_id, "", reference=reference, dataset=dataset, textless=True)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation to send; empty for a query without text, which a replay answers and no model is asked."""
        if self.textless:
            return ()
        system = (Message("system", self.system),) if self.system else ()
        return (*system, Message("user", self.prompt))
