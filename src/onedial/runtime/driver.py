"""The asynchronous driver: price every ask, reserve it, pay for it, send the reply.

Its pure twin is `onedial.core.steps.drive`. Retries belong to the clients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from onedial.core.answer import Spend
from onedial.core.ask import Failure, Refusal, Reply, Sample, Samples
from onedial.core.errors import BudgetExhausted, QueryError
from onedial.core.steps import Steps
from onedial.runtime.bound import worst_case
from onedial.runtime.ledger import Grant
from onedial.runtime.owed import owed
from onedial.runtime.pool import Pool
from onedial.runtime.unfit import refuse_lacking

T = TypeVar("T")
OnSamples = Callable[[Sample, Samples], None]
"""Told of every ask that brought samples, before the strategy sees them."""


async def run(steps: Steps[T], pool: Pool, grant: Grant, on_samples: OnSamples | None = None) -> T:
    """Run a generator to its end against live models.

    An ask whose worst case does not fit the grant is answered with a `Refusal`
    that holds the numbers; one that failed, with its `Failure`. A follow-up that
    does not fit its model is refused too, so that what was paid for before is not lost.

    Args:
        steps: A fresh generator.
        pool: The models.
        grant: What may be spent. Everything used is settled there, also when this is cancelled.
        on_samples: Called with each ask and the samples it brought.

    Returns:
        What the generator returns.

    Raises:
        QueryError: A prompt is not there, or does not fit its model.
        ConfigError: A model, an effort or a capability that is not there.
        ModelError: An endpoint that refuses whatever is asked, as for a wrong key.
    """
    try:
        ask = next(steps)
        while True:
            reply = await answer(ask, pool, grant)
            if on_samples is not None and isinstance(reply, Samples):
                on_samples(ask, reply)
            ask = steps.send(reply)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        steps.close()


async def answer(ask: Sample, pool: Pool, grant: Grant) -> Reply:
    """Carry out one ask within a grant.

    Cancelled, or ended by an error, it is settled at what its client says that it cost;
    where none says, a foreseen error is free, and anything else costs the worst case, marked as bounded.

    Raises:
        QueryError: There is nothing to send: the query's outcomes are recorded without its text.
        ConfigError: Its model lacks a capability that this or a later ask of the run needs; nothing has been paid then.
    """
    if not ask.messages:
        raise QueryError(f"query {ask.query_id!r} has no text, only recorded outcomes; a model cannot be asked. Give its prompt.")
    client, model = pool.client(ask.source.model), pool.model(ask.source.model)
    refuse_lacking(ask, model)
    worst = worst_case(ask, model, client.input_tokens(ask))
    try:
        held = grant.reserve(worst, model.price.cost_usd(worst))
    except BudgetExhausted as short:
        return Refusal(str(short))
    try:
        reply = await client.sample(ask)
    except BaseException as error:
        used = replace(worst, bounded=True)
        spent = owed(error) or Spend(used, model.price.cost_usd(used))
        held.settle(spent.usage, spent.cost_usd)
        if isinstance(error, QueryError) and ask.follows_up:
            return Failure(str(error), spent.usage, spent.cost_usd) if spent.usage.calls else Refusal(str(error))
        raise
    held.settle(reply.usage, reply.cost_usd)
    return reply
