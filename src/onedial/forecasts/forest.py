"""A random forest as plain arrays: grown by scikit-learn, served without it.

Outputs share one set of trees, so that sources learn from each other where a
split that matters to one matters to all. Out-of-bag predictions give every
training query a forecast that has not seen its own outcomes.

Source: Breiman 2001.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onedial.core.outcome import Floats, Ints

TREES = 150
MIN_LEAF = 2
SHARE = 0.4
RARE = 0.02
"""A feature that differs from its median on a smaller share of the training rows is left out: it could split off a handful at most."""


@dataclass(frozen=True, slots=True)
class Forest:
    """Binary trees laid end to end; node i of tree t is at `roots[t] + i`.

    Attributes:
        roots: (n_trees,) first node of each tree.
        feature: (n_nodes,) which feature a node asks about; -1 for a leaf.
        threshold: (n_nodes,) go left if the feature is at most this.
        left: (n_nodes,) absolute index of the left child.
        right: (n_nodes,) absolute index of the right child.
        value: (n_nodes, n_outputs) mean of the training outcomes in the node.
    """

    roots: Ints
    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    value: Floats

    def leaves(self, x: Floats) -> Ints:
        """(n, n_trees) leaf that each row falls into."""
        at = np.tile(self.roots, (x.shape[0], 1))
        rows = np.arange(x.shape[0])[:, None]
        while True:
            asked = self.feature[at]
            inner = asked >= 0
            if not inner.any():
                return at
            low = x[rows, np.maximum(asked, 0)] <= self.threshold[at]
            at = np.where(inner, np.where(low, self.left[at], self.right[at]), at)

    def predict(self, x: Floats) -> Floats:
        """(n, n_outputs) mean over trees."""
        return np.asarray(self.value[self.leaves(x)].mean(axis=1))


def grow_forest(
    x: Floats, y: Floats, seed: int, min_leaf: int = MIN_LEAF, trees: int = TREES, share: float = SHARE, rows: int | None = None
) -> tuple[Forest, Floats]:
    """Grow a forest; return it and its out-of-bag predictions on the training rows.

    Args:
        x: (n, d) features.
        y: (n, m) outcomes, scaled so that squared errors of different outputs compare; no NaN.
        seed: Of bootstrap and splits.
        min_leaf: Training rows per leaf at least.
        trees: Number of trees.
        share: Of the features that a split looks at.
        rows: Training rows that each tree is grown on; by default as many as there are.

    Returns:
        The forest, and (n, m) out-of-bag predictions.
    """
    from sklearn.ensemble import RandomForestRegressor

    used = telling(x)
    leaf = min(min_leaf, max(1, len(x) // 8))
    drawn = None if rows is None or rows >= len(x) else rows
    grown = RandomForestRegressor(
        trees, min_samples_leaf=leaf, max_features=share, max_samples=drawn, oob_score=True, random_state=seed, n_jobs=-1
    )
    grown.fit(x[:, used], y)
    bag = np.asarray(grown.oob_prediction_, dtype=float).reshape(y.shape)
    return joined([estimator.tree_ for estimator in grown.estimators_], used), bag


def telling(x: Floats) -> Ints:
    """The columns of (n, d) features that could split off more than a handful of rows; the first if there are none."""
    used = np.flatnonzero((x != np.median(x, axis=0)).mean(axis=0) >= RARE)
    return used if used.size else np.zeros(1, dtype=np.int64)


def joined(trees: Sequence[Any], used: Ints) -> Forest:
    """Lay scikit-learn's trees end to end; they were grown on the columns `used`."""
    parts, roots, offset = [], [], 0
    for tree in trees:
        roots.append(offset)
        inner = tree.children_left >= 0
        parts.append(
            (
                np.where(inner, used[np.maximum(tree.feature, 0)], -1),
                tree.threshold,
                np.where(inner, tree.children_left + offset, 0),
                np.where(inner, tree.children_right + offset, 0),
                tree.value[:, :, 0],
            )
        )
        offset += tree.node_count
    feature, threshold, left, right, value = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Forest(np.array(roots), feature.astype(np.int64), threshold, left.astype(np.int64), right.astype(np.int64), value)
