"""Carry a plan out: every query by its arm, under one hard budget, each answer on disk as it comes.

Made to be interrupted: what has an answer on disk is not asked again, and what was
spent before counts. A failure is written down with what it cost, told at the end,
and tried again the next time; what the budget refused waits until the asks under
way are settled, and is told too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from onedial.core.answer import Answer, Spend
from onedial.core.ask import Ask, Refusal, Reply
from onedial.core.errors import ConfigError, QueryError
from onedial.core.steps import Steps
from onedial.engine.batch_rules import Adaptive, AsPlanned, Rule
from onedial.engine.crew import side_by_side, to_the_end
from onedial.engine.dial import Dial
from onedial.engine.plan import Plan, Planned
from onedial.engine.record import Record, answered, failed
from onedial.runtime.driver import run
from onedial.runtime.ledger import Budget, Grant

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BatchReport:
    """How far a batch has come; also what it ends with.

    Attributes:
        planned: Queries of the plan.
        present: How many had an answer on disk at the start.
        answered: How many were added.
        failed: Ids of the queries that failed this time, with what went wrong.
        refused: Ids of the queries that the budget did not allow.
        spent_usd: Everything spent on the plan, before and now.
        planned_usd: Forecast cost of the whole plan.
        scores: Mean and number of the scores of answers that could be graded, before and now.
        bounded: Whether `spent_usd` is an upper bound, because an endpoint did not report all.
    """

    planned: int
    present: int
    answered: int = 0
    failed: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    spent_usd: float = 0.0
    planned_usd: float = 0.0
    scores: tuple[float, int] = (0.0, 0)
    bounded: bool = False

    @property
    def missing(self) -> int:
        """Queries without an answer."""
        return self.planned - self.present - self.answered


Progress = Callable[[BatchReport], None]


def quiet(report: BatchReport) -> None:
    """Show nothing."""


async def run_plan(
    plan: Plan,
    dial: Dial,
    out: Path,
    *,
    budget_usd: float | None = None,
    adaptive: bool = False,
    concurrency: int = 8,
    progress: Progress = quiet,
) -> BatchReport:
    """Answer every query of a plan that has no answer in `out` yet.

    Args:
        plan: What to do.
        dial: With what; a plan carried out adaptively needs its fit.
        out: JSON lines, one per answer or failure; added to.
        budget_usd: What everything may cost, what was spent before included; by default the plan's, or its worst case.
        adaptive: Decide again after every answer, at the worth of the plan, which then follows what is left.
        concurrency: Queries under way at a time.
        progress: Told whenever something has been written.

    Raises:
        ConfigError: `concurrency` is below 1, the budget is not positive, or `out` holds answers to another plan.
        ModelError: An endpoint refuses the key or the account. Every answer received before is on disk.
    """
    if concurrency < 1:
        raise ConfigError(f"concurrency is {concurrency}; expected at least 1.")
    total = budget_usd if budget_usd is not None else plan.aim.budget_usd if plan.aim.budget_usd is not None else plan.worst_usd
    with Record.open(out, plan) as record:
        left = total - record.spent_usd
        if left < 0 or not total > 0:
            raise ConfigError(f"the budget is ${total:.4g}, and ${record.spent_usd:.4g} of it are spent. Give more with --budget.")
        grant = dial.grant.child(Budget(usd=left))
        goal = plan.cost_usd if budget_usd is None and plan.aim.budget_usd is None else total
        todo = [entry for entry in plan.entries if entry.query.id not in record.done]
        rule = Adaptive(plan, todo, dial, grant, goal - record.spent_usd) if adaptive else AsPlanned(dial)
        return await _Batch(plan, dial, record, grant, rule, progress).all(todo, concurrency)


class _Batch:
    """One run over a plan."""

    def __init__(self, plan: Plan, dial: Dial, record: Record, grant: Grant, rule: Rule, progress: Progress) -> None:
        self._plan, self._dial, self._record, self._grant = plan, dial, record, grant
        self._rule, self._progress = rule, progress
        self._present, self._answered = len(record.done), 0
        self._failed: dict[str, str] = {}
        self._refused: tuple[str, ...] = ()

    async def all(self, todo: Sequence[Planned], concurrency: int) -> BatchReport:
        """Go through the queries; what was refused is tried again, at last alone, as long as anything gets through."""
        while todo:
            refused: list[Planned] = []
            await side_by_side(todo, concurrency, partial(self._work, refused=refused))
            if len(refused) == len(todo):
                if concurrency == 1:
                    break
                concurrency = 1
            todo = refused
        self._refused = tuple(entry.query.id for entry in todo)
        report = self._report()
        self._progress(report)
        return report

    async def _work(self, entries: Iterator[Planned], refused: list[Planned]) -> None:
        refused += [entry for entry in entries if not await self._answer(entry)]

    async def _answer(self, entry: Planned) -> bool:
        """Answer one query and write it down; false if the budget refused it, so that nothing was asked."""
        own, replies = self._grant.child(Budget()), list[Reply]()
        try:
            answer = await run(noting(self._rule.steps(entry), replies), self._dial.pool, own)
        except QueryError as error:
            await self._write(entry, Answer(None, None, spend=Spend(own.usage, own.spent.usd), stopped=str(error)))
            return True
        except BaseException:
            if own.spent.calls:
                self._record.add(failed(entry, Spend(own.usage, own.spent.usd), "it was interrupted; what it may have cost is counted"))
            raise
        if answer.text is None and all(isinstance(reply, Refusal) for reply in replies):
            return False
        await to_the_end(self._write(entry, answer))
        return True

    async def _write(self, entry: Planned, answer: Answer) -> None:
        if answer.text is None:
            self._record.add(failed(entry, answer.spend, answer.stopped))
            self._failed[entry.query.id] = answer.stopped
        else:
            graded = entry.query.reference is not None
            score = await asyncio.to_thread(self._dial.settings.grade, entry.query, answer.answer) if graded else None
            self._record.add(answered(entry, answer, score))
            self._answered += 1
        self._rule.learn(entry, answer)
        self._progress(self._report())

    def _report(self) -> BatchReport:
        mine, record = self._plan, self._record
        counts = len(mine.entries), self._present, self._answered, dict(self._failed), self._refused
        return BatchReport(*counts, record.spent_usd, mine.cost_usd, record.scores, record.bounded)


def noting(steps: Steps[T], replies: list[Reply]) -> Generator[Ask, Reply, T]:
    """Pass asks and replies through, and keep the replies."""
    try:
        ask = next(steps)
        while True:
            replies.append((yield ask))
            ask = steps.send(replies[-1])
    except StopIteration as end:
        result: T = end.value
        return result
