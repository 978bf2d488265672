"""RouteLLM, similarity-weighted ranking: a Bradley-Terry fit per query, its battles weighted by similarity.

Between two arms the weighted maximum-likelihood fit has a closed form: the weighted share of battles that the strong one wins, a
tie counting half to each.

Source: 2406.18665, section 4.2; weights 10 * 10^(similarity / greatest similarity), as released.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onedial.core.outcome import Floats
from onedial.policies.baselines.contract import Lesson, Router, RouterRecipe
from onedial.policies.baselines.embedding import embedded
from onedial.policies.baselines.neighbours import cosines, unit
from onedial.policies.baselines.pair import Threshold, cuts_at, pair_of

GAMMA = 10.0


def weights(similarity: Floats) -> Floats:
    """(n, n_train) weight of each training battle; 0 for a query's own.

    >>> weights(np.array([[0.8, 0.4, -np.inf]])).round(2).tolist()
    [[100.0, 31.62, 0.0]]
    """
    top = np.maximum(similarity.max(axis=1, keepdims=True), 1e-9)
    return np.asarray(GAMMA ** (1.0 + similarity / top))


def p_strong_wins(similarity: Floats, won: Floats) -> Floats:
    """(n,) chance that the strong arm wins, from cosines with the training queries and its results there (1, 0.5 or 0)."""
    weight = weights(similarity)
    return np.asarray(weight @ won / weight.sum(axis=1))


@dataclass(frozen=True, slots=True)
class SimilarityWeighted:
    """The training battles.

    Attributes:
        train: (n_train, d) unit rows.
        won: (n_train,) 1 where the strong arm won, 0.5 for a tie.
    """

    train: Floats
    won: Floats

    def __call__(self, x: Floats, without_self: bool = False) -> Floats:
        """(n,) chance that the strong arm wins."""
        blocks = cosines(unit(x), self.train, without_self)
        parts = [p_strong_wins(found, self.won) for _, found in blocks]
        return np.concatenate(parts) if parts else np.zeros(0)


def fit_sw(lesson: Lesson) -> Router:
    """Keep the battles; cut at quantiles of chances that leave the query itself out."""
    pair = pair_of(lesson.grid)
    gain = lesson.grid.quality[:, pair.strong] - lesson.grid.quality[:, pair.weak]
    score = SimilarityWeighted(unit(lesson.features), (1.0 + np.sign(np.round(gain, 9))) / 2.0)
    return Threshold(score, cuts_at(score(lesson.features, without_self=True)), pair)


ROUTELLM_SW = RouterRecipe("routellm-sw", "RouteLLM 2406.18665, similarity-weighted ranking", embedded(fit_sw))
