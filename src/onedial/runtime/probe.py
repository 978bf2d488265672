"""Find out what an endpoint does, by asking it a little."""

from __future__ import annotations

from dataclasses import dataclass, replace

from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.core.errors import ConfigError
from onedial.core.query import Message
from onedial.core.usage import Usage
from onedial.runtime.openai import OpenAIClient

PROMPT = (Message("user", "Count from 1 to 200, in words."),)
CAPS = (1, 16)
"""Output tokens allowed: one token each leaves no doubt; some endpoints refuse so few."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What two choices in one request showed.

    Attributes:
        returns_n: Whether both came.
        counts_one_choice: Whether the reported usage counts one of them only; None if the reply does not tell.
        usage: What finding out took.
    """

    returns_n: bool
    counts_one_choice: bool | None
    usage: Usage


async def probe_choices(client: OpenAIClient, name: str) -> Probed:
    """Ask for two completions in one request, cut so short that their true count is known, and compare what is reported.

    Raises:
        OnedialError: The endpoint failed or refused.
    """
    ask = Sample("probe", Source(name, client.models[name].labels()[0]), PROMPT, n=2, max_tokens=CAPS[0])
    try:
        counted = await client.request(ask)
    except ConfigError:
        counted = await client.request(replace(ask, max_tokens=CAPS[1]))
    both = len(counted.output_tokens) == ask.n
    return Probed(both, counted.counts_one_choice if both else None, counted.usage)
