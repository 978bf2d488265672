"""Guards against forecasts that know what they are scored on.

Two facts about a forecast made from the text of a query, without its outcomes, can be checked where samples repeat. Its squared
error, with the noise of the samples subtracted, is the squared error against the true chance of success, and so not negative in
expectation; a forecast that knows part of the noise falls below. And samples of one source on one query are alike to it; one that
knows a certain sample is closer to that one than to the others. Whether a *harness* leaks is seen on shuffled scores, from
which nothing can be learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from onedial.core.arm import Source
from onedial.core.errors import TableError
from onedial.core.outcome import Floats, Outcome, known_mean

LIMIT = 4.0
"""Standard errors: about one false alarm in thirty thousand, per check."""
MIN_QUERIES = 20


@dataclass(frozen=True, slots=True)
class LeakCheck:
    """What was found.

    Attributes:
        error: Mean squared error against the true chance of success, noise subtracted; below zero only by luck or by a leak.
        error_z: The same in standard errors over queries.
        sample: Index of the recorded sample that the forecast is closest to, compared with the others of its query.
        sample_z: How much closer, in standard errors; negative is closer.
        n: Queries with repeated samples.
    """

    error: float
    error_z: float
    sample: int
    sample_z: float
    n: int

    @property
    def leaks(self) -> bool:
        """Whether the forecast knows more of the outcomes than a forecast can."""
        return min(self.error_z, self.sample_z) < -LIMIT

    @property
    def sentence(self) -> str:
        """The finding for a person."""
        if not self.leaks:
            return f"No leak seen on {self.n:,} queries with repeated samples."
        if self.sample_z < self.error_z:
            how = f"it is closer to sample {self.sample} of a query than to the others by {-self.sample_z:.1f} standard errors"
        else:
            how = f"its error is {-self.error_z:.1f} standard errors below what the noise of the samples allows"
        return f"The forecast has seen outcomes that it is scored on: {how}. Look for them in the prompts, or in how queries were split."


def leak_check(forecast: Floats, score: Floats) -> LeakCheck:
    """Hold forecasts of queries that were kept apart against their recorded samples.

    Args:
        forecast: (n_queries, n_sources) chance that one sample is right, made before any sample.
        score: (n_queries, n_sources, n_samples) recorded scores, NaN where there is none.

    Raises:
        TableError: Too few queries with two samples of one source: then no check is possible.
    """
    known = np.isfinite(score)
    count = known.sum(axis=2)
    mean = known_mean(score, axis=2)
    with np.errstate(invalid="ignore"):
        spread = np.where(count > 1, known_mean((score - mean[:, :, None]) ** 2, axis=2) / (count - 1.0), np.nan)
    beyond_noise = known_mean((mean - forecast) ** 2 - spread, axis=1)
    n = int(np.isfinite(beyond_noise).sum())
    if n < MIN_QUERIES:
        raise TableError(f"{n} queries have two samples of one source; looking for a leak needs at least {MIN_QUERIES}. Collect repeats.")
    error, error_z = _z(beyond_noise)
    loss = np.where(known & (count > 1)[:, :, None], (score - forecast[:, :, None]) ** 2, np.nan)
    closer = [_z(known_mean(loss[:, :, k] - _others(loss, k), axis=1))[1] for k in range(score.shape[2])]
    return LeakCheck(error, error_z, int(np.argmin(closer)), float(min(closer)), n)


def _others(loss: Floats, k: int) -> Floats:
    return known_mean(np.delete(loss, k, axis=2), axis=2)


def _z(values: Floats) -> tuple[float, float]:
    """Mean over the queries that have a value, and the same in standard errors; 0 where too few have one."""
    found = values[np.isfinite(values)]
    if found.size < MIN_QUERIES:
        return float("nan"), 0.0
    error = float(found.std(ddof=1)) / np.sqrt(found.size)
    return float(found.mean()), float(found.mean() / error) if error > 0 else 0.0


def shuffled_scores(outcomes: Sequence[Outcome], seed: int) -> list[Outcome]:
    """Permute scores among all outcomes of each source, everything else left where it is.

    Neither the text, nor answers, nor tokens say anything of such scores: a harness in which choosing per query still pays is broken.
    """
    rng, found = np.random.default_rng(seed), list(outcomes)
    places: dict[Source, list[int]] = {}
    for i, outcome in enumerate(found):
        if outcome.score is not None:
            places.setdefault(outcome.source, []).append(i)
    for rows in places.values():
        for i, j in zip(rows, rng.permutation(rows), strict=True):
            found[i] = replace(outcomes[i], score=outcomes[int(j)].score)
    return found
