"""From arrays to findings: the rows that a report shows, in USD per 1,000 queries, with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from onedial.core.outcome import Floats, Ints
from onedial.evals.comparison import Kept, Matched
from onedial.evals.report import findings as f
from onedial.evals.selection import Sweep
from onedial.metrics.bootstrap import Interval, percentile_interval, resample_weights
from onedial.metrics.calibration import brier, ece, reliability
from onedial.metrics.exchange import Exchange
from onedial.metrics.hull import upper_hull
from onedial.policies.certificate import Certificate
from onedial.policies.grid import Grid

PER = 1000.0


def known(value: float) -> float | None:
    """The value, or None where it is not finite."""
    return float(value) if math.isfinite(value) else None


def arm_points(grid: Grid) -> tuple[f.ArmPoint, ...]:
    """Every fixed arm of a complete grid."""
    cost, quality = PER * grid.cost_usd.mean(axis=0), grid.quality.mean(axis=0)
    return tuple(f.ArmPoint(str(a), a.source.model, float(c), float(q)) for a, c, q in zip(grid.arms, cost, quality, strict=True))


def hull_line(grid: Grid) -> f.Line:
    """The hull of the fixed arms *on these queries*: a picture, not a comparator (that is chosen on the training split)."""
    edge = upper_hull(PER * grid.cost_usd.mean(axis=0), grid.quality.mean(axis=0))
    return f.Line("hull", tuple(f.Point(float(c), float(q)) for c, q in zip(edge.cost, edge.quality, strict=True)))


def line(sweep: Sweep, rng: np.random.Generator, n_resamples: int = 1000) -> f.Line:
    """One policy over its dial, each point with intervals of its mean cost and quality."""
    weights = resample_weights(sweep.quality.shape[1], n_resamples, rng)
    points = []
    for target, quality, cost in zip(sweep.targets, sweep.quality, PER * sweep.cost_usd, strict=True):
        q = percentile_interval(float(quality.mean()), weights @ quality)
        c = percentile_interval(float(cost.mean()), weights @ cost)
        points.append(f.Point(c.estimate, q.estimate, c.low, c.high, q.low, q.high, known(float(target))))
    return f.Line(sweep.name, tuple(points))


def matched_rows(rows: Sequence[Matched]) -> tuple[f.MatchedRow, ...]:
    """Costs at matched quality."""
    return tuple(
        f.MatchedRow(
            row.target,
            row.level,
            row.policy,
            known(PER * row.cost_usd.estimate),
            *_ends(row.over_fixed),
            *_ends(row.lead_over),
            gap_closed=known(row.gap_closed),
            unreached=row.cost_usd.unreached,
        )
        for row in rows
    )


def _ends(interval: Interval) -> tuple[float | None, float | None, float | None]:
    return known(interval.estimate), known(interval.low), known(interval.high)


def promise_rows(labels: Sequence[str], kept: Sequence[Kept], certificates: Sequence[Certificate | None] = ()) -> tuple[f.PromiseRow, ...]:
    """One row per target; certificates, if any, in the same order."""
    given = tuple(certificates) or (None,) * len(kept)
    return tuple(
        f.PromiseRow(
            label,
            row.target,
            row.quality.estimate,
            row.quality.low,
            row.quality.high,
            PER * row.cost_usd.estimate,
            row.verdict,
            None if certificate is None else certificate.certified,
            "" if certificate is None else certificate.sentence,
        )
        for label, row, certificate in zip(labels, kept, given, strict=True)
    )


def shares(title: str, options: Sequence[str], chosen: Ints, group: Ints, groups: Sequence[str], weight: Floats | float = 1.0) -> f.Shares:
    """Count what was chosen in each group of queries.

    Args:
        title: `model`, `thinking`, `samples`, ...
        options: Names, from least to most.
        chosen: (n,) index into `options`; one entry per query, or per sample drawn.
        group: (n,) index into `groups`.
        groups: Names, from easiest to hardest; a group without entries has shares of zero.
        weight: (n,) what each entry counts.
    """
    counts = np.zeros((len(groups), len(options)))
    np.add.at(counts, (group, chosen), weight)
    total = counts.sum(axis=1, keepdims=True)
    rows = counts / np.where(total > 0, total, 1.0)
    share = tuple(tuple(float(x) for x in row) for row in rows)
    return f.Shares(title, tuple(options), tuple(groups), share, tuple(round(float(t)) for t in total[:, 0]))


def reliability_of(forecast: npt.ArrayLike, outcome: npt.ArrayLike, n_bins: int = 10) -> f.Reliability:
    """Calibration of the selected arm, in bins of equal count."""
    bins = reliability(forecast, outcome, n_bins, equal_mass=True)
    points = tuple(f.ReliabilityBin(b.forecast, b.outcome, b.n_queries) for b in bins)
    return f.Reliability(points, ece(forecast, outcome, n_bins, equal_mass=True), brier(forecast, outcome))


def exchange_rows(small: str, large: str, rates: Sequence[Exchange], groups: Sequence[str]) -> tuple[f.ExchangeRow, ...]:
    """One step of model size, by group; `groups` names the group codes."""
    return tuple(
        f.ExchangeRow(small, large, groups[r.group], known(r.multiple), known(r.relative_cost), r.best_quality, r.quality) for r in rates
    )
