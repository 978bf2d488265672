"""Paired bootstrap over queries: the same resampled queries for every policy, percentile intervals.

Policies are fitted before and stay as they are; only the test queries are resampled.
Randomness comes in as a generator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from onedial.core.outcome import Floats
from onedial.metrics.frontier import cost_at_quality


class Interval(NamedTuple):
    """An estimate with its percentile interval.

    Attributes:
        estimate: On the queries as they are.
        low: Lower end; may be infinite.
        high: Upper end; infinite where too many resamples do not reach the quality asked for.
        unreached: Share of resamples without a value, in [0, 1].
    """

    estimate: float
    low: float
    high: float
    unreached: float = 0.0


def resample_weights(n_queries: int, n_resamples: int, rng: np.random.Generator) -> Floats:
    """Draw multinomial weights, shape (n_resamples, n_queries), rows summing to 1: `weights @ values` are resampled means."""
    if n_queries < 1 or n_resamples < 1:
        raise ValueError(f"a bootstrap needs at least 1 query and 1 resample, found {n_queries} and {n_resamples}")
    counts = rng.multinomial(n_queries, np.full(n_queries, 1.0 / n_queries), size=n_resamples)
    return np.asarray(counts, dtype=float) / n_queries


def percentile_interval(estimate: float, resampled: npt.ArrayLike, level: float = 0.95) -> Interval:
    """Take the central `level` of resampled values; a NaN (unreached) counts as infinitely dear.

    >>> percentile_interval(1.0, [0.0, 1.0, 2.0], level=1.0)
    Interval(estimate=1.0, low=0.0, high=2.0, unreached=0.0)
    """
    values = np.asarray(resampled, dtype=float)
    missing = np.isnan(values)
    ordered = np.sort(np.where(missing, np.inf, values))
    tail = (1.0 - level) / 2.0
    low = float(np.quantile(ordered, tail, method="lower"))
    high = float(np.quantile(ordered, 1.0 - tail, method="higher"))
    return Interval(float(estimate), low, high, float(missing.mean()))


def mean_interval(values: npt.ArrayLike, rng: np.random.Generator, n_resamples: int = 2000, level: float = 0.95) -> Interval:
    """Bootstrap the mean of one value per query."""
    per_query = np.asarray(values, dtype=float)
    weights = resample_weights(per_query.size, n_resamples, rng)
    return percentile_interval(float(per_query.mean()), weights @ per_query, level)


def paired_bootstrap(
    arrays: Sequence[npt.ArrayLike],
    statistic: Callable[..., float],
    rng: np.random.Generator,
    n_resamples: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Bootstrap a function of means, resampling queries jointly in every array.

    Args:
        arrays: Each (..., n_queries), queries on the last axis, all in the same order.
        statistic: Called with the mean over queries of each array; NaN means that it has no value there.
        rng: Source of the resamples.
        n_resamples: How many.
        level: Central mass of the interval, in (0, 1].

    >>> rng = np.random.default_rng(0)
    >>> cost = np.array([1.0, 2.0, 3.0])
    >>> paired_bootstrap([cost, 2 * cost], lambda a, b: a / b, rng, 50)[:3]
    (0.5, 0.5, 0.5)
    """
    values = [np.asarray(a, dtype=float) for a in arrays]
    weights = resample_weights(values[0].shape[-1], n_resamples, rng)
    means = [np.moveaxis(v @ weights.T, -1, 0) for v in values]
    resampled = [statistic(*(m[b] for m in means)) for b in range(n_resamples)]
    return percentile_interval(statistic(*(v.mean(axis=-1) for v in values)), resampled, level)


def cost_ratio_at_quality(
    policy: tuple[npt.ArrayLike, npt.ArrayLike],
    rival: tuple[npt.ArrayLike, npt.ArrayLike],
    level: float,
    rng: np.random.Generator,
    n_resamples: int = 2000,
) -> Interval:
    """Bootstrap (cost of policy) / (cost of rival) at one achieved quality.

    Args:
        policy: (cost, quality), each (n_settings, n_queries): one row per setting of its dial.
        rival: The same, over the same queries in the same order.
        level: The mean quality at which both are read off their frontiers.
        rng: Source of the resamples.
        n_resamples: How many.
    """

    def ratio(c: Floats, q: Floats, rival_c: Floats, rival_q: Floats) -> float:
        return cost_at_quality(c, q, level) / cost_at_quality(rival_c, rival_q, level)

    return paired_bootstrap([*policy, *rival], ratio, rng, n_resamples)
