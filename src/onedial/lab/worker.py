"""The thread in which the embedded models decode, so that nobody waits for them unawares.

All jobs of a client that are in flight at once decode together. Asks, prices
and texts are the client's business.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from queue import SimpleQueue
from threading import Lock, Thread

from onedial.core.errors import ModelError
from onedial.lab.batch import Job
from onedial.lab.cores import one_core
from onedial.lab.decoder import Decoder

_Order = tuple[str, Job, "Future[Job]"]


class Worker:
    """Carries jobs out in one thread, which starts with the first job and uses one core."""

    def __init__(self, decoder_of: Callable[[str], Decoder]) -> None:
        """Take a function that makes a model's decoder; it is called in the thread, once per model."""
        self._decoder_of = decoder_of
        self._decoders: dict[str, Decoder] = {}
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self._pending: dict[int, _Order] = {}
        self._lock = Lock()
        self._thread: Thread | None = None

    def submit(self, name: str, job: Job) -> Future[Job]:
        """Send a job to a model; the future brings it back done. Cancelling the future drops the job and nothing else."""
        future: Future[Job] = Future()
        order = (name, job, future)
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._work, name="onedial-lab", daemon=True)
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
            busy = [name for name, decoder in self._decoders.items() if decoder.busy]
            if not busy:
                return True
            for name in busy:
                self._step(name)

    def _take(self, order: _Order) -> None:
        """Begin a job, or drop it if its future was cancelled."""
        name, job, future = order
        if future.cancelled():
            if self._pending.pop(id(job), None):
                self._decoders[name].cancel(job)
            return
        try:
            if name not in self._decoders:
                self._decoders[name] = self._decoder_of(name)
            self._decoders[name].submit(job)
            self._pending[id(job)] = order
        except Exception as error:
            _settle(future, error)

    def _step(self, name: str) -> None:
        try:
            for job in self._decoders[name].step():
                _settle(self._pending.pop(id(job))[2], job)
        except Exception as error:
            del self._decoders[name]
            failure = ModelError(f"embedded model {name!r} failed while decoding: {error!r}. This is a defect; please report it.")
            failure.__cause__ = error
            self._fail_all(failure, name)

    def _fail_all(self, error: Exception, name: str | None = None) -> None:
        """Fail every pending job, or those of one model."""
        for key, (model, _, future) in list(self._pending.items()):
            if name in (None, model):
                del self._pending[key]
                _settle(future, error)
        if name is None:
            self._decoders.clear()


def _settle(future: Future[Job], outcome: Job | Exception) -> None:
    """Set a future's outcome unless it was cancelled in the meantime."""
    try:
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
    except InvalidStateError:
        pass
