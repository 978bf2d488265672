"""The thread in which an embedded model decodes, so that nobody waits for it unawares.

All jobs of a model that are in flight at once decode together. Models have a
thread each: NumPy lets go of the interpreter in nearly all of the work, so
two of them keep two cores busy. Asks, prices and texts are the client's
business.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from queue import SimpleQueue
from threading import Lock, Thread

from onedial.core.cores import one_core
from onedial.core.errors import ModelError
from onedial.lab.batch import Job
from onedial.lab.decoder import Decoder

_Order = tuple[Job, "Future[Job]"]


class Worker:
    """Carries the jobs of one model out in a thread, which starts with the first job and uses one core."""

    def __init__(self, name: str, make: Callable[[], Decoder]) -> None:
        """Take the model's name and a function that makes its decoder; it is called in the thread."""
        self._name, self._make = name, make
        self._decoder: Decoder | None = None
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self._pending: dict[int, _Order] = {}
        self._lock = Lock()
        self._thread: Thread | None = None

    def submit(self, job: Job) -> Future[Job]:
        """Send a job; the future brings it back done. Cancelling the future drops the job and nothing else."""
        future: Future[Job] = Future()
        order = (job, future)
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._work, name=f"onedial-lab-{self._name}", daemon=True)
                self._thread.start()
            self._orders.put(order)
        future.add_done_callback(lambda ended: self._orders.put(order) if ended.cancelled() else None)
        return future

    def close(self) -> None:
        """End the thread; jobs in flight fail. A later job starts it again."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._orders.put(None)
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        while True:
            order = self._orders.get()
            if order is None:
                return
            with one_core():
                if not self._work_from(order):
                    return

    def _work_from(self, order: _Order | None) -> bool:
        """Work until nothing is left to do; say whether to wait for more."""
        while True:
            if order is not None:
                self._take(order)
            while not self._orders.empty():
                order = self._orders.get()
                if order is None:
                    self._fail_all(ModelError("the client was closed while this ask was in flight. Close it after the last reply."))
                    return False
                self._take(order)
            order = None
            if self._decoder is None or not self._decoder.busy:
                return True
            self._step(self._decoder)

    def _take(self, order: _Order) -> None:
        """Begin a job, or drop it if its future was cancelled."""
        job, future = order
        if future.cancelled():
            if self._pending.pop(id(job), None) and self._decoder is not None:
                self._decoder.cancel(job)
            return
        try:
            self._decoder = self._decoder or self._make()
            self._decoder.submit(job)
            self._pending[id(job)] = order
        except Exception as error:
            _settle(future, error)

    def _step(self, decoder: Decoder) -> None:
        try:
            for job in decoder.step():
                _settle(self._pending.pop(id(job))[1], job)
        except Exception as error:
            failure = ModelError(f"embedded model {self._name!r} failed while decoding: {error!r}. This is a defect; please report it.")
            failure.__cause__ = error
            self._fail_all(failure)

    def _fail_all(self, error: Exception) -> None:
        """Fail every pending job, and begin anew with the next one."""
        for _, future in self._pending.values():
            _settle(future, error)
        self._pending.clear()
        self._decoder = None


def _settle(future: Future[Job], outcome: Job | Exception) -> None:
    """Set a future's outcome unless it was cancelled in the meantime."""
    try:
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
    except InvalidStateError:
        pass
