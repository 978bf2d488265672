"""Gradient boosted trees on the main directions of the outputs; one tree serves all directions at once.

Every tree is grown on a random part of the rows. Grown by scikit-learn, served without it.

Source: Friedman 2001 and 2002.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onedial.core.outcome import Floats
from onedial.forecasts.forest import joined, telling
from onedial.forecasts.learners.contract import Recipe, filled, inner_split
from onedial.forecasts.learners.forest import Trees

RANK = 4
ROUNDS = 60
RATE = 0.12
DEPTH = 4
MIN_LEAF = 5
_SHARE = 0.15  # Of the features that a split looks at.
_ROWS = 600  # That a tree is grown on at most; never more than half of them.


def fit_boosting(x: Floats, y: Floats, rates: int, seed: int) -> Trees:
    """Fit; how many rounds is chosen on a split of the rows."""
    known = filled(y)
    base = known.mean(axis=0)
    _, _, turned = np.linalg.svd(known - base, full_matrices=False)
    scores = (known - base) @ turned[:RANK].T
    used = telling(x)
    seen = np.asarray(x[:, used], dtype=np.float32)
    fit, held = inner_split(len(x), seed)
    _, errors = _boosted(seen[fit], scores[fit], seen[held], scores[held], ROUNDS, seed)
    rounds = int(np.argmin(errors))
    trees, _ = _boosted(seen, scores, seen[:0], scores[:0], max(rounds, 1), seed)
    total = RATE * len(trees) if rounds else 0.0  # a forest is served as the mean of its trees
    return Trees(joined(trees, used), total * turned[:RANK], base)


def _boosted(x: Any, scores: Floats, x_held: Any, held: Floats, rounds: int, seed: int) -> tuple[list[Any], list[float]]:
    """Trees, and the squared error on held rows after none, one, two, ... of them."""
    from sklearn.tree import DecisionTreeRegressor

    rng = np.random.default_rng([seed, 4])
    left, left_held, trees, errors = scores.copy(), held.copy(), [], [float((held**2).sum())]
    for turn in range(rounds):
        part = rng.permutation(len(x))[: max(min(_ROWS, len(x) // 2), 1)]
        tree = DecisionTreeRegressor(max_depth=DEPTH, min_samples_leaf=MIN_LEAF, max_features=_SHARE, random_state=seed + turn)
        trees.append(tree.fit(x[part], left[part]).tree_)
        left -= RATE * _of(trees[-1], x)
        if len(x_held):
            left_held -= RATE * _of(trees[-1], x_held)
            errors.append(float((left_held**2).sum()))
    return trees, errors


def _of(tree: Any, x: Any) -> Floats:
    return np.asarray(tree.value[tree.apply(x), :, 0])


RECIPE = Recipe("boosting", "Friedman 2001", fit_boosting, sees="features")
