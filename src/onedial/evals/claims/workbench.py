"""Models, questions and everything drawn so far, in the hands of an experiment.

Independent samples go to a store, so that experiments share them and one that was
interrupted asks only for what is missing. Strategies that react to replies are run live.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from onedial.core.answer import Answer
from onedial.core.arm import Arm, Source
from onedial.core.ask import Refusal
from onedial.core.errors import BudgetExhausted
from onedial.core.model import SCORES, Model
from onedial.core.outcome import Ints
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.engine.collect import Grade, Report, collect
from onedial.engine.crew import side_by_side
from onedial.engine.ladders import Progress, quiet
from onedial.engine.recorded import Recorded
from onedial.evals.claims.tasks import Tasks
from onedial.runtime.driver import run
from onedial.runtime.ledger import Grant
from onedial.runtime.pool import Pool
from onedial.runtime.store import Store
from onedial.strategies.draw import Reading
from onedial.strategies.registry import steps_of

LEFT = "exceeds what is left of the budget"
"""What a ledger says when it refuses."""


@dataclass(frozen=True)
class Workbench:
    """What an experiment may use.

    Attributes:
        pool: The models.
        tasks: The questions.
        reading: How answers are read and verified.
        grade: The score of an extracted answer; for labels, never for choosing.
        store: Where independent samples go.
        questions: How many questions of each kind an experiment asks.
        seed: Of splits, orders and resamples.
        grant: What may be spent.
        concurrency: Asks under way at a time.
        progress: Told of (what, done, total).
    """

    pool: Pool
    tasks: Tasks
    reading: Reading
    grade: Grade
    store: Store
    questions: int = 60
    seed: int = 0
    grant: Grant = field(default_factory=Grant)
    concurrency: int = 64
    progress: Progress = quiet

    @property
    def models(self) -> list[Model]:
        """The models that answer queries by themselves: no strategy run over one, and none that only gives scores; cheapest first."""
        plain = [m for name, m in self.pool.models.items() if Source(name).base == name and SCORES not in m.capabilities]
        return sorted(plain, key=lambda model: model.price.output_usd_per_mtok)

    def sources(self, model: Model) -> tuple[Source, ...]:
        """The model at each of its efforts, least thinking first."""
        return tuple(Source(model.name, label) for label in model.labels())

    def rng(self, *purpose: int) -> np.random.Generator:
        """Random numbers of this seed and purpose."""
        return np.random.default_rng([self.seed, *purpose])

    def halves(self, n: int) -> tuple[Ints, Ints]:
        """Two random halves of `n` queries, each in order: one to choose on, one to score."""
        order = self.rng(n).permutation(n)
        return np.sort(order[: n // 2]), np.sort(order[n // 2 :])

    async def recorded(
        self, queries: Sequence[Query], sources: Sequence[Source], samples: int, what: str, pool: Pool | None = None
    ) -> Recorded:
        """Draw what is missing of `samples` per (query, source), and arrange the first so many of each.

        Queries that lack any of them, because an ask failed, are left out.

        Raises:
            BudgetExhausted: The grant does not allow all of them.
            ModelError: An endpoint refuses whatever is asked.
        """
        pool = self.pool if pool is None else pool

        def noted(report: Report) -> None:
            self.progress(what, report.present + report.stored, report.wanted)

        reading, grant, at_once = self.reading, self.grant, self.concurrency
        report = await collect(queries, sources, samples, pool, self.store, self.grade, reading, grant, at_once, noted)
        if report.refused:
            raise BudgetExhausted(
                f"{what}: the budget did not allow {report.refused} samples. What came is kept; raise the budget and go on."
            )
        asked, whom = {query.id for query in queries}, set(sources)
        held = [o for o in self.store.outcomes() if o.query_id in asked and o.source in whom and o.sample_index < samples]
        kept = Counter(o.query_id for o in held if o.score is not None)
        whole = [query for query in queries if kept[query.id] == samples * len(sources)]
        found = Recorded.of(whole, held, pool.models)
        return replace(found, panel=found.panel.only(sources)) if whole else found

    async def solved(self, queries: Sequence[Query], arm: Arm, reading: Reading) -> list[Answer]:
        """Run an arm live on every query, in the order given.

        Raises:
            BudgetExhausted: The grant does not allow all of it.
            ConfigError: The model cannot do what the arm's strategy asks for.
        """
        return await self.carried_out(queries, lambda query: steps_of(arm, query, reading))

    async def carried_out(self, queries: Sequence[Query], steps: Callable[[Query], Steps[Answer]]) -> list[Answer]:
        """Do what `solved` does, for any generator that asks."""
        answers: dict[str, Answer] = {}

        async def work(jobs: Iterator[Query]) -> None:
            for query in jobs:
                answers[query.id] = await run(_paid_for(steps(query)), self.pool, self.grant)

        await side_by_side(queries, self.concurrency, work)
        return [answers[query.id] for query in queries]


def _paid_for(steps: Steps[Answer]) -> Steps[Answer]:
    """The same generator, ended by an error where the budget refuses an ask: half an experiment is none."""
    ask = next(steps)
    while True:
        reply = yield ask
        if isinstance(reply, Refusal) and LEFT in reply.reason:
            steps.close()
            raise BudgetExhausted(f"{reply.reason} What came before is kept, and the claim starts again.")
        try:
            ask = steps.send(reply)
        except StopIteration as end:
            answer: Answer = end.value
            return answer
