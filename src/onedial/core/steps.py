"""Generators that ask, and the pure driver that answers them.

A strategy is a generator: it yields asks, is sent replies, and returns a result.
`drive` runs one against any function from ask to reply, so the same lines run
in a simulated world, in replay and in a test. The asynchronous driver, with the
ledger, is in `onedial.runtime`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeAlias, TypeVar

from onedial.core.ask import Ask, Reply

T = TypeVar("T")
Steps: TypeAlias = Generator[Ask, Reply, T]


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
