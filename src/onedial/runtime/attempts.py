"""The attempts at one request: which are repeated, after what wait, and what each is charged.

A refused attempt is free. One that may have been generated and never arrived is charged at its worst case, marked as
bounded; so is one that is cancelled once it has been sent. What is spent goes with an error that ends it all.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from onedial.core.answer import Spend
from onedial.core.ask import Completion
from onedial.core.errors import OnedialError
from onedial.core.usage import Usage
from onedial.runtime.cutting import Part
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.faults import LONGEST_ASKED_WAIT_S, Again, wait_s
from onedial.runtime.owed import owe, owed
from onedial.runtime.tally import Tally

Once = Callable[[], Awaitable[tuple[tuple[Completion, ...], Tally]]]
"""Sends a request once and reads its reply."""


@dataclass(slots=True)
class Attempts:
    """Attempts at one request, until one works or it may not be repeated any more.

    Attributes:
        endpoint: Where it goes.
        worst: What an attempt can use at most.
        slots: As many attempts are under way at a time, of all requests to this endpoint.
        sleep: Waits that many seconds.
        rng: Source of the jitter between attempts.
        lost: What attempts that brought nothing are charged so far.
        under_way: What the one that is sent now would be charged if nothing more were heard of it.
    """

    endpoint: Endpoint
    worst: Usage
    slots: asyncio.Semaphore
    sleep: Callable[[float], Awaitable[object]]
    rng: random.Random
    lost: Usage = Usage()
    under_way: Usage = Usage()

    async def persist(self, once: Once) -> tuple[Part, Tally | None]:
        """Attempt; what came, and what its reply proves.

        Raises:
            OnedialError: Repeating cannot mend it; `owed` tells what was spent, also where it is cancelled.
        """
        try:
            return await self._until_it_works(once)
        except BaseException as error:
            used = self.lost + self.under_way
            owe(error, Spend(used, self.endpoint.model.price.cost_usd(used)))
            raise

    async def _until_it_works(self, once: Once) -> tuple[Part, Tally | None]:
        retries = self.endpoint.retries
        for attempt in range(retries + 1):
            try:
                completions, counted = await self._one(once)
            except Again as trouble:
                last, after_s = str(trouble), trouble.after_s
            else:
                return Part(completions, self.lost + counted.usage), counted
            if (after_s or 0.0) > LONGEST_ASKED_WAIT_S:
                return Part((), self.lost, f"{last} It asks to wait {after_s:.0f} s."), None
            if attempt < retries:
                await self.sleep(wait_s(attempt, after_s, self.rng))
        return Part((), self.lost, f"{last} Gave up after {retries + 1} attempts."), None

    async def _one(self, once: Once) -> tuple[tuple[Completion, ...], Tally]:
        async with self.slots:
            self.under_way = self.worst
            try:
                came = await once()
            except Again as trouble:
                self.under_way, self.lost = Usage(), self.lost + (self.worst if trouble.charged else Usage())
                raise
            except OnedialError as error:
                self.under_way = (owed(error) or Spend()).usage
                raise
            self.under_way = Usage()
            return came
