"""Find out what an endpoint does, by asking it a little."""

from __future__ import annotations

from dataclasses import dataclass

from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.core.query import Message
from onedial.core.usage import Usage
from onedial.runtime.openai import OpenAIClient

LONG_ANSWER = (Message("user", "Count from 1 to 200, in words."),)
MAX_TOKENS = 16


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
    """Ask for two long completions, cut short in one request: their true count is known, so the reported one is tested.

    Raises:
        OnedialError: The endpoint failed or refused.
    """
    model = client.models[name]
    ask = Sample("probe", Source(name, model.labels()[0]), LONG_ANSWER, n=2, max_tokens=MAX_TOKENS)
    counted = await client.request(ask)
    both = len(counted.output_tokens) == ask.n
    return Probed(both, counted.counts_one_choice if both else None, counted.usage)
