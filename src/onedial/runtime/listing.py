"""What an endpoint says at `/models`: names, and with some servers the context of each and what serves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from onedial.core.errors import ModelError

if TYPE_CHECKING:
    import aiohttp

LISTING_S = 5.0
CONTEXT_KEYS = ("max_model_len", "context_length", "context_window", "max_context_length", "max_input_tokens", "n_ctx")
"""As vLLM and SGLang, OpenRouter and Together, Groq, Mistral, Anthropic, and llama.cpp call it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A model that an endpoint lists.

    Attributes:
        name: Its name there.
        context_tokens: Prompt and output together; None where the endpoint does not tell.
        owner: Who owns it, by which servers of one's own name themselves: `vllm`, `sglang`, `llamacpp`; '' if that is not told.
    """

    name: str
    context_tokens: int | None = None
    owner: str = ""


async def listed(session: aiohttp.ClientSession, url: str, headers: Mapping[str, str]) -> tuple[Listed, ...]:
    """Ask an endpoint for its models.

    Raises:
        ModelError: It cannot be reached, refuses, or sends something else.
    """
    import aiohttp

    where, patience = url.rstrip("/") + "/models", aiohttp.ClientTimeout(total=LISTING_S)
    try:
        async with session.get(where, headers=headers, timeout=patience, allow_redirects=False) as response:
            status, data = response.status, await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ModelError(f"{where} cannot be reached: {str(error) or type(error).__name__}. Start it, or correct the address.") from error
    if status in (401, 403):
        raise ModelError(f"{where} answered {status}: it refuses the key, or needs one. Name the variable that holds it with --key-env.")
    try:
        return tuple(_listed(entry) for entry in msgspec.json.decode(data)["data"])
    except (ValueError, TypeError, KeyError) as error:
        said = f"{where} answered {status}, and no list of models"
        raise ModelError(f"{said}. Expected an address that ends before /models, often in /v1.") from error


def _listed(entry: Mapping[str, Any]) -> Listed:
    meta = entry.get("meta")
    found = {**(meta if isinstance(meta, dict) else {}), **entry}
    contexts = (found.get(key) for key in CONTEXT_KEYS)
    context = next((n for n in contexts if isinstance(n, int) and not isinstance(n, bool) and n > 0), None)
    return Listed(str(entry["id"]), context, str(found.get("owned_by") or ""))
