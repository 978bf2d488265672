"""Processes that work side by side, and end when the one that started them is gone, however it went."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process


def workers(count: int) -> ProcessPoolExecutor:
    """A pool of fresh processes; the program that asks for it must be importable without running."""
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_end_with_parent)


def _end_with_parent() -> None:
    """Watch the parent from a thread: killed, it cannot tell its workers to end."""
    parent = parent_process()
    assert parent is not None  # this runs in workers alone

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
