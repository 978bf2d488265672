"""Fill the outcome store: ask every source about every query until each has the samples wanted.

Made to be interrupted. A worker asks for the next thing only once what it got
is on disk, so that a kill loses no more than the asks under way, and starting
again asks only for what is missing. A failure is counted and told; it is never
stored as a score of zero.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from onedial.core.answer import Candidate, Spend
from onedial.core.arm import Source
from onedial.core.ask import Completion, Failure, Refusal, Sample, Samples
from onedial.core.errors import ConfigError, QueryError
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.core.usage import Price, Usage
from onedial.engine.crew import side_by_side, to_the_end
from onedial.runtime.driver import answer, run
from onedial.runtime.ledger import Grant
from onedial.runtime.pool import Pool
from onedial.runtime.store import Held, Store
from onedial.strategies.draw import Drawn, Reading, candidate, judged

Grade = Callable[[Query, str | None], float | None]
"""The score of an extracted answer in [0, 1]; None where the query cannot be graded."""


@dataclass(frozen=True, slots=True)
class Report:
    """How far collecting has come; also what it ends with.

    Attributes:
        wanted: Samples that the store should hold of these queries and sources.
        present: How many of them it held at the start.
        stored: How many were added.
        failed: Samples that were asked for and did not come; they are asked for again next time.
        refused: Samples that the budget did not allow.
        spent_usd: What the grant has spent; an upper bound where `bounded`, because an endpoint did not report all.
        troubles: What went wrong, and for how many samples.
        unjudged: Why samples are stored without the score of a judge, and for how many asks.
    """

    wanted: int
    present: int
    stored: int = 0
    failed: int = 0
    refused: int = 0
    spent_usd: float = 0.0
    troubles: Mapping[str, int] = field(default_factory=dict)
    unjudged: Mapping[str, int] = field(default_factory=dict)
    bounded: bool = False

    @property
    def missing(self) -> int:
        """Samples that the store still lacks."""
        return self.wanted - self.present - self.stored


Progress = Callable[[Report], None]
NOTHING = Held(0, 0)


def quiet(report: Report) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True)
class _Job:
    """`n` samples of one source on one query, from index `first`."""

    query: Query
    source: Source
    first: int
    n: int

    def singles(self) -> list[_Job]:
        """The same samples, one each."""
        return [replace(self, first=self.first + i, n=1) for i in range(self.n)]


async def collect(
    queries: Iterable[Query],
    sources: Iterable[Source],
    samples: int,
    pool: Pool,
    store: Store,
    grade: Grade,
    reading: Reading,
    grant: Grant,
    concurrency: int = 8,
    progress: Progress = quiet,
    label_kind: str = "reference",
) -> Report:
    """Bring the store to `samples` per (query, source), as far as the grant and the endpoints allow.

    Args:
        queries: What to ask; they are stored too.
        sources: Whom to ask.
        samples: Wanted per (query, source), those already stored included.
        pool: The models.
        store: Where outcomes go.
        grade: Scores extracted answers.
        reading: How answers are read and verified.
        grant: What may be spent.
        concurrency: Asks under way at a time, at least 1.
        progress: Called whenever something has been stored, or has failed.
        label_kind: How the scores are made, as `Outcome` puts it.

    Raises:
        ConfigError: A source is not in the pool, or `samples` or `concurrency` is below 1.
        ModelError: An endpoint refuses the key or the account. Everything received before is stored.
        TableError: The store holds another query of the same id.
    """
    asked, whom = {query.id: query for query in queries}, list(dict.fromkeys(sources))
    _check(samples, concurrency, whom, pool)
    await asyncio.to_thread(store.add_queries, list(asked.values()))
    held = await asyncio.to_thread(store.counts)
    cells = [(query, source, held.get((query.id, source), NOTHING)) for query in asked.values() for source in whom]
    jobs = [_Job(query, source, has.next_index, samples - has.samples) for query, source, has in cells if has.samples < samples]
    present = sum(min(has.samples, samples) for _, _, has in cells)
    collecting = _Collecting(pool, store, grade, reading, grant, progress, label_kind, samples * len(cells), present)
    return await collecting.all(jobs, concurrency)


class _Collecting:
    """The state of one run: what is received and not yet on disk, and what has been counted."""

    def __init__(
        self,
        pool: Pool,
        store: Store,
        grade: Grade,
        reading: Reading,
        grant: Grant,
        progress: Progress,
        label_kind: str,
        wanted: int,
        present: int,
    ) -> None:
        self._pool, self._store, self._grade, self._reading = pool, store, grade, reading
        self._grant, self._progress, self._label_kind = grant, progress, label_kind
        self._wanted, self._present, self._stored, self._refused = wanted, present, 0, 0
        self._troubles: Counter[str] = Counter()
        self._unjudged: Counter[str] = Counter()
        self._received: list[Outcome] = []
        self._writing = asyncio.Lock()
        self._singly: set[Source] = set()

    async def all(self, jobs: Sequence[_Job], concurrency: int) -> Report:
        """Work through the jobs. What the budget refused is tried again once the asks under way are settled, at last in single samples."""
        try:
            while jobs:
                refused: list[_Job] = []
                await side_by_side(jobs, concurrency, partial(self._work, refused=refused))
                stuck = _size(refused) == _size(jobs)
                if stuck and all(job.n == 1 for job in jobs):
                    break
                jobs = [single for job in refused for single in job.singles()] if stuck else refused
        finally:
            self._store.add_outcomes(self._received)  # what a cancelled worker could not write any more
            self._stored, self._received = self._stored + len(self._received), []
        self._refused = _size(jobs)
        return self._report()

    async def _work(self, jobs: Iterator[_Job], refused: list[_Job]) -> None:
        for job in jobs:
            first, left = job.first, job.n
            while left > 0:
                n = 1 if job.source in self._singly else left
                ask = Sample(job.query.id, job.source, job.query.messages, n, first)
                reply = await self._reply(ask)
                if isinstance(reply, Refusal):
                    refused.append(_Job(job.query, job.source, first, left))
                    break
                first += await self._take(job, ask, reply)
                left -= n

    async def _reply(self, ask: Sample) -> Samples | Failure | Refusal:
        try:
            return await answer(ask, self._pool, self._grant)
        except QueryError as error:  # this query does not fit this model; others may
            return Failure(str(error))

    async def _take(self, job: _Job, ask: Sample, reply: Samples | Failure) -> int:
        """Record what came, count what did not; returns how many indices are used up."""
        came = reply.completions if isinstance(reply, Samples) else ()
        whole = [(i, completion) for i, completion in enumerate(came) if completion.finish != "error"]
        if len(whole) < ask.n:
            said = reply.message if isinstance(reply, Failure) else "fewer samples came than were asked for, or some were broken off"
            self._troubles[f"{job.source}: {said}"] += ask.n - len(whole)
        if isinstance(reply, Samples) and whole:
            if ask.n > 1 and any(completion.output_tokens is None for completion in came):
                self._singly.add(job.source)  # forecasts learn from the tokens of each sample
            await self._read(job, ask.first_index, whole, reply)
        await self._write()
        return len(came)

    async def _read(self, job: _Job, first: int, whole: Sequence[tuple[int, Completion]], reply: Samples) -> None:
        """Read, judge and grade what came; cancelled or failed while it is judged, it is kept without scores."""
        read = Drawn(tuple(candidate(job.query, job.source, first + i, completion, self._reading) for i, completion in whole), Spend())
        try:
            read, *judging = await run(judged(job.query, [read], self._reading), self._pool, self._grant)
            self._unjudged.update(one.trouble for one in judging if one.trouble)
        finally:
            await to_the_end(self._keep(job, read.candidates, whole, reply))

    async def _keep(self, job: _Job, read: Sequence[Candidate], whole: Sequence[tuple[int, Completion]], reply: Samples) -> None:
        """Grade off the loop: a grader may run programs, or algebra."""
        bill, scores = _Bill.of(reply), await asyncio.to_thread(lambda: [self._grade(job.query, one.answer) for one in read])
        rows = zip(read, whole, scores, strict=True)
        self._received += [self._outcome(job, one, completion, score, bill, reply) for one, (_, completion), score in rows]

    def _outcome(self, job: _Job, read: Candidate, completion: Completion, score: float | None, bill: _Bill, reply: Samples) -> Outcome:
        own = bill.of_one(completion)
        return Outcome(
            query_id=job.query.id,
            model=job.source.model,
            effort=job.source.effort,
            sample_index=read.index,
            score=score,
            answer=read.answer,
            input_tokens=own.input_tokens,
            output_tokens=completion.output_tokens,
            cost_usd=own.cost_usd(completion, self._pool.model(job.source.model).price),
            latency_s=reply.latency_s,
            cached_tokens=own.cached_tokens,
            thinking_tokens=completion.thinking_tokens,
            verifier_score=read.score,
            label_kind=None if score is None else self._label_kind,
        )

    async def _write(self) -> None:
        """Put everything received on disk in one transaction; whoever waits meanwhile finds it done."""
        async with self._writing:
            batch, self._received = self._received, []
            if batch:
                await to_the_end(asyncio.to_thread(self._store.add_outcomes, batch))
                self._stored += len(batch)
        self._progress(self._report())

    def _report(self) -> Report:
        counts = self._wanted, self._present, self._stored, self._troubles.total(), self._refused, self._grant.spent.usd
        troubles, unjudged = dict(self._troubles.most_common()), dict(self._unjudged.most_common())
        return Report(*counts, troubles, unjudged, self._grant.usage.bounded)


@dataclass(frozen=True, slots=True)
class _Bill:
    """What one sample of a reply is charged with: None where only a bound is known.

    Attributes:
        input_tokens: Prompt tokens of one sending, or of all sendings of a completion that took several.
        cached_tokens: The part of them that was cached.
        share: Output tokens per completion, if the ask's total is divided equally.
    """

    input_tokens: int | None
    cached_tokens: int | None
    share: int

    @classmethod
    def of(cls, reply: Samples) -> _Bill:
        usage, n = reply.usage, len(reply.completions)
        if usage.bounded or not usage.calls:
            return cls(None, None, 0)
        return cls(round(usage.input_tokens / usage.calls), round(usage.cached_tokens / usage.calls), round(usage.output_tokens / n))

    def of_one(self, completion: Completion) -> _Bill:
        """What this completion is charged with: where it was made by requests of its own, all their prompts."""
        own = completion.usage
        if own is None or own.bounded:
            return self if own is None else _Bill(None, None, 0)
        return _Bill(own.input_tokens, own.cached_tokens, own.output_tokens)

    def cost_usd(self, completion: Completion, price: Price) -> float | None:
        """Cost of one completion: its own output, and the prompt at the full price, as if asked for alone and first."""
        if completion.usage is not None and self.input_tokens is not None:
            return price.cost_usd(completion.usage)
        if self.input_tokens is None:
            return None
        output = self.share if completion.output_tokens is None else completion.output_tokens
        return price.cost_usd(Usage(1, self.input_tokens, 0, output))


def _check(samples: int, concurrency: int, sources: Iterable[Source], pool: Pool) -> None:
    for name, value in (("samples", samples), ("concurrency", concurrency)):
        if value < 1:
            raise ConfigError(f"{name} is {value}; expected at least 1.")
    for source in sources:
        pool.model(source.model).effort(source.effort)


def _size(jobs: Iterable[_Job]) -> int:
    return sum(job.n for job in jobs)
