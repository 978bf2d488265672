"""PGR, APGR and CPT as RouteLLM defines them: two models, and the share of calls to the strong one as the only cost.

Costs in money, prompts billed and more than two models are in `frontier` and `area`.

Source: 2406.18665, section 3 and the released evaluator.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from onedial.core.outcome import Floats
from onedial.metrics.frontier import cost_at_quality


class Curve(NamedTuple):
    """A router's curve: share of calls to the strong model in [0, 1], rising, and the mean quality there."""

    p_strong: Floats
    quality: Floats


def decile_curve(score: npt.ArrayLike, weak: npt.ArrayLike, strong: npt.ArrayLike, n_steps: int = 10) -> Curve:
    """Sweep the threshold over the deciles of the router's score.

    A query goes to the strong model if its score is at least the threshold; at
    the last edge, the maximum, only if above it, so that the curve starts at no strong calls.

    Args:
        score: (n,) predicted gain of the strong model; higher means strong.
        weak: (n,) quality of the weak model.
        strong: (n,) quality of the strong model.
        n_steps: Quantile steps; 10 is the published protocol. Coinciding edges are used once.
    """
    s, w, g = (np.asarray(a, dtype=float) for a in (score, weak, strong))
    edges = np.unique(np.quantile(s, np.linspace(0, 1, n_steps + 1)))
    chosen = [s >= edge for edge in edges[:-1]] + [s > edges[-1]]
    if edges.size == 1:
        chosen.insert(0, s >= edges[0])
    points = sorted({(float(c.mean()), float(np.where(c, g, w).mean())) for c in chosen})
    return Curve(np.array([p for p, _ in points]), np.array([q for _, q in points]))


def pgr(quality: float, weak: float, strong: float) -> float:
    """Performance gap recovered: 0 at the weak model's quality, 1 at the strong one's; NaN if they are equal.

    >>> pgr(0.75, 0.5, 1.0)
    0.5
    """
    return (quality - weak) / (strong - weak) if strong != weak else float("nan")


def apgr(curve: Curve, weak: float, strong: float) -> float:
    """Average PGR: the area between the curve and the weak model over that between the two models.

    Above 1 is possible, because the strong model harms some queries.

    >>> apgr(Curve(np.array([0.0, 1.0]), np.array([0.5, 1.0])), 0.5, 1.0)
    0.5
    """
    span = float(curve.p_strong[-1] - curve.p_strong[0])
    if strong == weak or span == 0:
        return float("nan")
    area = float(np.trapezoid(curve.quality, curve.p_strong))
    return (area - weak * span) / ((strong - weak) * span)


def cpt(curve: Curve, weak: float, strong: float, share: float) -> float:
    """Call-performance threshold: the least share of strong calls that recovers `share` of the gap; NaN if none does.

    Read off the running maximum: the published code interpolates a curve that
    need not rise, where the result is meaningless.

    >>> cpt(Curve(np.array([0.0, 1.0]), np.array([0.5, 1.0])), 0.5, 1.0, 0.5)
    0.5
    """
    return cost_at_quality(curve.p_strong, curve.quality, weak + share * (strong - weak))
