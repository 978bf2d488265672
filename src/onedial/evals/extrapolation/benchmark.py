"""The extrapolation benchmark: fit on one or two samples, or without one thinking effort, and predict what was left out.

What is predicted, and by which rivals, is in `samples` and `efforts`; how errors are freed of sampling noise is in `metrics.debiased`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from onedial.core.cores import one_core
from onedial.core.outcome import Floats, Panel
from onedial.core.usage import Price
from onedial.evals.extrapolation.efforts import run_efforts
from onedial.evals.extrapolation.ridge_heads import RidgeHeads
from onedial.evals.extrapolation.samples import run_samples
from onedial.forecasts.features import features
from onedial.metrics.bootstrap import resample_weights

MIN_QUERIES = 20


@dataclass(frozen=True, slots=True)
class Extrapolated:
    """What the benchmark found on one table.

    Attributes:
        samples: Predicting more samples from one or two; see `to_json`.
        efforts: Predicting a left-out effort; see `to_json`.
        seed: Of everything random.
        resamples: Bootstrap resamples over queries.
    """

    samples: Mapping[str, Any]
    efforts: Mapping[str, Any]
    seed: int
    resamples: int

    def to_json(self) -> dict[str, Any]:
        """The same as plain dictionaries."""
        return {"samples": dict(self.samples), "efforts": dict(self.efforts), "seed": self.seed, "resamples": self.resamples}


def extrapolate(panel: Panel, prices: Mapping[str, Price], seed: int = 0, resamples: int = 500) -> Extrapolated:
    """Run both tasks on a table; a task that the table cannot pose says why in its `reason`.

    Args:
        panel: Recorded samples.
        prices: Per model; a model without one is charged what was recorded.
        seed: Of the order of samples and the bootstrap.
        resamples: Bootstrap resamples over queries.
    """
    n = len(panel.queries)
    if n < MIN_QUERIES:
        few = {"reason": f"{n} queries; at least {MIN_QUERIES} are needed", "parts": []}
        return Extrapolated(few, few, seed, resamples)
    heads = RidgeHeads(_text_features(panel))
    drawn = resample_weights(n, resamples, np.random.default_rng([seed, 11]))
    weights = np.concatenate((np.full((1, n), 1.0 / n), drawn))
    with one_core():
        samples = run_samples(panel, prices, heads, seed, weights)
        return Extrapolated(samples, run_efforts(panel, prices, heads, weights), seed, resamples)


def _text_features(panel: Panel) -> Floats:
    """Features of the queries, or none where some query has no text."""
    if any(not query.prompt.strip() for query in panel.queries):
        return np.zeros((len(panel.queries), 0))
    return features(panel.queries)
