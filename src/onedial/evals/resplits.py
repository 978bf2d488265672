"""The promise on recorded tables: certify on one half of the queries, look at the whole, many times over.

The truth is not known here. The whole table's mean stands in for it, and the half that certified is part of the
whole, so what comes out is *optimistic*. Worlds whose truth is known are in `promise_check`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onedial.core.errors import TableError
from onedial.core.outcome import Floats, Ints
from onedial.policies.bounds import named_test
from onedial.policies.certificate import passed_in_order

CHUNK = 4_000_000
"""Values tested at once, at most: bounds the memory."""


@dataclass(frozen=True, slots=True)
class ResplitPromise:
    """How often a promise was made and kept over resplits of one table.

    Attributes:
        epsilon: Drop allowed against the reference arm.
        delta: Probability of a wrong certificate, at most.
        resamples: Resplits.
        violation_rate: Share of *all* resplits whose certified rung drops by more than epsilon on the whole table; optimistic.
        issued_rate: Share in which something was certified; never certifying is not keeping a promise.
        saving_when_issued: Mean share of the reference's cost saved by what was certified; NaN if nothing ever was.
        drop: Mean drop of what was certified, on the whole table; NaN likewise.
        drop_unseen: The same on the half that did not certify: noisy, but not optimistic.
        violation_rate_unseen: Share of all resplits whose certified rung drops by more than epsilon on that half; noise counts.
        n: Outcomes that each certificate rests on.
        test: Name of the test.
    """

    epsilon: float
    delta: float
    resamples: int
    violation_rate: float
    issued_rate: float
    saving_when_issued: float
    drop: float
    drop_unseen: float
    violation_rate_unseen: float
    n: int
    test: str

    def to_json(self) -> dict[str, float | int | str | bool | None]:
        """Plain values for a report: NaN is None, and what is optimistic says so."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: None if value != value else value for name, value in values.items()} | {"optimistic": True}


def resplit_promise(
    ladder_quality: Floats,
    ladder_cost: Floats,
    reference_quality: Floats,
    reference_cost: Floats,
    epsilon: float,
    delta: float = 0.1,
    resamples: int = 200,
    seed: int = 0,
    test: str = "betting",
) -> ResplitPromise:
    """Certify on random halves of the queries, and hold what was certified against the whole table.

    The order of the walk, dearest rung first, is taken from costs on the half that does not certify.

    Args:
        ladder_quality: (n_rungs, n) quality of each rung on queries that it was not fitted on, in [0, 1].
        ladder_cost: (n_rungs, n) cost.
        reference_quality: (n,) quality of the reference arm.
        reference_cost: (n,) its cost.
        epsilon: Drop allowed, in [0, 1).
        delta: Level, in (0, 1).
        resamples: Resplits, at least 1.
        seed: Of the halves.
        test: A key of `policies.bounds.TESTS`.

    Raises:
        TableError: Shapes that do not match, fewer than 4 queries, or an ungraded outcome.
    """
    drops = _checked(ladder_quality, ladder_cost, reference_quality, reference_cost)
    halves = np.random.default_rng(seed).permuted(np.tile(np.arange(drops.shape[1]), (resamples, 1)), axis=1)
    step = max(CHUNK // drops.size, 1)
    chosen = np.concatenate([_certified(drops, ladder_cost, halves[i : i + step], epsilon, delta, test) for i in range(0, resamples, step)])
    issued, half = chosen >= 0, drops.shape[1] // 2
    whole, cost = drops.mean(axis=1), ladder_cost.mean(axis=1)
    unseen = np.array([drops[rung, rows[half:]].mean() for rung, rows in zip(chosen, halves, strict=True)])
    return ResplitPromise(
        epsilon=epsilon,
        delta=delta,
        resamples=resamples,
        violation_rate=float((issued & (whole[chosen] > epsilon)).mean()),
        issued_rate=float(issued.mean()),
        saving_when_issued=_mean(1.0 - cost[chosen[issued]] / reference_cost.mean()),
        drop=_mean(whole[chosen[issued]]),
        drop_unseen=_mean(unseen[issued]),
        violation_rate_unseen=float((issued & (unseen > epsilon)).mean()),
        n=half,
        test=test,
    )


def _checked(quality: Floats, cost: Floats, reference: Floats, reference_cost: Floats) -> Floats:
    """(n_rungs, n) drops."""
    n = reference.size
    if quality.ndim != 2 or quality.shape != cost.shape or quality.shape[1:] != reference.shape or reference_cost.shape != (n,):
        raise TableError(
            f"a ladder of quality {quality.shape} and cost {cost.shape} beside a reference of {reference.shape}, {reference_cost.shape}; "
            "expected (rungs, queries) twice and (queries,) twice, over the same queries."
        )
    if n < 4:
        raise TableError(f"resplitting needs at least 4 queries, found {n}.")
    drops = reference - quality
    if not (np.isfinite(drops).all() and np.isfinite(cost).all()):
        raise TableError("some outcomes or costs are missing; resplit the queries on which every rung and the reference have both.")
    return drops


def _certified(drops: Floats, cost: Floats, halves: Ints, epsilon: float, delta: float, test: str) -> Ints:
    """(n_resplits,) the rung certified on the first half of each row of `halves`; -1 for none."""
    half = drops.shape[1] // 2
    seen, unseen = halves[:, :half], halves[:, half:]
    order = np.argsort(-cost[:, unseen].mean(axis=2).T, axis=1, kind="stable")
    values = (1.0 - drops[order[:, :, None], seen[:, None, :]]) / 2.0
    p_values = named_test(test)(values, (1.0 - epsilon) / 2.0, delta)
    passed = passed_in_order(p_values, delta)
    last = order[np.arange(len(order)), np.maximum(passed - 1, 0)]
    return np.asarray(np.where(passed > 0, last, -1), dtype=np.int64)


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else float("nan")
