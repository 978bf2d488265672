"""The extrapolation benchmark: fit on one or two samples, or without one thinking effort, and predict what was left out.

What is predicted, and by which rivals, is in `extrapolation_samples` and
`extrapolation_efforts`; how errors are freed of sampling noise is in `metrics.debiased`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onedial.core.outcome import Panel
from onedial.core.usage import Price


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
    waiting = {"reason": "not posed yet", "parts": []}
    return Extrapolated(waiting, waiting, seed, resamples)
