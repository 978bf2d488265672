"""Choose a learner on what it forecasts for queries whose outcomes it has not seen; the plain mean unless another is clearly better.

Success is judged by the likelihood of the recorded successes after recalibration,
the other outputs by squared error; each group takes its own learner, or the mean of a few.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from onedial.core.outcome import Floats, known_mean
from onedial.forecasts.calibration import apply_logistic, fit_logistic
from onedial.forecasts.learners.contract import FOLDS, Learner, Recipe, Sees, cross_fitted, fold_of, spread
from onedial.forecasts.learners.reader import Reader
from onedial.forecasts.learners.registry import RECIPES
from onedial.forecasts.learners.space import Space, fit_space
from onedial.forecasts.learners.views import view
from onedial.forecasts.sketch import Sketch

BASELINE = "mean"
DOUBT = 2.0
MOST = 3  # Learners in a mean of several.
TRIAL_ROWS = 1200  # Queries that candidates are compared on; the chosen are fitted on all.
TRIAL_CELLS = 12_000  # More queries, where there are few sources: what is best for few queries need not be best for many.
MANY, FEWER_FOLDS = 1000, 3  # With more queries than that, fewer folds do.
MOST_WORDS = 2_000_000  # Words of all trial queries times sources: beyond that a weight for each costs more time than it tells.
_STILL = 1e-6
_NOTHING = 1e-4  # A gain that no decision would notice.


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
        candidates: Names in `RECIPES`; the mean is always among them, and alone where all queries look alike.
    """
    space, s = fit_space(x, seed), right.shape[1]
    telling = bool((np.ptp(space.place(x.rows(np.arange(min(len(x), TRIAL_ROWS)))), axis=0) > _STILL).any())
    recipes = {name: RECIPES[name] for name in dict.fromkeys((BASELINE, *(candidates if telling else ())))}
    trial = np.sort(np.random.default_rng([seed, 3]).permutation(len(x))[: max(TRIAL_ROWS, TRIAL_CELLS // s)])
    view = _Views(x.rows(trial), space)
    recipes = {name: recipe for name, recipe in recipes.items() if recipe.sees != "words" or view.of(recipe).nnz * s <= MOST_WORDS}
    tried = {name: _unseen(recipe, view.of(recipe), y[trial], s, seed) for name, recipe in recipes.items()}
    forecasts = {name: found for name, (_, found) in tried.items()}
    success = _Contest({n: f[:, :s] for n, f in forecasts.items()}, lambda f: likelihoods(f, right[trial], draws[trial], seed))
    rest = _Contest({n: f[:, s:] for n, f in forecasts.items()}, lambda f: _closeness(f, y[trial, s:]))
    names, rest_names = success.winners(), rest.winners() if y.shape[1] > s else success.winners()
    taken = tuple(name for name in recipes if name in (*names, *rest_names))
    if len(trial) < len(x):
        view = _Views(x, space)
        tried = {name: _unseen(recipes[name], view.of(recipes[name]), y, s, seed) for name in taken}
    members = tuple(tried[name][0] or recipes[name].fit(view.of(recipes[name]), y, s, seed) for name in taken)
    share = [[(name in winners) / len(winners) for winners in (names, rest_names)] for name in taken]
    weights = np.repeat(np.array(share), (s, y.shape[1] - s), axis=1)
    return Chosen(
        learner=_reader(space, members, tuple(recipes[name].sees for name in taken), weights),
        name="+".join(names),
        rest_name="+".join(rest_names),
        out_of_fold=np.einsum("mk,mnk->nk", weights, np.stack([tried[name][1] for name in taken])),
        scores={name: Score(*success.gain((name,)), *rest.gain((name,))) for name in recipes},
    )


@dataclass(frozen=True, slots=True)
class _Views:
    """What learners see of some queries, each made when it is first asked for."""

    x: Sketch
    space: Space
    made: dict[str, Any] = field(default_factory=dict)

    def of(self, recipe: Recipe) -> Any:
        """(n, d) in the view that a learner takes."""
        if recipe.sees not in self.made:
            self.made[recipe.sees] = view(recipe.sees, self.x, self.space)
        return self.made[recipe.sees]


@dataclass(frozen=True, slots=True)
class _Contest:
    """Candidates' forecasts of one group of outputs, and what judges them: (n,) per query, higher is better, NaN where nothing is known."""

    forecasts: Mapping[str, Floats]
    judge: Callable[[Floats], Floats]
    known: dict[tuple[str, ...], Floats] = field(default_factory=dict)

    def verdict(self, names: tuple[str, ...]) -> Floats:
        """(n,) of the mean of some candidates' forecasts."""
        if names not in self.known:
            self.known[names] = self.judge(np.mean([self.forecasts[name] for name in names], axis=0))
        return self.known[names]

    def gain(self, names: tuple[str, ...]) -> tuple[float, float]:
        """Mean advantage over the baseline, and its standard error."""
        gained = self.verdict(names) - self.verdict((BASELINE,))
        gained = gained[np.isfinite(gained)]
        return (float(gained.mean()), float(gained.std() / np.sqrt(len(gained)))) if len(gained) else (0.0, 0.0)

    def winners(self) -> tuple[str, ...]:
        """The candidate or the few together that most surely beat the baseline, by the gain less doubt; else the baseline."""
        ranked = sorted((name for name in self.forecasts if name != BASELINE), key=lambda name: -self.sure((name,)))
        sets = [tuple(ranked[: size + 1]) for size in range(min(MOST, len(ranked)))]
        best = max(sets, key=self.sure, default=(BASELINE,))
        return best if self.sure(best) > _NOTHING else (BASELINE,)

    def sure(self, names: tuple[str, ...]) -> float:
        """Gain less `DOUBT` standard errors: among many candidates the luckiest must not win."""
        gained, error = self.gain(names)
        return gained - DOUBT * error


def _reader(space: Space, members: tuple[Learner, ...], sees: tuple[Sees, ...], weights: Floats) -> Reader:
    """Serve with the space only where a member looks at it."""
    needed = any(one == "space" and member.kind != BASELINE for one, member in zip(sees, members, strict=True))
    return Reader(space if needed else None, members, sees, weights)


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
    """(n,) minus the squared error, in units of each output's variance; outputs that never vary do not count."""
    scale = spread(y)
    return -known_mean(((forecast - y) / np.where(scale > _STILL, scale, np.nan)) ** 2, axis=1)


def _unseen(recipe: Recipe, x: Any, y: Floats, rates: int, seed: int) -> tuple[Learner | None, Floats]:
    """Forecasts of rows without their own outcomes, with the learner where it comes along."""
    return (
        recipe.unseen(x, y, rates, seed)
        if recipe.unseen
        else (None, cross_fitted(recipe, x, y, rates, seed, FEWER_FOLDS if x.shape[0] > MANY else FOLDS))
    )
