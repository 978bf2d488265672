"""R2-Router: a ridge regression of quality per model and budget, and one of cost; argmax of quality net of cost.

Every arm is a (model, budget): its quality head is its own, whatever the neighbouring budgets say. Whether all
arms or those of the training frontier are offered is chosen by inner folds.

Source: 2602.02823: argmax (1 - lambda) quality - lambda USD, quality clipped to [0, 1]; here lambda is swept as the worth of quality.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.policies.baselines.contract import Lesson, Router, RouterRecipe
from onedial.policies.baselines.embedding import embedded
from onedial.policies.baselines.ridge import Basis, Ridge
from onedial.policies.baselines.rungs import Chooser, all_arms, few_arms, net_best, usd_worths
from onedial.policies.baselines.tuning import tuned


@dataclass(frozen=True, slots=True)
class R2:
    """Fitted ridges.

    Attributes:
        quality: One output per arm.
        cost: One output per arm, in USD.
        arms: Columns, cheapest first.
        worth: (n_worths,) USD per unit of quality.
    """

    quality: Ridge
    cost: Ridge
    arms: Ints
    worth: Floats

    def choose(self, queries: Sequence[Query], features: Floats) -> Ints:
        """(n_worths, n_queries) columns."""
        quality = np.clip(self.quality.predict(features), 0.0, 1.0)
        return self.arms[net_best(quality, np.maximum(self.cost.predict(features), 0.0), self.worth)]


def fit_r2(lesson: Lesson, offered: Callable[[Lesson], Ints]) -> Chooser:
    """Fit both ridges at the penalty of the least leave-one-out error."""
    arms, basis = offered(lesson), Basis.of(lesson.features, scaled=False)
    cost = lesson.grid.cost_usd[:, arms]
    scale = np.maximum(cost.mean(axis=0), 1e-15)  # so that dear arms do not choose the penalty alone
    quality, _ = basis.fit(lesson.grid.quality[:, arms])
    share, _ = basis.fit(cost / scale)
    usd = Ridge(share.weights * scale, share.offset * scale)
    return R2(quality, usd, arms, usd_worths(lesson)).choose


def fit_r2_router(lesson: Lesson) -> Router:
    """Choose the arms offered, and fit."""
    return tuned(lesson, [partial(fit_r2, offered=few_arms), partial(fit_r2, offered=all_arms)])


R2_ROUTER = RouterRecipe("r2-router", "R2-Router 2602.02823", embedded(fit_r2_router))
