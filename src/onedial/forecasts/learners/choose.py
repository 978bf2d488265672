"""Choose a learner on what it forecasts for queries whose outcomes it has not seen; the plain mean unless another is clearly better.

Success is judged by the likelihood of the recorded successes after recalibration,
the other outputs by squared error; each group takes its own learner, or the mean of a few.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.outcome import Floats, known_mean
from onedial.forecasts.calibration import apply_logistic, fit_logistic
from onedial.forecasts.learners.contract import Learner, Recipe, cross_fitted, fold_of
from onedial.forecasts.learners.reader import Reader
from onedial.forecasts.learners.registry import RECIPES
from onedial.forecasts.learners.space import fit_space
from onedial.forecasts.sketch import Sketch

BASELINE = "mean"
MOST = 3  # Learners in a mean of several.
TRIAL_ROWS = 1500  # Queries that candidates are compared on; the chosen are fitted on all.


@dataclass(frozen=True, slots=True)
class Score:
    """How much better than the mean a learner is on unseen queries, per query; for success in nats, for the rest in squared error.

    Attributes:
        success: Gain in log likelihood of a query's successes, averaged over sources.
        success_se: Its standard error, paired over queries.
        rest: Gain in squared error of the other outputs, in units of their variance.
        rest_se: Its standard error.
    """

    success: float
    success_se: float
    rest: float
    rest_se: float


@dataclass(frozen=True, slots=True)
class Chosen:
    """The learner taken.

    Attributes:
        learner: Serves.
        name: Of what forecasts success, such as `knn` or `logistic+knn`.
        rest_name: Of what forecasts the other outputs.
        out_of_fold: (n, K) forecasts of the training queries that have not seen their own outcomes.
        scores: Per candidate.
    """

    learner: Reader
    name: str
    rest_name: str
    out_of_fold: Floats
    scores: Mapping[str, Score]


def choose_learner(
    x: Sketch,
    y: Floats,
    right: Floats,
    draws: Floats,
    seed: int,
    candidates: Sequence[str] = tuple(RECIPES),
) -> Chosen:
    """Compare candidates, and fit what wins.

    Args:
        x: (n,) sketches.
        y: (n, K) outputs, NaN where not observed; the first S are success rates.
        right: (n, S) right samples, fractions allowed.
        draws: (n, S) graded samples; zero where there are none.
        seed: Of folds and of whatever a learner draws.
        candidates: Names in `RECIPES`; the mean is always among them.
    """
    space, s = fit_space(x, seed), right.shape[1]
    views = {"space": space.place(x), "features": x.features()}
    recipes = [RECIPES[name] for name in dict.fromkeys((BASELINE, *candidates))]
    trial = np.sort(np.random.default_rng([seed, 3]).permutation(len(x))[:TRIAL_ROWS])
    tried = {recipe.name: _unseen(recipe, views[recipe.sees][trial], y[trial], s, seed) for recipe in recipes}
    forecasts = {name: found for name, (_, found) in tried.items()}
    success = _Contest(
        {name: found[:, :s] for name, found in forecasts.items()}, lambda f: likelihoods(f, right[trial], draws[trial], seed)
    )
    rest = _Contest({name: found[:, s:] for name, found in forecasts.items()}, lambda f: _closeness(f, y[trial, s:]))
    names, rest_names = success.winners(), rest.winners()
    weights = np.array([[(name in w) / len(w) for w in (names, rest_names)] for name in tried])
    taken = [(recipe, share) for recipe, share in zip(recipes, weights, strict=True) if share.any()]
    shares = np.repeat(np.stack([share for _, share in taken]), (s, y.shape[1] - s), axis=1)
    fits = [tried[r.name] if len(trial) == len(x) else _unseen(r, views[r.sees], y, s, seed) for r, _ in taken]
    members = tuple(known or recipe.fit(views[recipe.sees], y, s, seed) for (recipe, _), (known, _) in zip(taken, fits, strict=True))
    seen = tuple(recipe.sees == "space" for recipe, _ in taken)
    reader = Reader(space if any(seen) else None, members, seen, shares)
    scores = {name: Score(*success.gain((name,)), *rest.gain((name,))) for name in tried}
    out_of_fold = np.einsum("mk,mnk->nk", shares, np.stack([found for _, found in fits]))
    return Chosen(reader, "+".join(names), "+".join(rest_names), out_of_fold, scores)


@dataclass(frozen=True, slots=True)
class _Contest:
    """Candidates' forecasts of one group of outputs, and what judges them: (n,) per query, higher is better, NaN where nothing is known."""

    forecasts: Mapping[str, Floats]
    judge: Callable[[Floats], Floats]

    def verdict(self, names: Sequence[str]) -> Floats:
        """(n,) of the mean of some candidates' forecasts."""
        return self.judge(np.mean([self.forecasts[name] for name in names], axis=0))

    def gain(self, names: Sequence[str]) -> tuple[float, float]:
        """Mean advantage over the baseline, and its standard error."""
        gained = self.verdict(names) - self.verdict((BASELINE,))
        gained = gained[np.isfinite(gained)]
        return (float(gained.mean()), float(gained.std() / np.sqrt(len(gained)))) if len(gained) else (0.0, 0.0)

    def winners(self) -> tuple[str, ...]:
        """The best candidate or the best few together; the baseline unless they win by more than their standard error."""
        ranked = sorted((name for name in self.forecasts if name != BASELINE), key=lambda name: -self.gain((name,))[0])
        sets = [tuple(ranked[: size + 1]) for size in range(min(MOST, len(ranked)))]
        best = max(sets, key=lambda names: self.gain(names)[0], default=(BASELINE,))
        gained, error = self.gain(best)
        return best if gained > error else (BASELINE,)


def likelihoods(forecast: Floats, right: Floats, draws: Floats, seed: int) -> Floats:
    """(n,) log likelihood of each query's successes, averaged over the sources seen on it; NaN where none was.

    Forecasts are recalibrated per source, each half of the queries by a line fitted on the other.
    """
    half = fold_of(len(forecast), seed, 2)
    p = np.empty_like(forecast)
    for held in (0, 1):
        line = fit_logistic(forecast[half != held], right[half != held], draws[half != held])
        p[half == held] = apply_logistic(forecast[half == held], line)
    rate = np.where(draws > 0, right / np.maximum(draws, 1.0), np.nan)
    return known_mean(rate * np.log(p) + (1.0 - rate) * np.log1p(-p), axis=1)


def _closeness(forecast: Floats, y: Floats) -> Floats:
    """(n,) minus the squared error, in units of each output's variance."""
    spread = known_mean((y - known_mean(y, axis=0, otherwise=0.0)) ** 2, axis=0, otherwise=1.0) + 1e-9
    return -known_mean((forecast - y) ** 2 / spread, axis=1)


def _unseen(recipe: Recipe, x: Floats, y: Floats, rates: int, seed: int) -> tuple[Learner | None, Floats]:
    """Forecasts of rows without their own outcomes, with the learner where it comes along."""
    return recipe.unseen(x, y, rates, seed) if recipe.unseen else (None, cross_fitted(recipe, x, y, rates, seed))
