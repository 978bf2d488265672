"""One model at work on many jobs at once.

Jobs wait in line, their prompts are read together, and their completions
decode together. Threads and asks are the client's business.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from onedial.lab.batch import Batch, Job
from onedial.lab.cores import one_core
from onedial.lab.llama import CELL, Llama
from onedial.lab.prefix import Prefix, Prefixes
from onedial.lab.shape import Shape

_WIDTHS = (1, 8, 64)
"""Rows of one prompt are placed in bundles of these sizes; each size has a batch of its own, so that bundles fit together."""
_ROW_BYTES = 96 * 2**20
_ROW_TOKENS = 64
PREFIX_BYTES = 64 * 2**20


class Decoder:
    """Decodes jobs of one model; not safe for use by several threads at once."""

    def __init__(self, model: Llama, prefix_bytes: int = PREFIX_BYTES) -> None:
        """Take a model; `prefix_bytes` bounds what is remembered of prompts."""
        self._prefixes = Prefixes(model, prefix_bytes)
        rows = rows_at_once(model.shape)
        self._batches = {width: Batch(model, rows, sharing=width > 1) for width in _WIDTHS}
        self._waiting: deque[Job] = deque()
        self._begun: dict[int, Prefix] = {}

    @property
    def busy(self) -> bool:
        """Whether any job waits or runs."""
        return bool(self._waiting) or any(batch.count for batch in self._batches.values())

    def submit(self, job: Job) -> None:
        """Put a job in line."""
        self._waiting.append(job)

    def cancel(self, job: Job) -> None:
        """Forget a job; those beside it go on."""
        self._begun.pop(id(job), None)
        if job in self._waiting:
            self._waiting.remove(job)
        for batch in self._batches.values():
            batch.drop(job)

    def step(self) -> list[Job]:
        """Let waiting jobs in, take one token everywhere, and return the jobs that are done."""
        self._admit()
        return [job for batch in self._batches.values() if batch.count for job in batch.step()]

    def run(self, jobs: Sequence[Job]) -> None:
        """Carry jobs out, together with any that are in line."""
        for job in jobs:
            self.submit(job)
        with one_core():
            while self.busy:
                self.step()

    def _admit(self) -> None:
        """Let jobs in, in order, until one finds no room."""
        free = {width: batch.rows - batch.count for width, batch in self._batches.items()}
        entering: list[tuple[Job, int, int]] = []
        while self._waiting:
            job = self._waiting[0]
            left = job.n - job.started - sum(count for other, _, count in entering if other is job)
            width = _width(left)
            count = min(left, width)
            if count > free[width]:
                break
            free[width] -= count
            entering.append((job, width, count))
            if count == left:
                self._waiting.popleft()
        fresh = list(dict.fromkeys(job for job, _, _ in entering if id(job) not in self._begun))
        for job, prefix in zip(fresh, self._prefixes.read([job.prompt for job in fresh]), strict=True):
            job.cached = prefix.cached
            self._begun[id(job)] = prefix
        for job, width, count in entering:
            prefix = self._begun[id(job)]
            self._batches[width].admit(job, count, prefix.cells, prefix.logits)
            if job.started == job.n:
                del self._begun[id(job)]


def rows_at_once(shape: Shape) -> int:
    """Bound the rows of a batch by the memory of their keys and values: 32 to 128; more rows gain nothing."""
    row = shape.layers * shape.heads * CELL * 4 * _ROW_TOKENS
    return max(32, min(128, _ROW_BYTES // row))


def _width(left: int) -> int:
    """Choose the bundle for the rows a job still wants: a large one only where most of it is used."""
    return 1 if left < 3 else 8 if left < 24 else 64
