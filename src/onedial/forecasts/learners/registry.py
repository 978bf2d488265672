"""The learners by name: recipes to fit, and classes to restore."""

from __future__ import annotations

from collections.abc import Callable

from onedial.core.errors import ConfigError, unknown
from onedial.forecasts.learners import boosting, factors, forest, irt, kmeans, knn, logistic, mean, ridge, words
from onedial.forecasts.learners.contract import Arrays, Learner, Recipe
from onedial.forecasts.learners.forest import Trees
from onedial.forecasts.learners.kmeans import Clusters
from onedial.forecasts.learners.knn import Neighbours
from onedial.forecasts.learners.linear import Linear
from onedial.forecasts.learners.mean import Mean
from onedial.forecasts.learners.words import Words

RECIPES: dict[str, Recipe] = {
    part.RECIPE.name: part.RECIPE for part in (mean, ridge, logistic, knn, kmeans, factors, irt, words, forest, boosting)
}

_RESTORE: dict[str, Callable[[Arrays], Learner]] = {
    Mean.kind: lambda arrays: Mean(**arrays),
    Linear.kind: lambda arrays: Linear(**arrays),
    Neighbours.kind: lambda arrays: Neighbours(**arrays),
    Clusters.kind: lambda arrays: Clusters(**arrays),
    Trees.kind: Trees.from_arrays,
    Words.kind: lambda arrays: Words(**arrays),
}


def restore(kind: str, arrays: Arrays) -> Learner:
    """Make a learner again from its kind and its arrays.

    Raises:
        ConfigError: No learner is of this kind.
    """
    if kind not in _RESTORE:
        raise ConfigError(unknown("kind of learner", kind, _RESTORE))
    return _RESTORE[kind](arrays)
