"""What a learner is given, and what it gives back; forecasts of training queries that have not seen their own outcomes.

A learner forecasts K outputs of a query. The first of them are success rates, in
[0, 1]; the others (log tokens, agreement, ...) are scaled so that squared errors
compare. Which learner to take is decided in `choose`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from onedial.core.outcome import Floats, Ints, known_mean

Arrays = Mapping[str, npt.NDArray[Any]]
Sees = Literal["space", "features", "words"]
FOLDS = 5


class Learner(Protocol):
    """A fitted learner: plain arrays, served without scikit-learn."""

    @property
    def kind(self) -> str:
        """The name under which `registry.restore` knows the class."""
        ...

    def predict(self, x: Any) -> Floats:
        """(n, d) to (n, K)."""
        ...

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything there is to store."""
        ...


class Fits(Protocol):
    """Fit a learner to (n, d) and (n, K), NaN where nothing was observed, the first `rates` outputs being success rates."""

    def __call__(self, x: Any, y: Floats, rates: int, seed: int) -> Learner:
        """Choose hyperparameters inside, on a split of the rows given."""
        ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """A learner to be fitted.

    Attributes:
        name: As in the scores of `choose`.
        source: Where it was published.
        fit: See `Fits`.
        sees: `space`: coordinates of weighted words and the shape (see `space`); `features`: raw hashed counts and the shape;
            `words`: log counts of every n-gram, as a sparse array.
        unseen: Fit and forecast the training rows without their own outcomes at once, where that is cheaper than folds.
    """

    name: str
    source: str
    fit: Fits
    sees: Sees = "space"
    unseen: Callable[[Floats, Floats, int, int], tuple[Learner, Floats]] | None = None


def fold_of(n: int, seed: int, folds: int = FOLDS) -> Ints:
    """(n,) which fold each row is in, as even as can be, at random."""
    return np.random.default_rng([seed, n]).permutation(np.arange(n) % max(min(folds, n), 1))


def cross_fitted(recipe: Recipe, x: Any, y: Floats, rates: int, seed: int, folds: int = FOLDS) -> Floats:
    """Forecast every row by a learner that was fitted on the other folds, (n, K)."""
    fold = fold_of(x.shape[0], seed, folds)
    out = np.empty_like(y)
    for held in range(fold.max() + 1):
        out[fold == held] = recipe.fit(x[fold != held], y[fold != held], rates, seed).predict(x[fold == held])
    return out


def inner_split(n: int, seed: int) -> tuple[Ints, Ints]:
    """Rows to fit on and rows to choose hyperparameters on: four fifths and one."""
    order = np.random.default_rng([seed, n, 1]).permutation(n)
    return order[n // 5 :], order[: n // 5] if n >= 5 else order


def spread(y: Floats) -> Floats:
    """(K,) standard deviation of each output over what is known, never zero."""
    return np.asarray(np.sqrt(known_mean((y - known_mean(y, axis=0, otherwise=0.0)) ** 2, axis=0, otherwise=1.0)) + 1e-9)


def filled(y: Floats, sweeps: int = 4) -> Floats:
    """Replace NaN by what a low-rank fit of the known cells says, held close to the column mean.

    Source: Mazumder et al. 2010 (soft-impute); directions no larger than noise alone would show are dropped, the others shrunk.
    """
    known = np.isfinite(y)
    if known.all():
        return y
    centre = known_mean(y, axis=0, otherwise=0.0)
    scale = spread(y)
    observed = np.where(known, (y - centre) / scale, 0.0)
    z, noise = observed, np.sqrt(known.mean()) * (np.sqrt(y.shape[0]) + np.sqrt(y.shape[1]))
    for _ in range(sweeps):
        left, size, right = np.linalg.svd(z, full_matrices=False)
        z = np.where(known, observed, (left * np.maximum(size - noise**2 / np.maximum(size, noise), 0.0)) @ right)
    return np.asarray(np.where(known, y, centre + scale * z))
