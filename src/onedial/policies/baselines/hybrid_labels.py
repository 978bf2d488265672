"""The labels of Hybrid-LLM, and the router fitted to any of them. Each variant has its own file.

Source: 2404.14618, section 3: H(x) = q(S(x)) - q(L(x)), S the small (weak) and L the large (strong) model.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from onedial.core.outcome import Floats
from onedial.policies.baselines.contract import Lesson, Router
from onedial.policies.baselines.embedding import embedded
from onedial.policies.baselines.heads import fit_heads
from onedial.policies.baselines.matches import Draws, draws_of, p_at_least, single
from onedial.policies.baselines.pair import Threshold, cuts_at, pair_of

SLACKS = np.linspace(0.0, 1.0, 21)


def r_det(weak: Draws, strong: Draws) -> Floats:
    """(n,) 1 where one answer of the weak arm is at least as good as one of the strong (section 3.1)."""
    return (single(weak) >= single(strong) - 1e-9).astype(float)


def r_prob(weak: Draws, strong: Draws) -> Floats:
    """(n,) chance that it is, over the answers of both (section 3.2)."""
    return p_at_least(weak, strong)


def r_trans(weak: Draws, strong: Draws) -> Floats:
    """(n,) chance that it is no more than t* worse, t* being what tells queries apart best (section 3.3)."""
    return p_at_least(weak, strong, best_slack(weak, strong))


def best_slack(weak: Draws, strong: Draws) -> float:
    """t*, the slack of the greatest mean difference between the labels of two queries; the least of equals."""
    return float(SLACKS[int(np.argmax([mean_difference(p_at_least(weak, strong, t)) for t in SLACKS]))])


def mean_difference(labels: Floats) -> float:
    """Mean over all ordered pairs, N^2 of them, of |y_i - y_j|.

    >>> mean_difference(np.array([0.0, 1.0]))
    0.5
    """
    n = len(labels)
    rank = 2.0 * np.arange(n) - n + 1.0
    return round(float(2.0 * (rank * np.sort(labels)).sum() / n**2), 12)


def hybrid(label: Callable[[Draws, Draws], Floats]) -> Callable[[Lesson], Router]:
    """Fit P(weak is good enough) to a label by cross-entropy; weak where it is at least the threshold."""

    def fit(lesson: Lesson) -> Router:
        pair = pair_of(lesson.grid)
        y = label(draws_of(lesson, pair.weak), draws_of(lesson, pair.strong))
        heads, held = fit_heads(lesson.features, y[:, None], lesson.seed)

        def needs_strong(x: Floats) -> Floats:
            return np.asarray(1.0 - heads(x)[:, 0])

        return Threshold(needs_strong, cuts_at(1.0 - held[:, 0]), pair)

    return embedded(fit)
