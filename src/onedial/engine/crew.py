"""Several workers on one list of jobs, the first error of any of them, and work that is not left half done.

What a job is, and when to try again, is elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

from onedial.core.errors import first_of

T = TypeVar("T")


async def side_by_side(jobs: Sequence[T], concurrency: int, work: Callable[[Iterator[T]], Coroutine[Any, Any, None]]) -> None:
    """Let up to `concurrency` workers take jobs from one iterator until it is empty.

    Args:
        jobs: In the order in which they are taken.
        concurrency: Workers at most.
        work: One worker, given the iterator that all share.

    Raises:
        BaseException: The first error of any worker, as it was; the others are cancelled.
    """
    shared = iter(jobs)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(jobs))):
                group.create_task(work(shared))
    except BaseExceptionGroup as errors:
        raise first_of(errors) from None


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Await something that must not be left half done; if cancelled meanwhile, once it has ended."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    finally:
        if not task.done():
            await task
