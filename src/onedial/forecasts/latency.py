"""How long a source takes: quantiles of latency given how many tokens it will write.

A reply takes a + b tokens seconds times a lognormal factor; a and b are held to
non-negative values. Samples asked for side by side take as long as the slowest. A source without recorded latencies has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls
from scipy.special import ndtri

from onedial.core.arm import Source
from onedial.core.errors import TableError, unknown
from onedial.core.outcome import Floats, Panel

MIN_SAMPLES = 5


@dataclass(frozen=True, slots=True)
class LatencyLine:
    """Latency of one source.

    Attributes:
        base_s: Seconds before the first token.
        per_token_s: Seconds per output token.
        spread: Standard deviation of the log of the factor around the line.
        shift: Mean of that log.
        n: Samples it was learned from.
    """

    base_s: float
    per_token_s: float
    spread: float
    shift: float
    n: int

    def quantile(self, tokens: Floats, p: float, side_by_side: int = 1) -> Floats:
        """Seconds within which all of `side_by_side` samples of so many tokens are back with chance `p` in (0, 1)."""
        if not 0 < p < 1 or side_by_side < 1:
            raise ValueError(f"expected 0 < p < 1 and at least one sample, found p={p} and {side_by_side}")
        line = self.base_s + self.per_token_s * np.asarray(tokens, dtype=float)
        return np.asarray(line * np.exp(self.shift + self.spread * ndtri(p ** (1.0 / side_by_side))))


@dataclass(frozen=True, slots=True)
class Latencies:
    """Fitted lines, one per source; None where too few latencies are recorded."""

    sources: tuple[Source, ...]
    lines: tuple[LatencyLine | None, ...]

    def quantile(self, source: Source, tokens: Floats, p: float, side_by_side: int = 1) -> Floats:
        """As `LatencyLine.quantile`; NaN where nothing is known.

        Raises:
            TableError: The source was not in the panel.
        """
        if source not in self.sources:
            raise TableError(f"{unknown('source', str(source), map(str, self.sources))} Collect outcomes of it first.")
        line = self.lines[self.sources.index(source)]
        return np.full(np.shape(tokens), np.nan) if line is None else line.quantile(tokens, p, side_by_side)


def fit_latencies(panel: Panel) -> Latencies:
    """Fit a line per source to samples whose latency is recorded; without tokens the line is flat."""
    lines = [_fit(panel.output_tokens[:, j].ravel(), panel.latency_s[:, j].ravel()) for j in range(len(panel.sources))]
    return Latencies(panel.sources, tuple(lines))


def _fit(tokens: Floats, latency_s: Floats) -> LatencyLine | None:
    known = np.isfinite(latency_s) & (latency_s > 0)
    if known.sum() < MIN_SAMPLES:
        return None
    told = known & np.isfinite(tokens)
    if told.sum() >= MIN_SAMPLES:
        base, slope = _line(tokens[told], latency_s[told])
        ratio = np.log(latency_s[told] / (base + slope * tokens[told]))
        return LatencyLine(base, slope, float(ratio.std()), float(ratio.mean()), int(told.sum()))
    log = np.log(latency_s[known])
    return LatencyLine(1.0, 0.0, float(log.std()), float(log.mean()), int(known.sum()))


def _line(tokens: Sequence[float] | Floats, latency_s: Floats) -> tuple[float, float]:
    """Non-negative least squares of relative errors, so that slow replies do not drown quick ones."""
    design = np.column_stack((np.ones(len(latency_s)), np.asarray(tokens))) / latency_s[:, None]
    base, slope = nnls(design, np.ones(len(latency_s)))[0]
    return (float(base), float(slope)) if base + slope > 0 else (float(np.median(latency_s)), 0.0)
