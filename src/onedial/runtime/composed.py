"""A strategy run over a model, as a model: one completion is one whole run. This is how depth joins width in one decision.

What is collected of it, forecast, fitted, promised and served is what is done with
any model; nothing else knows that its samples took several requests. A run pays for
everything it asks, within a bound that is reserved before it starts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from onedial.core.answer import Answer, Spend
from onedial.core.arm import Arm, Source
from onedial.core.ask import Completion, Failure, Sample, Samples
from onedial.core.errors import ConfigError, QueryError, first_of, unknown
from onedial.core.model import Model
from onedial.core.query import Query
from onedial.core.usage import Usage
from onedial.runtime.bound import TOKENS_PER_MESSAGE, TOKENS_PER_PROMPT
from onedial.runtime.driver import run
from onedial.runtime.ledger import Budget, Grant
from onedial.runtime.owed import owe
from onedial.runtime.pool import Pool
from onedial.strategies.draw import Reading
from onedial.strategies.registry import STRATEGIES, most_asks, steps_of

WITHOUT_GAIN = ("direct", "vote", "best")
"""Strategies that the controller composes of single samples by itself, stopping where it is best."""


class Composed:
    """A client of strategies over the models of another client; `small` and `revise=3` make the model `small+revise3`.

    Attributes:
        models: Those made, by name.
    """

    def __init__(self, pool: Pool, methods: Sequence[str], reading: Reading, bases: Sequence[str] | None = None) -> None:
        """Make a model of every pair of base and method; nothing is asked.

        Args:
            pool: Serves the base models.
            methods: Such as `revise=3`: a registered strategy and its `n`.
            reading: How completions are read and verified inside a run.
            bases: Models to run them over; by default all of the pool's.

        Raises:
            ConfigError: A method is no `strategy=n`, not registered, or one that is composed of single samples anyway.
        """
        self._pool, self._reading = pool, reading
        self._made = {
            f"{base}+{name}{n}": (base, name, n) for base in bases or pool.models for name, n in map(parse_method, dict.fromkeys(methods))
        }

    @property
    def models(self) -> Mapping[str, Model]:
        """Every model made, as its base is described now."""
        return {name: self._model(name) for name in self._made}

    def input_tokens(self, ask: Sample) -> int:
        """The longest prompt that a run can send: the query's, and everything written before the last request."""
        base, _, _ = self._parts(ask.source.model)
        model = self._pool.model(base)
        asks = self._model(ask.source.model).asks
        own = self._pool.input_tokens(replace(ask, source=Source(base, ask.source.effort)))
        written = (asks - 1) * (model.max_output_tokens + 2 * TOKENS_PER_MESSAGE + TOKENS_PER_PROMPT)
        return own if asks == 1 else min(own + written, model.context_tokens)

    async def sample(self, ask: Sample) -> Samples | Failure:
        """Carry out `ask.n` runs side by side; one that ends without an answer's text brings nothing and is charged all the same.

        Raises:
            QueryError: The prompt does not fit the base model.
            ConfigError: A model or effort that is not there, a capability that the strategy needs, or an ask that is not a plain query.
        """
        base, _, _ = self._parts(ask.source.model)
        self._refuse_unfit(ask)
        self._pool.model(base).effort(ask.source.effort)
        grants = [self._grant(ask) for _ in range(ask.n)]
        try:
            answers = await _all(self._run(ask, ask.first_index + i, grant) for i, grant in enumerate(grants))
        except BaseException as error:
            owe(error, sum((Spend(grant.usage, grant.spent.usd) for grant in grants), Spend()))
            raise
        usage = sum((one.spend.usage for one in answers), Usage())
        cost_usd, latency_s = sum(one.spend.cost_usd for one in answers), max(one.spend.latency_s for one in answers)
        came = tuple(_completion(one) for one in answers if one.text is not None)
        if not came:
            return Failure("; ".join(dict.fromkeys(one.stopped for one in answers)), usage, cost_usd, latency_s)
        return Samples(came, usage, cost_usd, latency_s, ask.source.effort)

    async def aclose(self) -> None:
        """Leave the base models open: they belong to the pool that was handed in."""

    def _grant(self, ask: Sample) -> Grant:
        """What one run may use."""
        base, _, _ = self._parts(ask.source.model)
        asks = self._model(ask.source.model).asks
        return Grant(Budget(tokens=asks * (self.input_tokens(ask) + self._pool.model(base).max_output_tokens), calls=asks))

    async def _run(self, ask: Sample, index: int, grant: Grant) -> Answer:
        base, strategy, n = self._parts(ask.source.model)
        query = _query_of(ask, f"{ask.query_id}+{strategy}{n}.{index}")
        steps = steps_of(Arm(Source(base, ask.source.effort), strategy, n), query, self._reading)
        return await run(steps, self._pool, grant)

    def _parts(self, name: str) -> tuple[str, str, int]:
        if name not in self._made:
            raise ConfigError(unknown("model", name, self._made))
        return self._made[name]

    def _model(self, name: str) -> Model:
        base, strategy, n = self._parts(name)
        model = self._pool.model(base)
        judges = (self._reading.judge, self._reading.process and self._reading.process.judge)
        judging = n * sum(judge is not None for judge in judges)  # one verdict on each; what more a judge asks is refused
        cuts = not all(e.native for e in model.efforts) or (strategy == "cap" and "thinking_cap" not in model.capabilities)
        asks = (most_asks(strategy, n) + judging) * (2 if cuts else 1)  # a thought that is cut takes a second request for its answer
        efforts, most = tuple(replace(effort, native=True) for effort in model.efforts), asks * model.max_output_tokens
        return replace(model, name=name, efforts=efforts, max_output_tokens=most, capabilities=frozenset(), asks=asks)

    def _refuse_unfit(self, ask: Sample) -> None:
        if not ask.independent or ask.logprobs or ask.max_thinking_tokens is not None:
            raise ConfigError(
                f"{ask.source.model!r} is a strategy over a model and answers plain queries only; ask its base model for this."
            )


