"""From recorded outcomes with propensities to what a frozen policy would have reached and cost in their place.

The estimators are in `metrics.off_policy`; here rows become logs. What the frozen policy would do is handed in as probabilities.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.arm import Source
from onedial.core.errors import TableError
from onedial.core.outcome import Floats, Outcome
from onedial.core.query import Query
from onedial.metrics.off_policy import Estimate, Log, doubly_robust, inverse_propensity, self_normalised


@dataclass(frozen=True, slots=True)
class Judged:
    """One mean of the frozen policy, estimated in three ways.

    Attributes:
        inverse_propensity: Unbiased.
        self_normalised: Steadier, a little biased.
        doubly_robust: Unbiased, and steadier the better the forecast; None without one.
    """

    inverse_propensity: Estimate
    self_normalised: Estimate
    doubly_robust: Estimate | None


@dataclass(frozen=True, slots=True)
class OffPolicy:
    """What another policy would have reached and cost.

    Attributes:
        quality: Mean quality, in [0, 1].
        cost_usd: Mean cost per query; None where no cost was logged.
        n: Logged queries.
        effective_n: Queries that a plain mean of the same weight would rest on; far below `n` the estimates hang on a few rows.
    """

    quality: Judged
    cost_usd: Judged | None
    n: int
    effective_n: float


def off_policy(
    queries: Sequence[Query],
    outcomes: Iterable[Outcome],
    sources: Sequence[Source],
    target: Floats,
    quality: Floats | None = None,
    cost_usd: Floats | None = None,
) -> OffPolicy:
    """Estimate what a frozen policy would have reached and cost on the queries of a log.

    Args:
        queries: Row order of the arrays.
        outcomes: One per query, each with the propensity of its source; rows of other queries are left out.
        sources: Column order of the arrays.
        target: (n_queries, n_sources) probability with which the frozen policy would choose each source.
        quality: (n_queries, n_sources) forecast quality, by a forecast that was not fitted on this log.
        cost_usd: (n_queries, n_sources) forecast cost, likewise.

    Raises:
        TableError: A query without exactly one graded outcome, a propensity that is absent or zero, a source without a
            column, or a target that plays what was never logged.
    """
    rows = _one_each(queries, outcomes)
    column = {source: j for j, source in enumerate(sources)}
    if strangers := sorted({str(row.source) for row in rows} - set(map(str, sources))):
        raise TableError(f"the log has outcomes of {', '.join(strangers)}; give every logged source a column.")
    action = np.array([column[row.source] for row in rows], dtype=np.int64)
    propensity = _values([row.propensity for row in rows])
    graded = Log(action, propensity, _values([row.score for row in rows]), np.asarray(target, dtype=float))
    cost = _values([row.cost_usd for row in rows])
    billed = Log(action, propensity, cost, graded.target) if np.isfinite(cost).any() else None
    return OffPolicy(_judged(graded, quality), _judged(billed, cost_usd) if billed else None, len(rows), graded.effective_n)


def _one_each(queries: Sequence[Query], outcomes: Iterable[Outcome]) -> list[Outcome]:
    logged: dict[str, list[Outcome]] = {query.id: [] for query in queries}
    for outcome in outcomes:
        if outcome.query_id in logged:
            logged[outcome.query_id].append(outcome)
    for query_id, rows in logged.items():
        if len(rows) != 1:
            raise TableError(
                f"query {query_id!r} has {len(rows)} logged outcomes; expected the one that was decided on. Leave the others out."
            )
    return [rows[0] for rows in logged.values()]


def _values(cells: Sequence[float | None]) -> Floats:
    return np.array([np.nan if cell is None else cell for cell in cells], dtype=float)


def _judged(log: Log, predicted: Floats | None) -> Judged:
    robust = None if predicted is None else doubly_robust(log, predicted)
    return Judged(inverse_propensity(log), self_normalised(log), robust)
