"""Solve, then learn: the best budget of every training query at a price is solved for, and a classifier imitates it.

At each price the oracle takes argmax of worth times quality minus cost over the
model's efforts and sample counts; the classifier is a ridge on the query's features, one output per
action. One model at a time, as published; it is chosen on training, by what the
held-out imitation reaches, not the oracle. Settings: up to 26 models, 24 prices; at most 624.

Source: 2604.14853.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.answer import Candidate
from onedial.core.arm import Arm
from onedial.core.decision import Decision, Policy
from onedial.core.query import Query
from onedial.policies.baselines.contract import Lesson, StepperRecipe
from onedial.policies.baselines.pool import ARMS, frontier_arms, ladder, pool_of, worths
from onedial.policies.baselines.text_ridge import Ground, TextRidge
from onedial.policies.fixed_arm import FixedArm

PRICES = 24


@dataclass(frozen=True, slots=True)
class Imitation:
    """A classifier of queries into arms.

    Attributes:
        classifier: One output per arm.
        arms: In the order of its outputs.
        quality: Mean training quality, held out.
    """

    classifier: TextRidge
    arms: tuple[Arm, ...]
    quality: float = 0.0

    def choose(self, query: Query, tried: tuple[Candidate, ...] = (), spent_usd: float = 0.0) -> Decision:
        """Draw the arm that the oracle would take, as far as can be told, once."""
        k = int(self.classifier.of(query).argmax())
        return FixedArm(self.arms[k], self.quality, "the arm that the oracle takes for such queries").choose(query, tried)


def fit(lesson: Lesson) -> Sequence[Policy]:
    """Imitate at every price, for every model; the training hull is the ladder."""
    grid, ground = lesson.grid, Ground.of(lesson)
    rows = np.arange(len(lesson.queries))
    found: list[tuple[float, float, Imitation]] = []
    for model in dict.fromkeys(source.model for source in pool_of(lesson, copies=0).names):
        columns = frontier_arms(lesson, np.array([j for j, arm in enumerate(grid.arms) if arm.source.model == model]), ARMS)
        arms = tuple(grid.arms[int(j)] for j in columns)
        quality, cost = grid.quality[:, columns], grid.cost_usd[:, columns]
        oracle = np.stack([np.argmax(w * quality - cost, axis=1) for w in worths(grid.cost_usd.mean(axis=0), PRICES)], axis=1)
        classifier, held = ground.fit(np.eye(len(arms))[oracle].reshape(len(rows), -1))
        for start in range(0, PRICES * len(arms), len(arms)):
            one = slice(start, start + len(arms))
            taken = held[:, one].argmax(axis=1)
            reached = float(quality[rows, taken].mean())
            policy = Imitation(classifier.outputs(one), arms, reached)
            found.append((float(cost[rows, taken].mean()), reached, policy))
    return [found[k][2] for k in ladder([c for c, _, _ in found], [q for _, q, _ in found])]


LAGRANGIAN = StepperRecipe("lagrangian-imitation", "2604.14853", fit)
