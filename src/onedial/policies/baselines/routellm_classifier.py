"""RouteLLM, classifier: the chance that the strong arm wins, from text. Logistic regression stands in for BERT.

As released, a tie counts as not won.

Source: 2406.18665, section 4.2, "BERT classifier".
"""

from __future__ import annotations

import numpy as np

from onedial.core.outcome import Floats
from onedial.policies.baselines.contract import Lesson, Router, RouterRecipe
from onedial.policies.baselines.embedding import embedded
from onedial.policies.baselines.heads import fit_heads
from onedial.policies.baselines.pair import Threshold, cuts_at, pair_of


def fit_classifier(lesson: Lesson) -> Router:
    """Fit P(strong better than weak); the penalty by inner folds."""
    pair = pair_of(lesson.grid)
    won = lesson.grid.quality[:, pair.strong] > lesson.grid.quality[:, pair.weak] + 1e-9
    heads, held = fit_heads(lesson.features, won[:, None].astype(float), lesson.seed)

    def score(x: Floats) -> Floats:
        return np.asarray(heads(x)[:, 0])

    return Threshold(score, cuts_at(held[:, 0]), pair)


ROUTELLM_CLASSIFIER = RouterRecipe("routellm-classifier", "RouteLLM 2406.18665, text classifier", embedded(fit_classifier))
