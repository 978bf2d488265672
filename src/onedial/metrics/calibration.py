"""Whether a forecast of quality means what it says: Brier score, expected calibration error, reliability bins.

Apply these to the *selected* arm: an argmax over noisy forecasts is optimistic
even where each forecast is calibrated.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from onedial.core.outcome import Floats


class Bin(NamedTuple):
    """Forecasts of one bin against what happened: means over `n_queries` queries."""

    forecast: float
    outcome: float
    n_queries: int


def brier(forecast: npt.ArrayLike, outcome: npt.ArrayLike) -> float:
    """Mean squared difference of forecast and outcome, both in [0, 1]; NaN for no queries.

    Source: Brier 1950.

    >>> brier([0.75, 0.25], [1.0, 0.0])
    0.0625
    """
    f, y = _pair(forecast, outcome)
    return float(((f - y) ** 2).mean()) if f.size else float("nan")


def reliability(forecast: npt.ArrayLike, outcome: npt.ArrayLike, n_bins: int = 10, *, equal_mass: bool = False) -> tuple[Bin, ...]:
    """Group queries by forecast, left out where a bin is empty.

    Args:
        forecast: (n,) in [0, 1].
        outcome: (n,) in [0, 1].
        n_bins: Bins at most.
        equal_mass: Bins of about equal counts (edges at quantiles) instead of equal width.

    >>> reliability([0.1, 0.9, 0.9], [0.0, 1.0, 0.0], n_bins=2)
    (Bin(forecast=0.1, outcome=0.0, n_queries=1), Bin(forecast=0.9, outcome=0.5, n_queries=2))
    """
    f, y = _pair(forecast, outcome)
    if not f.size:
        return ()
    edges = np.quantile(f, np.linspace(0, 1, n_bins + 1)) if equal_mass else np.linspace(0, 1, n_bins + 1)
    code = np.clip(np.searchsorted(edges[1:-1], f, side="right"), 0, n_bins - 1)
    members = [code == b for b in range(n_bins)]
    return tuple(Bin(float(f[m].mean()), float(y[m].mean()), int(m.sum())) for m in members if m.any())


def ece(forecast: npt.ArrayLike, outcome: npt.ArrayLike, n_bins: int = 10, *, equal_mass: bool = False) -> float:
    """Expected calibration error: mean over queries of |forecast - outcome| of their bin; NaN for no queries.

    Source: Naeini 2015; Guo 1706.04599, equation 3.

    >>> round(ece([0.1, 0.9, 0.9], [0.0, 1.0, 0.0], n_bins=2), 6)
    0.3
    """
    bins = reliability(forecast, outcome, n_bins, equal_mass=equal_mass)
    total = sum(b.n_queries for b in bins)
    return sum(b.n_queries * abs(b.forecast - b.outcome) for b in bins) / total if total else float("nan")


def _pair(forecast: npt.ArrayLike, outcome: npt.ArrayLike) -> tuple[Floats, Floats]:
    f, y = np.asarray(forecast, dtype=float), np.asarray(outcome, dtype=float)
    if f.shape != y.shape or f.ndim != 1:
        raise ValueError(f"forecast and outcome must be vectors of one length, found {f.shape} and {y.shape}")
    kept = np.isfinite(f) & np.isfinite(y)
    return f[kept], y[kept]
