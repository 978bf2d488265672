"""How the requests of one ask for several samples are sent, where each brings one: all at once, or the first one alone.

A prompt that has just been read is billed at the cached price, but only once the first request with it is answered. So where
the endpoint caches prompts, the first goes alone if that saves enough of the bill to be worth the wait, and the rest follow at
once. Not again for a prompt that is warm already, nor where going first turned out to save nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from onedial.core.answer import Spend
from onedial.core.ask import Sample
from onedial.core.errors import OnedialError
from onedial.core.usage import Price
from onedial.runtime.bound import output_bound
from onedial.runtime.cutting import Part
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.owed import owe, owed

WORTH_SAVING = 0.05
"""Share of the bill that is to be saved at least, were every completion as long as it may be: it costs the wait for one sample."""
BYTES_PER_TOKEN = 4
"""Of text, about; a prompt taken for too short or too long costs a little money or time, nothing else."""
WARM_S = 240.0
"""Seconds for which a prompt is taken to stay cached: somewhat less than the five minutes that are usual."""
REMEMBERED = 1024
"""Prompts at most."""

Bring = Callable[[Sample], Awaitable[Part]]
"""Carries out an ask for one sample."""


class Warmth:
    """Which prompts endpoints have read of late, and whether that shows in their bills.

    Args:
        clock: Seconds since any moment.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._read_at: dict[int, float] = {}
        self._in_vain: set[str] = set()

    def first_alone(self, ask: Sample, endpoint: Endpoint) -> bool:
        """Whether the first of the requests for these samples is to be answered before the others are sent."""
        model, prompt = endpoint.model, prompt_size(ask)
        if "cache" not in model.capabilities or model.name in self._in_vain or prompt < endpoint.cache_from_tokens:
            return False
        if self._clock() - self._read_at.get(_key(ask), -WARM_S) < WARM_S:
            return False
        return share_saved(ask.n, prompt, output_bound(ask, model), model.price) >= WORTH_SAVING

    def note(self, ask: Sample, parts: Sequence[Part], *, alone: bool) -> None:
        """Remember that a prompt was read; and, of a first one sent `alone`, whether those behind it were cheaper for it."""
        answered = [part for part in parts if part.completions]
        if not answered:
            return
        self._read_at[_key(ask)] = self._clock()
        while len(self._read_at) > REMEMBERED:
            del self._read_at[next(iter(self._read_at))]
        if alone and parts[0].completions and len(answered) > 1 and not any(part.usage.cached_tokens for part in answered[1:]):
            self._in_vain.add(ask.source.model)


def prompt_size(ask: Sample) -> int:
    """About how many tokens the shared prompt has."""
    return len(ask.continue_from + "".join(message.content for message in ask.messages)) // BYTES_PER_TOKEN


def share_saved(n: int, prompt: int, output: int, price: Price) -> float:
    """The part of the bill of `n` requests that is saved where all but the first find their prompt cached.

    >>> round(share_saved(8, 2000, 500, Price(1.0, 4.0, 0.1)), 2)
    0.39
    """
    if price.cached_usd_per_mtok is None:
        return 0.0
    whole = n * (prompt * price.input_usd_per_mtok + output * price.output_usd_per_mtok)
    saved = (n - 1) * prompt * (price.input_usd_per_mtok - price.cached_usd_per_mtok)
    return saved / whole if whole > 0 else 0.0


async def fan_out(asks: Sequence[Sample], bring: Bring, price: Price, *, first_alone: bool = False) -> list[Part]:
    """Carry out asks side by side, or the others once the first has ended; what came is kept where some fail.

    Args:
        asks: For one sample each, of one model.
        bring: Carries one out.
        price: Of the model.
        first_alone: Whether the first goes alone; where it ends in an error, no other is sent.

    Returns:
        A part per ask that was sent, in their order; of one that ended in a foreseen error, what that says and cost.

    Raises:
        OnedialError: The first that was met, where nothing came of the others; `owed` tells what all of them cost.
        BaseException: Any other, likewise.
    """
    ended: list[Part | BaseException | None] = [None] * len(asks)

    async def one(at: int) -> None:
        try:
            ended[at] = await bring(asks[at])
        except (Exception, asyncio.CancelledError) as error:
            ended[at] = error

    places = range(len(asks))
    try:
        for wave in (places[:1], places[1:]) if first_alone else (places,):
            if not _errors(ended):
                await asyncio.gather(*map(one, wave))
    except asyncio.CancelledError as error:
        _owe_all(error, ended, price)
        raise
    return _kept(ended, price)


def _errors(ended: Sequence[Part | BaseException | None]) -> list[BaseException]:
    return [end for end in ended if isinstance(end, BaseException)]


def _kept(ended: Sequence[Part | BaseException | None], price: Price) -> list[Part]:
    """What came, if anything was used and every error was foreseen; else the first error."""
    errors, sent = _errors(ended), [end for end in ended if end is not None]
    unforeseen = next((error for error in errors if not isinstance(error, OnedialError)), None)
    if unforeseen or (errors and not any(isinstance(end, Part) and end.usage.calls for end in sent)):
        first = unforeseen or errors[0]
        _owe_all(first, ended, price)
        raise first
    return [end if isinstance(end, Part) else Part((), (owed(end) or Spend()).usage, str(end)) for end in sent]


def _owe_all(error: BaseException, ended: Sequence[Part | BaseException | None], price: Price) -> None:
    """Owe with an error what all have cost; nothing is said where that of one is not known."""
    parts = [Spend(end.usage, price.cost_usd(end.usage)) for end in ended if isinstance(end, Part)]
    lost = [owed(end) for end in _errors(ended)]
    if None not in lost:
        owe(error, sum((one for one in (*parts, *lost) if one is not None), Spend()))


def _key(ask: Sample) -> int:
    return hash((ask.source, ask.messages, ask.continue_from))
