"""Run a policy over many queries and add up what it reached and spent; mixtures of two rungs meet a target exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

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


class Play(Protocol):
    """Queries that policies can be run on: recorded outcomes in one order, or a simulated world."""

    @property
    def queries(self) -> tuple[Query, ...]:
        """Those to be answered."""
        ...

    def replay(self) -> Callable[[Ask], Reply]:
        """A fresh world; one for each policy."""
        ...

    def grade(self, query: Query, candidate: Candidate) -> float:
        """The score of one candidate, in [0, 1]."""
        ...


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


def roll_out(play: Play, policy: Policy, reading: Reading) -> Rollout:
    """Solve every query, every ask answered by a fresh world; scores are those recorded, and no judge is asked."""
    answer, unjudged = play.replay(), replace(reading, judge=None)
    solved = tuple(drive(solve_steps(query, policy, unjudged), answer) for query in play.queries)
    return Rollout(
        quality=np.array([_score(run, play) for run in solved]),
        cost_usd=np.array([run.answer.spend.cost_usd for run in solved]),
        forecast=np.array([run.quality for run in solved]),
        solved=solved,
    )


def _score(run: Solved, play: Play) -> float:
    return 0.0 if run.chosen is None else play.grade(run.query, run.chosen)


@dataclass(frozen=True, slots=True)
class Ladder:
    """One menu at rising worths of quality, then fixed arms: every rung a policy, either part from thrifty to lavish.

    Attributes:
        menu: What the rungs may do.
        worths: (n_worths,) USD per unit of quality, rising; the first rungs.
        quality: (n_rungs, n_queries) quality reached.
        cost_usd: (n_rungs, n_queries) cost.
        forecast: (n_rungs, n_queries) chance of being right that was claimed.
        draws: (n_rungs, n_queries, n_sources) samples drawn of each source of the forecast, on average.
        arms: The rungs after those of `worths`, one each.
    """

    menu: Menu
    worths: Floats
    quality: Floats
    cost_usd: Floats
    forecast: Floats
    draws: Floats
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
        drawn = np.array([[arm.n * (arm.source == source) for source in sources] for arm in arms], dtype=float)
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


def rung_policy(
    assessor: Assessor, menu: Menu, worths: Floats, arms: Sequence[Arm], rung: int, quality: float = 0.0, cap_usd: float = float("inf")
) -> Policy:
    """The policy of one rung of a ladder: the rule at a worth, or a fixed arm with the quality that it is known for."""
    if rung < len(worths):
        return Controller(assessor, menu, float(worths[rung]), cap_usd)
    return FixedArm(arms[rung - len(worths)], quality, "on queries like these one setting for all is the best buy here")


def climb(
    passes: Sequence[Play],
    assessor: Assessor,
    menu: Menu,
    worths: Floats,
    reading: Reading,
) -> Ladder:
    """Roll every rung out, averaged over passes of the same queries; what two rungs have in common is assessed once."""
    policies = [Controller(assessor, menu, float(worth)) for worth in worths]
    runs = [[roll_out(play, policy, reading) for play in passes] for policy in policies]

    def mean(read: Callable[[Rollout], Floats | Ints]) -> Floats:
        return np.asarray(np.mean([[read(run) for run in rung] for rung in runs], axis=1))

    return Ladder(
        menu,
        worths,
        mean(lambda run: run.quality),
        mean(lambda run: run.cost_usd),
        mean(lambda run: run.forecast),
        mean(lambda run: drawn(run.solved, assessor.forecast.sources)),
    )


def drawn(solved: Sequence[Solved], sources: Sequence[Source]) -> Ints:
    """(n_queries, n_sources) samples that each run drew of each source."""
    counts = np.zeros((len(solved), len(sources)), dtype=np.int64)
    column = {source: j for j, source in enumerate(sources)}
    for row, run in zip(counts, solved, strict=True):
        for candidate in run.answer.candidates:
            row[column[candidate.source]] += 1
    return counts
