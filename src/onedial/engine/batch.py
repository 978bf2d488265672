"""Carry a plan out: every query by its arm, under one hard budget, each answer on disk as it comes.

Made to be interrupted: what has an answer on disk is not asked again, and what was
spent before counts. A failure is written down with what it cost, told at the end,
and tried again the next time; what the budget refused waits until the asks under
way are settled, and is told too.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from onedial.core.answer import Answer, Spend
from onedial.core.ask import Ask, Refusal, Reply
from onedial.core.decision import Policy
from onedial.core.errors import ConfigError, QueryError
from onedial.core.steps import Steps
from onedial.engine.dial import Dial
from onedial.engine.plan import Plan, Planned
from onedial.engine.record import Record, answered, failed
from onedial.engine.solve import solve_steps
from onedial.policies.assessor import Assessor
from onedial.policies.controller import Controller, Menu
from onedial.policies.online import BudgetQueue
from onedial.runtime.driver import run
from onedial.runtime.ledger import Budget, Grant
from onedial.strategies.registry import steps_of

T = TypeVar("T")
MEMORY = 50.0
"""Queries' worth of budget, too much or too little, that moves the worth of an adaptive run by about its own size."""


@dataclass(frozen=True, slots=True)
class BatchReport:
    """How far a batch has come; also what it ends with.

    Attributes:
        planned: Queries of the plan.
        present: How many had an answer on disk at the start.
        answered: How many were added.
        failed: Queries that failed this time.
        refused: Queries that the budget did not allow.
        spent_usd: Everything spent on the plan, before and now.
        planned_usd: Forecast cost of the whole plan.
        scores: Mean and number of the scores of answers that could be graded, before and now.
        troubles: Ids of the queries without an answer, with the reason.
    """

    planned: int
    present: int
    answered: int = 0
    failed: int = 0
    refused: int = 0
    spent_usd: float = 0.0
    planned_usd: float = 0.0
    scores: tuple[float, int] = (0.0, 0)
    troubles: Mapping[str, str] = field(default_factory=dict)

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
        rule = _Adaptive(plan, dial, grant, goal - record.spent_usd, len(record.done)) if adaptive else _Fixed(dial)
        return await _Batch(plan, dial, record, grant, rule, progress).all(concurrency)


class _Batch:
    """One run over a plan."""

    def __init__(self, plan: Plan, dial: Dial, record: Record, grant: Grant, rule: _Fixed | _Adaptive, progress: Progress) -> None:
        self._plan, self._dial, self._record, self._grant = plan, dial, record, grant
        self._rule, self._progress = rule, progress
        self._present, self._count = len(record.done), Counter[str]()
        self._troubles: dict[str, str] = {}

    async def all(self, concurrency: int) -> BatchReport:
        """Go through the queries; what was refused is tried again, at last alone, as long as anything gets through."""
        todo = [entry for entry in self._plan.entries if entry.query.id not in self._record.done]
        while todo:
            refused: list[Planned] = []
            await self._round(todo, concurrency, refused)
            if len(refused) == len(todo):
                if concurrency == 1:
                    break
                concurrency = 1
            todo = refused
        self._count["refused"] = len(todo)
        report = self._report()
        self._progress(report)
        return report

    async def _round(self, todo: Sequence[Planned], concurrency: int, refused: list[Planned]) -> None:
        shared = iter(todo)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(concurrency, len(todo))):
                    group.create_task(self._work(shared, refused))
        except BaseExceptionGroup as errors:
            raise _first(errors) from None

    async def _work(self, entries: Iterator[Planned], refused: list[Planned]) -> None:
        for entry in entries:
            why = await self._one(entry)
            if why:
                refused.append(entry)
                self._troubles[entry.query.id] = why

    async def _one(self, entry: Planned) -> str:
        """Answer one query and write it down; why it was refused, if it was."""
        own, replies = self._grant.child(Budget()), list[Reply]()
        try:
            answer = await run(noting(self._rule.steps(entry), replies), self._dial.pool, own)
        except QueryError as error:
            self._write(entry, Answer(None, None, spend=Spend(own.usage, own.spent.usd), stopped=str(error)))
            return ""
        except BaseException:
            if own.spent.calls:
                self._record.add(failed(entry, Spend(own.usage, own.spent.usd), "it was interrupted; what it may have cost is counted"))
            raise
        if answer.text is None and all(isinstance(reply, Refusal) for reply in replies):
            return answer.stopped
        self._write(entry, answer)
        return ""

    def _write(self, entry: Planned, answer: Answer) -> None:
        if answer.text is None:
            self._record.add(failed(entry, answer.spend, answer.stopped))
            self._troubles[entry.query.id] = answer.stopped
            self._count["failed"] += 1
        else:
            score = self._dial.settings.grade(entry.query, answer.answer) if entry.query.reference is not None else None
            self._record.add(answered(entry, answer, score))
            self._troubles.pop(entry.query.id, None)
            self._count["answered"] += 1
        self._rule.learn(entry, answer)
        self._progress(self._report())

    def _report(self) -> BatchReport:
        counts = self._count["answered"], self._count["failed"], self._count["refused"]
        spent, scores = self._record.spent_usd, self._record.scores
        return BatchReport(len(self._plan.entries), self._present, *counts, spent, self._plan.cost_usd, scores, dict(self._troubles))


class _Fixed:
    """What the plan says."""

    def __init__(self, dial: Dial) -> None:
        self._reading = dial.settings.reading

    def steps(self, entry: Planned) -> Steps[Answer]:
        return steps_of(entry.arm, entry.query, self._reading)

    def learn(self, entry: Planned, answer: Answer) -> None:
        """Nothing changes."""


class _Adaptive:
    """The controller that decides again after every answer, at a worth that follows what is left to spend."""

    def __init__(self, plan: Plan, dial: Dial, grant: Grant, to_spend: float, done: int) -> None:
        fit = dial.fitted
        if fit.digest != plan.aim.fit:
            raise ConfigError("the plan was made with another fit than that in force. Make it again, or run it without --adaptive.")
        self._reading, self._grant, self._to_spend = dial.settings.reading, grant, to_spend
        self._assessor = Assessor(fit.forecast, dial.pool.models)
        self._menu = Menu(tuple(range(len(self._assessor.sources))), max_draws=fit.max_draws)
        self._open = len(plan.entries) - done
        worth = plan.aim.worth if plan.aim.worth < float("inf") else float(fit.worths[-1])
        self._queue = BudgetQueue.at(self._share(), worth, MEMORY)

    def _share(self) -> float:
        """What is left to spend, for each query that is not answered yet."""
        return max(self._to_spend - self._grant.spent.usd, 1e-15) / max(self._open, 1)

    def steps(self, entry: Planned) -> Steps[Answer]:
        """Solve it at the worth of this moment; it may take the half of what the others have to share, or the worst case of its plan."""
        cap = max(entry.worst_usd, self._share() * (1 + self._open) / 2)
        return self._answer(entry, Controller(self._assessor, self._menu, self._queue.worth, cap))

    def _answer(self, entry: Planned, policy: Policy) -> Steps[Answer]:
        solved = yield from solve_steps(entry.query, policy, self._reading)
        self._assessor.forget(entry.query)
        return solved.answer

    def learn(self, entry: Planned, answer: Answer) -> None:
        """Follow what is left for those that remain."""
        self._open -= 1
        self._queue = replace(self._queue.after(0.0, answer.spend.cost_usd), budget_usd=self._share())


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


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    first: BaseException = errors
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