def parse_method(text: str) -> tuple[str, int]:
    """Read `strategy=n`.

    Raises:
        ConfigError: It is not of this form, no such strategy is registered, or single samples make it up already.

    >>> parse_method("revise=3")
    ('revise', 3)
    """
    name, _, count = text.partition("=")
    if not count.isdigit() or int(count) < 1:
        raise ConfigError(f"method {text!r} is not of the form strategy=n, as in 'revise=3'.")
    if name in WITHOUT_GAIN:
        raise ConfigError(f"method {text!r}: {name!r} is made of single samples, which are chosen one by one anyway. Leave it out.")
    if name not in STRATEGIES:
        raise ConfigError(f"method {text!r}: {unknown('strategy', name, STRATEGIES)}")
    return name, int(count)


async def _all(runs: Iterable[Coroutine[Any, Any, Answer]]) -> list[Answer]:
    """Run side by side; the first error of any ends the others and is raised as it was."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in runs]
    except BaseExceptionGroup as errors:
        raise first_of(errors) from None
    return [task.result() for task in tasks]


def _query_of(ask: Sample, name: str) -> Query:
    """The query that an ask's messages say, under a name of its own so that every run draws its own samples."""
    said = {role: "\n\n".join(m.content for m in ask.messages if m.role == role) for role in ("system", "user")}
    if not said["user"].strip():
        raise QueryError(f"query {ask.query_id!r} has an empty prompt; expected text to answer.")
    return Query(name, said["user"], said["system"])


def _completion(answer: Answer) -> Completion:
    usage = answer.spend.usage
    return Completion(
        text=answer.text or "",
        output_tokens=usage.output_tokens,
        thinking_tokens=usage.thinking_tokens,
        answer=answer.answer,
        usage=usage,
    )
