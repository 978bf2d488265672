"""What an endpoint's error means: whose fault it is, and whether asking again may help. Pure."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import msgspec

from onedial.core.errors import ConfigError, ModelError, OnedialError, QueryError
from onedial.runtime.endpoint import Endpoint

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
LONGEST_ASKED_WAIT_S = 120.0

_AGAIN = {408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529}
_GENERATED_MEANWHILE = {408, 504, 524}  # a gateway gave up waiting; the model behind it may have worked, and be billed
_TOO_LONG = re.compile(
    r"context.{0,12}(length|window|size)|maximum context|too (long|large)|too many tokens|exceeds? .{0,30}context", re.IGNORECASE
)


class Again(Exception):
    """An attempt failed and may be repeated.

    Attributes:
        charged: Whether the endpoint may have generated, and bill, what never arrived.
        after_s: Seconds it asks to wait; None if it does not say.
    """

    def __init__(self, message: str, *, charged: bool, after_s: float | None = None) -> None:
        super().__init__(message)
        self.charged, self.after_s = charged, after_s


def wait_s(attempt: int, after_s: float | None, rng: random.Random) -> float:
    """Seconds to wait after failed attempt number `attempt` (from 0): doubling, jittered, never less than the endpoint asks for."""
    base = min(LONGEST_WAIT_S, FIRST_WAIT_S * float(2**attempt))
    return (after_s or 0.0) + base * rng.uniform(0.5, 1.0)


def fault(status: int, headers: Mapping[str, str], body: bytes, endpoint: Endpoint) -> OnedialError | Again:
    """The error that a status other than 200 stands for; an unknown model is left to the caller, who can list the known ones."""
    said = message_of(body)
    where = f"model {endpoint.model.name!r}: {endpoint.url} answered {status}: {said}"
    if status in (401, 403):
        return ModelError(f"{where} {key_advice(endpoint)}")
    if status == 402 or (status == 429 and "insufficient_quota" in body.decode("utf-8", "replace")):
        return ModelError(f"{where} The account behind the key has no credit left; asking again will not help.")
    if status in _AGAIN or status > 529:
        return Again(where, charged=status in _GENERATED_MEANWHILE, after_s=retry_after_s(headers))
    if status == 413 or (status in (400, 422) and _TOO_LONG.search(said)):
        return QueryError(f"{where} The prompt does not fit this model; shorten it, or use a model with a larger context.")
    if 300 <= status < 400:
        return ConfigError(f"{where} It has moved to {headers.get('Location', 'another address')}; write that address as url.")
    if status in (404, 405):
        return ConfigError(f"{where} Expected an address that ends before /chat/completions, often in /v1, and a model name known there.")
    return ConfigError(f"{where} It does not accept the request; check the model's effort bodies and capabilities.")


def key_advice(endpoint: Endpoint) -> str:
    """Say where the key belongs."""
    if endpoint.api_key_env:
        return f"Set the environment variable {endpoint.api_key_env} to a key that is valid there."
    return 'Write api_key_env = "NAME" into the model\'s entry, and set that environment variable to a key.'


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that the Retry-After header asks to wait: a number, or a date reckoned by the server's own clock."""
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("Date", ""))).total_seconds())
    except (ValueError, TypeError):
        return None


def message_of(body: bytes) -> str:
    """The words of an error reply, whatever form the server gives them, at most 300 characters and with a full stop."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = body.decode("utf-8", "replace")
    while isinstance(found, dict):
        found = next((found[key] for key in ("error", "message", "detail") if found.get(key)), str(found))
    text = " ".join(str(found).split())[:300]
    return text if text.endswith((".", "!", "?")) else (text or "nothing") + "."


def names_output_cap(body: bytes) -> bool:
    """Whether a refused request is told to write `max_completion_tokens` in place of `max_tokens`."""
    return b"max_completion_tokens" in body and b"max_tokens" in body
