"""What a key may spend in a period and how often it may ask. Time comes in as clocks; what is on disk, in `spend_book`."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Literal

from onedial.apps.gateway.trouble import Refused
from onedial.runtime.ledger import Budget, Grant
from onedial.runtime.spend_book import SpendBook

Per = Literal["hour", "day", "month"]
Clock = Callable[[], float]
MINUTE_S = 60.0
SOON_S = 1.0
"""When to ask again where requests under way hold what is left: most use far less than is held for them."""
_LABELS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "month": "%Y-%m"}


def period_of(per: Per | None, now_s: float) -> tuple[str, float]:
    """The name of the period in UTC that a moment lies in, and when it ends, both in seconds since 1970; no period is one without end.

    >>> period_of("month", 0.0)
    ('1970-01', 2678400.0)
    """
    if per is None:
        return "", float("inf")
    now = datetime.fromtimestamp(now_s, UTC)
    begin = now.replace(minute=0, second=0, microsecond=0)
    if per == "hour":
        end = begin + timedelta(hours=1)
    elif per == "day":
        end = begin.replace(hour=0) + timedelta(days=1)
    else:
        end = (begin.replace(day=1, hour=0) + timedelta(days=32)).replace(day=1)
    return now.strftime(_LABELS[per]), end.timestamp()


class Purse:
    """A key's budget, anew in every period. What was reserved in one period is settled in that one.

    Args:
        name: Of the key, and of its rows in the book.
        within: The grant that all of it is spent in.
        book: Where it is kept; None keeps it in memory.
        clock: Seconds since 1970.
    """

    def __init__(
        self, name: str, within: Grant, budget: Budget, per: Per | None = None, book: SpendBook | None = None, clock: Clock = time.time
    ) -> None:
        self.per: Per | None = per
        self._name, self._within, self._budget, self._book, self._clock = name, within, budget, book, clock
        self._period, self._ends = period_of(per, clock())
        self._grant = self._opened()

    @property
    def grant(self) -> Grant:
        """What may be spent in the present period."""
        if self._clock() >= self._ends:
            self._period, self._ends = period_of(self.per, self._clock())
            self._grant = self._opened()
        return self._grant

    def _opened(self) -> Grant:
        grant, book, name, period = self._within.child(self._budget), self._book, self._name, self._period
        if book is not None:
            grant.charge(*book.read(name, period))
            grant.on_settled = lambda: book.note(name, period, grant.usage, grant.spent.usd)
        return grant

    def refusal(self, error: Exception) -> Exception:
        """The error as the client is to see it: 429 where waiting helps, itself where it does not."""
        grant = self.grant
        if self.per is None or (grant.spent.calls, grant.reserved.calls) == (0, 0):
            return error
        again = SOON_S if grant.reserved.calls else self._ends - self._clock()
        when = datetime.fromtimestamp(self._ends, UTC).strftime("%Y-%m-%d %H:%M UTC")
        message = f"{error} This {self.per} {grant.left} are left; the next one begins at {when}."
        return Refused(429, message, "insufficient_quota", "insufficient_quota", retry_after_s=max(1, ceil(again)))


class Rate:
    """At most so many requests in any 60 seconds.

    Args:
        per_minute: How many.
        clock: Seconds, from anywhere, that never go back.
    """

    def __init__(self, per_minute: int, clock: Clock = time.monotonic) -> None:
        self._latest, self._clock, self._per_minute = deque[float](maxlen=per_minute), clock, per_minute

    def take(self) -> None:
        """Count a request.

        Raises:
            Refused: 429; the request is not counted then.
        """
        now = self._clock()
        if len(self._latest) == self._per_minute and now - self._latest[0] < MINUTE_S:
            wait = max(1, ceil(MINUTE_S - (now - self._latest[0])))
            message = f"this key may send {self._per_minute} requests a minute; 0 are left. Ask again in {wait} seconds."
            raise Refused(429, message, "rate_limit_error", "rate_limit_exceeded", retry_after_s=wait)
        self._latest.append(now)
