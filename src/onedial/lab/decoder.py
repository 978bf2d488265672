"""One model at work on many jobs at once.

Jobs wait in line, their prompts are read together, and their completions
decode together. Threads and asks are the client's business.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

from onedial.core.cores import one_core
from onedial.lab.batch import Batch, Job
from onedial.lab.llama import Llama
from onedial.lab.prefix import Prefix, Prefixes

_BUNDLE = 16
"""Completions that grow in one tree: more would share more, but each also looks past the tokens of the others."""
_AT_ONCE = 256
"""Completions that decode together; more gain little and take memory."""
_AHEAD = 32
"""Prompts read at once, if that many wait."""
PREFIX_BYTES = 64 * 2**20


class Decoder:
    """Decodes jobs of one model; not safe for use by several threads at once."""

    def __init__(self, model: Llama, prefix_bytes: int = PREFIX_BYTES) -> None:
        """Take a model; `prefix_bytes` bounds what is remembered of prompts."""
        self._prefixes = Prefixes(model, prefix_bytes)
        self._batch = Batch(model, _AT_ONCE)
        self._waiting: deque[Job] = deque()
        self._read: dict[Job, Prefix] = {}

    @property
    def busy(self) -> bool:
        """Whether any job waits or runs."""
        return bool(self._waiting or self._batch.count)

    def submit(self, job: Job) -> None:
        """Put a job in line."""
        self._waiting.append(job)

    def cancel(self, job: Job) -> None:
        """Forget a job; those beside it go on."""
        self._read.pop(job, None)
        if job in self._waiting:
            self._waiting.remove(job)
        self._batch.drop(job)

    def step(self) -> list[Job]:
        """Let waiting jobs in, take one token everywhere, and return the jobs that are done."""
        self._admit()
        return self._batch.step() if self._batch.count else []

    def run(self, jobs: Sequence[Job]) -> None:
        """Carry jobs out, together with any that are in line."""
        for job in jobs:
            self.submit(job)
        with one_core():
            while self.busy:
                self.step()

    def _admit(self) -> None:
        """Let jobs in, in order, until one finds no room."""
        while self._waiting:
            job = self._waiting[0]
            count = min(job.n - job.started, _BUNDLE)
            if count > self._batch.free:
                return
            if job not in self._read:
                self._read_ahead()
            self._batch.admit(job, count, self._read[job])
            if job.started == job.n:
                del self._read[self._waiting.popleft()]

    def _read_ahead(self) -> None:
        """Read the prompts of the next jobs in line."""
        jobs = [job for job in islice(self._waiting, _AHEAD) if job not in self._read]
        for job, prefix in zip(jobs, self._prefixes.read([job.prompt for job in jobs]), strict=True):
            job.cached = prefix.cached
            self._read[job] = prefix
