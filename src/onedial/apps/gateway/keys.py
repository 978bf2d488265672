"""Who may ask, and what each may spend. Amounts are reserved before anything is sent, so that no cap is passed under concurrency."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onedial.apps.gateway.purse import Purse, Rate
from onedial.apps.gateway.trouble import Refused
from onedial.core.errors import ConfigError
from onedial.runtime.config import KeyTable
from onedial.runtime.ledger import Budget, Grant
from onedial.runtime.spend_book import SpendBook


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes:
        name: Shown in place of its secret.
        secret: What clients send.
        purse: What it may spend, inside the gateway's own: in all, or per period.
        rate: How often it may ask; None is no limit.
    """

    name: str
    secret: str
    purse: Grant | Purse
    rate: Rate | None = None

    @property
    def grant(self) -> Grant:
        """What it may spend now."""
        return self.purse.grant if isinstance(self.purse, Purse) else self.purse

    def refusal(self, error: Exception) -> Exception:
        """An exhausted budget as the client is to see it."""
        return self.purse.refusal(error) if isinstance(self.purse, Purse) else error


class Doorkeeper:
    """Lets keys in; without any, everyone on this machine."""

    def __init__(self, keys: Sequence[Key], everyone: Grant, book: SpendBook | None = None) -> None:
        self.keys, self._book = tuple(keys), book
        self._everyone = Key("", "", everyone)

    def admit(self, headers: Mapping[str, str]) -> Key:
        """The key that a request carries.

        Raises:
            Refused: 401 where it has none that is known.
        """
        if not self.keys:
            return self._everyone
        bearer = headers.get("authorization", "")
        sent = bearer.removeprefix("Bearer ").strip() if bearer else headers.get("x-api-key", "")
        found = [key for key in self.keys if hmac.compare_digest(key.secret.encode(), sent.encode())]
        if not found:
            raise Refused(401, "the API key is missing or not known here. Send it as `Authorization: Bearer ...`.", code="invalid_api_key")
        return found[0]

    async def kept(self) -> None:
        """Wait until what has been settled is on disk."""
        if self._book is not None:
            await self._book.kept()

    def close(self) -> None:
        """Write what is left to write."""
        if self._book is not None:
            self._book.close()


def keys_of(tables: Sequence[KeyTable], env: Mapping[str, str], within: Grant, book: SpendBook | None = None) -> list[Key]:
    """Open every key's own budget inside the gateway's, with what the book says is spent of it.

    Raises:
        ConfigError: A secret is not in the environment, or two keys have the same.
    """
    found: list[Key] = []
    for table in tables:
        secret = env.get(table.env, "")
        if not secret:
            raise ConfigError(f"the key {table.name!r} has no secret: set the environment variable {table.env}.")
        if any(key.secret == secret for key in found):
            raise ConfigError(f"the keys {found[-1].name!r} and {table.name!r} have the same secret; give each its own.")
        budget = Budget(usd=table.cap_usd, tokens=table.cap_tokens, calls=table.cap_calls)
        rate = None if table.requests_per_minute is None else Rate(table.requests_per_minute)
        found.append(Key(table.name, secret, Purse(table.name, within, budget, table.per, book), rate))
    return found
