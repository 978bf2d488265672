"""Run a policy over many queries and add up what it reached and spent; mixtures of two rungs meet a target exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onedial.core.answer import Candidate
from onedial.core.arm import Arm, Source
from onedial.core.ask import Ask, Reply
from onedial.core.decision import Policy
from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.core.steps import drive
from onedial.engine.solve import Solved, solve_steps
from onedial.metrics.hull import Mixture, mixture_for_quality
from onedial.policies.assessor import Assessor
from onedial.policies.controller import Controller, Menu
from onedial.policies.fixed_arm import FixedArm
from onedial.policies.grid import Grid
from onedial.strategies.draw import Reading

Grade = Callable[[Query, Candidate], float]
"""The score of one candidate, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """One policy on some queries; arrays are (n_queries,).

    Attributes:
        quality: Score of the answer given; 0 where there was nothing to answer with.
        cost_usd: Everything spent.
        forecast: Chance of being right that the policy claimed when it stopped.
        solved: The runs themselves.
    """

    quality: Floats
    cost_usd: Floats
    forecast: Floats
    solved: tuple[Solved, ...]


def roll_out(queries: Sequence[Query], policy: Policy, answer: Callable[[Ask], Reply], reading: Reading, grade: Grade) -> Rollout:
    """Solve every query, every ask answered by `answer`: a replay, or a simulated world."""
    solved = tuple(drive(solve_steps(query, policy, reading), answer) for query in queries)
    return Rollout(
        quality=np.array([_score(run, grade) for run in solved]),
        cost_usd=np.array([run.answer.spend.cost_usd for run in solved]),
        forecast=np.array([run.quality for run in solved]),
        solved=solved,
    )


def _score(run: Solved, grade: Grade) -> float:
    return 0.0 if run.chosen is None else grade(run.query, run.chosen)


@dataclass(frozen=True, slots=True)
class Ladder:
    """One menu at rising worths of quality, then fixed arms: every rung a policy, either part from thrifty to lavish.

    Attributes:
        menu: What the rungs may do.
        worths: (n_worths,) USD per unit of quality, rising; the first rungs.
        quality: (n_rungs, n_queries) quality reached.
        cost_usd: (n_rungs, n_queries) cost.
        forecast: (n_rungs, n_queries) chance of being right that was claimed.
        draws: (n_rungs, n_queries, n_sources) samples drawn of each source of the forecast.
        arms: The rungs after those of `worths`, one each.
    """

    menu: Menu
    worths: Floats
    quality: Floats
    cost_usd: Floats
    forecast: Floats
    draws: Ints
    arms: tuple[Arm, ...] = ()

    def with_arms(self, grid: Grid, arms: Sequence[Arm], train: Grid, sources: Sequence[Source], less: float = 0.0) -> Ladder:
        """Add rungs that are fixed arms, known for what they reached in training.

        Args:
            grid: Fixed arms on the queries of the ladder.
            arms: Which of them.
            train: The same on the training queries.
            sources: Of the forecast, among them those of the arms.
            less: What the arms' quality is lowered by: where they were chosen on these very queries, what that flatters them by.
        """
        if not arms:
            return self
        columns, n = [grid.arms.index(arm) for arm in arms], self.quality.shape[1]
        claims = np.array([train.quality[:, train.arms.index(arm)].mean() for arm in arms])
        drawn = np.array([[arm.n * (arm.source == source) for source in sources] for arm in arms], dtype=np.int64)
        return replace(
            self,
            quality=np.vstack((self.quality, grid.quality[:, columns].T - less)),
            cost_usd=np.vstack((self.cost_usd, grid.cost_usd[:, columns].T)),
            forecast=np.vstack((self.forecast, np.repeat(claims[:, None], n, axis=1))),
            draws=np.concatenate((self.draws, np.repeat(drawn[:, None], n, axis=1))),
            arms=(*self.arms, *arms),
        )

    def mixture(self, target: float) -> Mixture | None:
        """The cheapest randomisation of two rungs that reaches a mean quality; None if none does."""
        return mixture_for_quality(self.cost_usd.mean(axis=1), self.quality.mean(axis=1), target)


def worth_ladder(cheapest_usd: float, dearest_usd: float, rungs: int = 16) -> Floats:
    """Worths from "being surely right is worth the cheapest block" to "three points are worth the dearest one"."""
    return np.geomspace(cheapest_usd, 30.0 * dearest_usd, rungs)


def rung_policy(
    assessor: Assessor, menu: Menu, worths: Floats, arms: Sequence[Arm], rung: int, quality: float = 0.0, cap_usd: float = float("inf")
) -> Policy:
    """The policy of one rung of a ladder: the rule at a worth, or a fixed arm with the quality that it is known for."""
    if rung < len(worths):
        return Controller(assessor, menu, float(worths[rung]), cap_usd)
    return FixedArm(arms[rung - len(worths)], quality, "on queries like these one setting for all is the best buy here")


def climb(
    queries: Sequence[Query],
    assessor: Assessor,
    menu: Menu,
    worths: Floats,
    fresh: Callable[[], Callable[[Ask], Reply]],
    reading: Reading,
    grade: Grade,
) -> Ladder:
    """Roll every rung out, each against a fresh world; what two rungs have in common is assessed once."""
    rungs = [roll_out(queries, Controller(assessor, menu, float(worth)), fresh(), reading, grade) for worth in worths]
    return Ladder(
        menu,
        worths,
        np.stack([r.quality for r in rungs]),
        np.stack([r.cost_usd for r in rungs]),
        np.stack([r.forecast for r in rungs]),
        np.stack([drawn(r.solved, assessor.forecast.sources) for r in rungs]),
    )


def drawn(solved: Sequence[Solved], sources: Sequence[Source]) -> Ints:
    """(n_queries, n_sources) samples that each run drew of each source."""
    counts = np.zeros((len(solved), len(sources)), dtype=np.int64)
    column = {source: j for j, source in enumerate(sources)}
    for row, run in zip(counts, solved, strict=True):
        for candidate in run.answer.candidates:
            row[column[candidate.source]] += 1
    return counts
