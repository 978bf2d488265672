"""Generators that ask, and the pure driver that answers them.

A strategy is a generator: it yields asks, is sent replies, and returns a result.
`drive` runs one against any function from ask to reply, so the same lines run
in a simulated world, in replay and in a test. The asynchronous driver, with the
ledger, is in `onedial.runtime`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from onedial.core.answer import Spend
from onedial.core.ask import Ask, Completion, Refusal, Reply, Samples

T = TypeVar("T")
Steps: TypeAlias = Generator[Ask, Reply, T]


@dataclass(frozen=True, slots=True)
class Brought:
    """What one ask brought: its completions, what it cost, and why it brought fewer than asked for; '' if it did not."""

    completions: tuple[Completion, ...] = ()
    spend: Spend = Spend()
    trouble: str = ""


def bring(ask: Ask) -> Steps[Brought]:
    """Put one ask and settle its reply, whichever kind it is."""
    reply = yield ask
    if not isinstance(reply, Samples):
        return Brought((), spend_of(reply), reply.reason if isinstance(reply, Refusal) else reply.message)
    came = len(reply.completions)
    return Brought(reply.completions, spend_of(reply), "" if came == ask.n else f"{ask.source} returned {came} of {ask.n} samples")


def spend_of(reply: Reply) -> Spend:
    """What a reply is charged; nothing for an ask that was not sent."""
    return Spend() if isinstance(reply, Refusal) else Spend(reply.usage, reply.cost_usd, reply.latency_s)


def drive(steps: Steps[T], answer: Callable[[Ask], Reply]) -> T:
    """Run a generator to its end, answering every ask with `answer`.

    Args:
        steps: A fresh generator.
        answer: Maps an ask to its reply; an exception it raises ends the run and reaches the caller.

    Returns:
        What the generator returns.
    """
    try:
        ask = next(steps)
        while True:
            ask = steps.send(answer(ask))
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        steps.close()
