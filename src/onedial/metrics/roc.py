"""How well scores tell right answers from wrong ones: the ROC curve, the area under it, and accept rates, with intervals.

Whatever made the scores must not have seen the labels of these very answers. Answers of one query are alike, so that intervals
come from resampling queries, not answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from onedial.core.outcome import Floats, Ints
from onedial.metrics.bootstrap import Interval, percentile_interval, resample_weights

ACCEPTED = 0.5
"""Scores from here on are accepted, and labels from here on are right."""


class Curve(NamedTuple):
    """A ROC curve from (0, 0) to (1, 1): one point per distinct score, highest first.

    Attributes:
        p_accept_wrong: (k + 1,) share of wrong answers with a score of at least the threshold.
        p_accept_right: (k + 1,) share of right answers with one.
        threshold: (k + 1,) the first is infinite.
    """

    p_accept_wrong: Floats
    p_accept_right: Floats
    threshold: Floats


@dataclass(frozen=True, slots=True)
class Rated:
    """What the scores of a verifier are worth.

    Attributes:
        auc: Chance that a right answer scores above a wrong one, ties counting half; NaN without both.
        within: The same among answers of one query, averaged over the queries that have both: what choosing among samples rests on.
        p_accept_right: Share of the right answers that are accepted.
        p_accept_wrong: Share of the wrong ones.
        right: Scored answers that are right.
        wrong: Scored answers that are wrong.
        unscored: Labelled answers without a score.
        curve: The ROC curve.
    """

    auc: Interval
    within: Interval
    p_accept_right: Interval
    p_accept_wrong: Interval
    right: int
    wrong: int
    unscored: int
    curve: Curve


def rated(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    query: npt.ArrayLike,
    rng: np.random.Generator,
    n_resamples: int = 500,
    level: float = 0.95,
) -> Rated:
    """Rate scores by labels.

    Args:
        scores: (n,) NaN where there is none.
        labels: (n,) in [0, 1]; answers without one, NaN, are left out.
        query: (n,) which query each answer belongs to, as an integer.
        rng: Source of the resamples.
        n_resamples: How many.
        level: Central mass of the intervals.

    >>> found = rated([0.9, 0.2, 0.4, np.nan], [1, 0, 1, 1], [0, 0, 1, 1], np.random.default_rng(0), 50)
    >>> found.auc.estimate, found.p_accept_right.estimate, found.unscored
    (1.0, 0.5, 1)
    """
    s, y, q = np.asarray(scores, dtype=float), np.asarray(labels, dtype=float), np.asarray(query, dtype=np.int64)
    if not s.shape == y.shape == q.shape or s.ndim != 1:
        raise ValueError(f"scores, labels and queries must be vectors of one length, found {s.shape}, {y.shape} and {q.shape}")
    labelled = np.isfinite(y)
    kept = labelled & np.isfinite(s)
    s, right, row = s[kept], y[kept] >= ACCEPTED, np.unique(q[kept], return_inverse=True)[1]
    queries = int(row.max(initial=-1)) + 1
    draws = resample_weights(queries, n_resamples, rng) * queries if queries else np.zeros((0, 0))
    yes = s >= ACCEPTED

    def interval(statistic: Callable[[Floats], float]) -> Interval:
        found = np.array([statistic(draw[row]) for draw in draws])
        found = found[np.isfinite(found)]
        estimate = statistic(np.ones(len(s)))
        return percentile_interval(estimate, found, level) if found.size else Interval(estimate, np.nan, np.nan)

    each, first = _within(s, right, row), np.unique(row, return_index=True)[1]
    return Rated(
        auc=interval(lambda w: area(s, right, w)),
        within=interval(lambda w: _mean(each, w[first])),
        p_accept_right=interval(lambda w: _mean(yes[right], w[right])),
        p_accept_wrong=interval(lambda w: _mean(yes[~right], w[~right])),
        right=int(right.sum()),
        wrong=int((~right).sum()),
        unscored=int(labelled.sum() - kept.sum()),
        curve=roc_curve(s, right),
    )


def area(scores: Floats, right: npt.NDArray[np.bool_], weights: Floats | None = None) -> float:
    """Area under the ROC curve of weighted answers; NaN unless some are right and some wrong.

    Source: Hanley and McNeil 1982; ties count half.
    """
    w = np.ones(len(scores)) if weights is None else weights
    _, code = np.unique(scores, return_inverse=True)
    good, bad = np.bincount(code, w * right), np.bincount(code, w * ~right)
    below = np.cumsum(bad) - bad
    pairs = good.sum() * bad.sum()
    return float((good * (below + bad / 2)).sum() / pairs) if pairs > 0 else float("nan")


def roc_curve(scores: Floats, right: npt.NDArray[np.bool_]) -> Curve:
    """The ROC curve; NaN rates on a side that has no answers."""
    levels, code = np.unique(scores, return_inverse=True)
    with np.errstate(invalid="ignore"):
        rates = [np.concatenate(([0.0], np.cumsum(np.bincount(code, side, len(levels))[::-1]))) / side.sum() for side in (~right, right)]
    return Curve(rates[0], rates[1], np.concatenate(([np.inf], levels[::-1])))


def accept_counts(scores: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[int, int, int, int]:
    """How many (right answers are accepted, are there, wrong answers are accepted, are there), among those with score and label.

    >>> accept_counts([0.9, 0.1, 0.6, np.nan], [1.0, 1.0, 0.0, 1.0])
    (1, 2, 1, 1)
    """
    s, y = np.asarray(scores, dtype=float), np.asarray(labels, dtype=float)
    known = np.isfinite(s) & np.isfinite(y)
    right, yes = y[known] >= ACCEPTED, s[known] >= ACCEPTED
    return int((yes & right).sum()), int(right.sum()), int((yes & ~right).sum()), int((~right).sum())


def _within(scores: Floats, right: npt.NDArray[np.bool_], row: Ints) -> Floats:
    """Per query, the area among its own answers; NaN where all are right or all wrong."""
    order = np.argsort(row, kind="stable")
    cuts = np.flatnonzero(np.diff(row[order])) + 1
    return np.array([area(scores[i], right[i]) for i in np.split(order, cuts)]) if len(row) else np.zeros(0)


def _mean(values: npt.NDArray[np.bool_] | Floats, weights: Floats) -> float:
    """Weighted mean of what is known; NaN where nothing has weight."""
    known = np.isfinite(values)
    total = weights[known].sum()
    return float(weights[known] @ values[known] / total) if total > 0 else float("nan")
