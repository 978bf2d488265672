"""How many cores matrix products may use, a setting that the whole process shares."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from threadpoolctl import threadpool_limits

_lock = Lock()
_inside: list[threadpool_limits] = []
"""The setting to go back to, once for everyone who is inside."""


@contextmanager
def one_core() -> Iterator[None]:
    """Keep matrix products to the calling thread meanwhile: those here are so small that sharing them out takes longer.

    The first one in sets the limit and the last one out lifts it, whatever the order in between.
    """
    with _lock:
        _inside.append(_inside[0] if _inside else threadpool_limits(1, "blas"))
    try:
        yield
    finally:
        with _lock:
            limit = _inside.pop()
            if not _inside:
                limit.restore_original_limits()
