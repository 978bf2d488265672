"""Published methods as contenders: routers by their picks, policies that see answers by running them on recorded samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.decision import Policy
from onedial.core.errors import ConfigError, unknown
from onedial.core.outcome import Ints
from onedial.engine.recorded import Recorded
from onedial.engine.rollout import roll_out
from onedial.evals.bench.contenders import Contender
from onedial.evals.sweeps import Rolled
from onedial.forecasts.features import features
from onedial.policies.baselines.contract import Lesson, RouterRecipe, StepperRecipe
from onedial.policies.baselines.crossfit import cross_picks, folds_for
from onedial.policies.baselines.mess_plus import MESS_PLUS
from onedial.policies.baselines.port import PORT
from onedial.policies.baselines.random_share import RANDOM
from onedial.policies.baselines.registry import KNOWS_THE_DATASET, ROUTERS
from onedial.policies.baselines.steppers import STEPPERS
from onedial.policies.grid import Grid
from onedial.strategies.draw import Reading

ALWAYS, OURS = ("joint", "best fixed"), ("model-only", "compute-only", "hull")
"""What every comparison has, and what else is not published."""
ONLINE = frozenset({MESS_PLUS.name, PORT.name})


@dataclass(frozen=True, slots=True)
class Course:
    """Both splits, as published methods see them.

    Attributes:
        train: Training split.
        test: Test split.
        train_grid: Complete fixed arms on the training split.
        test_grid: The same arms on the test split; scored on, never learnt from.
        seed: Of everything random.
    """

    train: Recorded
    test: Recorded
    train_grid: Grid
    test_grid: Grid
    seed: int

    @property
    def lesson(self) -> Lesson:
        """What may be learnt from."""
        panel = self.train.panel
        return Lesson(panel, features(panel.queries), self.train_grid, self.train.prices, self.seed, self.train.caches)


def run_router(recipe: RouterRecipe, course: Course) -> Contender:
    """Fit on the training split; its own rungs there come from picks for queries that were left out of the fit."""
    lesson = course.lesson
    out_of_fold = cross_picks(recipe, lesson, folds_for(len(lesson.queries), course.seed))
    picks = recipe.fit(lesson).picks(course.test.queries, features(course.test.queries))
    family = "fixed" if recipe.name in KNOWS_THE_DATASET else "random" if recipe.name == RANDOM.name else "router"
    return Contender(recipe.name, family, {"all": _picked(course.train_grid, out_of_fold)}, {"all": _picked(course.test_grid, picks)})


def run_stepper(recipe: StepperRecipe, course: Course) -> Contender:
    """Fit on the training split, and run every rung on the recorded samples of both."""
    policies, online = recipe.fit(course.lesson), recipe.name in ONLINE
    passes = [(split,) if online else split.passes(course.seed) for split in (course.train, course.test)]
    train, test = (_run(policies, orders) for orders in passes)
    return Contender(recipe.name, "online" if online else "cascade", {"all": train}, {"all": test})


def checked_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names of policies to compare, as they are.

    Raises:
        ConfigError: There is none of this name.
    """
    known = (*ALWAYS, *OURS, *ROUTERS, *STEPPERS)
    for name in names:
        if name not in known:
            raise ConfigError(unknown("policy", name, known))
    return tuple(names)


def published(course: Course) -> dict[str, Callable[[], Contender]]:
    """Every published method by name, to be run."""
    found = {name: _later(run_router, recipe, course) for name, recipe in ROUTERS.items()}
    found |= {name: _later(run_stepper, recipe, course) for name, recipe in STEPPERS.items()}
    return found


def _later(run: Callable[..., Contender], recipe: object, course: Course) -> Callable[[], Contender]:
    return lambda: run(recipe, course)


def _picked(grid: Grid, picks: Ints) -> Rolled:
    rows = np.arange(picks.shape[1])
    return Rolled(grid.quality[rows, picks], grid.cost_usd[rows, picks])


def _run(policies: Sequence[Policy], passes: Sequence[Recorded]) -> Rolled:
    runs = [[roll_out(play, policy, Reading()) for play in passes] for policy in policies]
    quality, cost = ([[getattr(run, kind) for run in runs_of] for runs_of in runs] for kind in ("quality", "cost_usd"))
    return Rolled(np.mean(quality, axis=1), np.mean(cost, axis=1))
