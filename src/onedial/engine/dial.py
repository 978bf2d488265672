"""The dial: models, outcomes and a fit behind one object. Everything that the commands do is a method here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.core.decision import Decision
from onedial.core.errors import TableError
from onedial.core.model import SCORES
from onedial.core.objective import Objective
from onedial.core.query import Query
from onedial.engine.collect import Report, collect
from onedial.engine.collect import quiet as unseen
from onedial.engine.fit import Fitting, fit_policies
from onedial.engine.fitted import Fit
from onedial.engine.ladders import Progress, quiet
from onedial.engine.placed import load_placed, place_sources, save_placed
from onedial.engine.promise import DELTA, Promise, policy_of, promise
from onedial.engine.recorded import Recorded, held_out
from onedial.engine.settings import WITHIN, Settings
from onedial.engine.solve import Solved, solve_steps, unanswered
from onedial.forecasts.onboard import Placed, Widened
from onedial.policies.assessor import Assessor
from onedial.runtime.driver import run
from onedial.runtime.ledger import Budget, Grant
from onedial.runtime.pool import Pool
from onedial.runtime.store import Store

T = TypeVar("T")


class Dial:
    """Answers queries at the quality or the budget asked for, and learns from outcomes.

    Close it, or use it as an (asynchronous or plain) context manager.
    """

    def __init__(self, pool: Pool, folder: Path, settings: Settings) -> None:
        """Join models and a data folder; nothing is read until it is needed.

        Args:
            pool: The models.
            folder: Where outcomes and the fit are kept.
            settings: See `Settings`.
        """
        self.pool, self.folder, self.settings = pool, folder, settings
        self.grant = Grant(Budget())
        self._fit: Fit | None = None
        self._assessor: Assessor | None = None
        self._wider: Assessor | None = None
        self.placed: tuple[Placed, ...] = ()
        self._runner: asyncio.Runner | None = None

    @property
    def store_path(self) -> Path:
        """The outcome store."""
        return self.folder / self.settings.store

    @property
    def fit_path(self) -> Path:
        """The fitted policies."""
        return self.folder / "fit.npz"

    @property
    def placed_path(self) -> Path:
        """The models that joined after the fit."""
        return self.folder / "placed.json"

    @property
    def sources(self) -> tuple[Source, ...]:
        """Every (model, effort) that can be asked; not those that only give scores."""
        asked = (model for model in self.pool.models.values() if SCORES not in model.capabilities)
        return tuple(Source(model.name, label) for model in asked for label in model.labels())

    @property
    def fitted(self) -> Fit:
        """The fit in force.

        Raises:
            ConfigError: There is none yet, or it uses models that are not in the pool.
        """
        if self._fit is None:
            self.use(Fit.load(self.fit_path))
        assert self._fit is not None
        return self._fit

    def use(self, fit: Fit) -> None:
        """Put a fit in force, without storing it, and with it the models that have been placed beside it."""
        self._assessor = Assessor(fit.forecast, self.pool.models)
        self.placed = tuple(one for one in load_placed(self.placed_path, fit) if one.source.model in self.pool.models)
        self._wider = Assessor(Widened(fit.forecast, self.placed), self.pool.models) if self.placed else self._assessor
        self._fit = fit

    def place(self, model: str) -> tuple[Placed, ...]:
        """Let a model join the fit in force by its stored outcomes on held-out queries, without fitting again.

        Budgets are then spent on it too. Promises of quality are kept by the fit alone: nothing is proven of what has just joined.

        Raises:
            ConfigError: The model is not in the pool, or the fit knows it already.
            TableError: Too few of its outcomes are stored.
        """
        fit, name = self.fitted, self.pool.model(model).name
        new = place_sources(fit, [source for source in self.sources if source.model == name], self.recorded()[1])
        kept = tuple(one for one in self.placed if one.source.model != name)
        save_placed(self.placed_path, fit, (*kept, *new))
        self.use(fit)
        return new

    def promise(self, objective: Objective, delta: float = DELTA) -> Promise:
        """What is served for an objective, and what is promised of it."""
        return promise(self.fitted, objective, delta)

    async def solve(
        self,
        query: str | Query,
        *,
        quality: float | None = None,
        within: float | None = None,
        budget_usd: float | None = None,
        cap_usd: float | None = None,
        max_calls: int | None = None,
        commit: str = "anytime",
    ) -> Solved:
        """Answer one query.

        Args:
            query: Text, or a query.
            quality: Mean quality wanted over queries like those collected, in (0, 1].
            within: Or: at most this far below the reference arm, in [0, 1); `WITHIN` if no goal is given.
            budget_usd: Or: mean cost per query.
            cap_usd: Hard cap on this query.
            max_calls: Hard cap on this query's calls.
            commit: `before` decides everything before the first token.

        Raises:
            QueryError: The query is empty or does not fit.
            TargetUnreachable: The goal is beyond this pool.
            BudgetExhausted: The caps allow no answer at all.
            ModelError: Every ask failed.
        """
        if quality is None and within is None and budget_usd is None:
            within = WITHIN
        objective = Objective(quality, within, budget_usd, cap_usd, max_calls, commit)
        return await self.solve_for(Query.of(query) if isinstance(query, str) else query, objective)

    async def solve_for(
        self, query: Query, objective: Objective, promised: Promise | None = None, within_grant: Grant | None = None
    ) -> Solved:
        """Answer one query for an objective; a promise made before may be handed in, and a grant to spend of instead of the dial's own."""
        found = promised or self.promise(objective)
        fit = self.fitted
        assessor, placed = (self._assessor, ()) if objective.budget_usd is None else (self._wider, tuple(p.depth for p in self.placed))
        assert assessor is not None
        if objective.cap_usd is not None:
            most = [self.pool.input_tokens(Sample(query.id, source, query.messages)) for source in assessor.sources]
            assessor.bound_input(query, np.array(most, dtype=float))
        policy = policy_of(fit, assessor, found.mixture, objective, placed=placed)
        grant = (within_grant or self.grant).child(Budget(usd=objective.cap_usd, calls=objective.max_calls))
        try:
            solved = await run(solve_steps(query, policy, self.settings.reading), self.pool, grant)
        finally:
            assessor.forget(query)
        if not solved.answer.candidates:
            raise unanswered(solved.answer, f"query {query.id!r} has no answer")
        return solved

    def first_choice(self, query: Query, objective: Objective, promised: Promise | None = None) -> Decision:
        """What would be drawn first, decided without asking anyone.

        Raises:
            TargetUnreachable: The goal is beyond this pool.
        """
        found, assessor = promised or self.promise(objective), self._assessor
        assert assessor is not None  # a promise needs a fit
        decision = policy_of(self.fitted, assessor, found.mixture, objective).choose(query)
        assessor.forget(query)
        return decision

    def solve_blocking(self, query: str | Query, **goal: Any) -> Solved:
        """`solve`, for code without an event loop."""
        return self.block(self.solve(query, **goal))

    def block(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on this dial's own loop, the same one every time."""
        self._runner = self._runner or asyncio.Runner()
        return self._runner.run(coroutine)

    async def collect(
        self,
        queries: Iterable[Query] = (),
        *,
        samples: int | None = None,
        models: Sequence[str] = (),
        budget_usd: float | None = None,
        concurrency: int = 8,
        progress: Callable[[Report], None] = unseen,
    ) -> Report:
        """Bring the store to the samples wanted of every query and source; see `engine.collect`.

        Args:
            queries: What to ask, and to store; without any, all that are stored already and have a text.
            samples: Per (query, source), those stored included; by default as in the settings.
            models: Names of those to ask; by default all.
            budget_usd: What may be spent.
            concurrency: Asks under way at a time.
            progress: Told whenever something has been stored.

        Raises:
            TableError: There is nothing to ask, or a reference that the grader itself does not find right.
            ConfigError: A model that is not in the pool.
            ModelError: An endpoint refuses the key or the account.
        """
        settings = self.settings
        for name in models:
            self.pool.model(name)
        sources = [source for source in self.sources if not models or source.model in models]
        asked = list(queries) or self._stored_queries()
        for query in asked:
            settings.refuse_unfit_reference(query)
        with Store.open(self.store_path) as store:
            return await collect(
                asked,
                sources,
                settings.samples if samples is None else samples,
                self.pool,
                store,
                settings.grade,
                settings.reading,
                self.grant.child(Budget(usd=budget_usd)),
                concurrency,
                progress,
                settings.label_kind,
            )

    def _stored_queries(self) -> list[Query]:
        """Every query in the store that can be asked, at least one."""
        found: list[Query] = []
        if self.store_path.exists():
            with Store.open(self.store_path) as store:
                found = [query for query in store.queries() if not query.textless]
        if not found:
            raise TableError(f"there is nothing to ask: no prompts were given, and {self.store_path} holds none. Give a file of prompts.")
        return found

    def recorded(self, queries: Sequence[Query] | None = None) -> tuple[Recorded, Recorded]:
        """Stored outcomes, split by query into training and held out.

        Raises:
            TableError: Nothing has been stored yet.
        """
        if not self.store_path.exists():
            raise TableError(f"there are no outcomes yet: {self.store_path} does not exist. Run `onedial collect`, or `onedial import`.")
        with Store.open(self.store_path) as store:
            asked, outcomes = list(queries or store.queries()), store.outcomes()
        kept = [query for query in asked if held_out(query, self.settings.held_out, self.settings.seed)]
        rest = [query for query in asked if not held_out(query, self.settings.held_out, self.settings.seed)]
        return Recorded.of(rest, outcomes, self.pool.models), Recorded.of(kept, outcomes, self.pool.models)

    def fit(self, progress: Progress = quiet, workers: int = 1) -> Fitting:
        """Fit policies to the stored outcomes, store the fit and put it in force."""
        train, proof = self.recorded()
        fitting = fit_policies(train, proof, self.pool.models, self.settings.reading, self.settings.seed, progress, workers)
        fitting.fit.save(self.fit_path)
        self.use(fitting.fit)
        return fitting

    async def aclose(self) -> None:
        """Close the models' clients."""
        await self.pool.aclose()

    def close(self) -> None:
        """`aclose`, for code without an event loop."""
        self.block(self.aclose())
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    async def __aenter__(self) -> Dial:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    def __enter__(self) -> Dial:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
