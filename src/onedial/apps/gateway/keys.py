"""Who may ask, and what each may spend. Amounts are reserved before anything is sent, so that no cap is passed under concurrency."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onedial.apps.gateway.trouble import Refused
from onedial.core.errors import ConfigError
from onedial.runtime.config import KeyTable
from onedial.runtime.ledger import Budget, Grant


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes:
        name: Shown in place of its secret.
        secret: What clients send.
        grant: What it may spend, inside the gateway's own.
    """

    name: str
    secret: str
    grant: Grant


class Doorkeeper:
    """Lets keys in; without any, everyone on this machine."""

    def __init__(self, keys: Sequence[Key], everyone: Grant) -> None:
        self.keys = tuple(keys)
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


def keys_of(tables: Sequence[KeyTable], env: Mapping[str, str], within: Grant) -> list[Key]:
    """Open every key's own budget inside the gateway's.

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
        found.append(Key(table.name, secret, within.child(budget)))
    return found
