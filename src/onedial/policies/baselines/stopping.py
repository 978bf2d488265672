"""Draw from one source until a rule says that the vote is settled. The rules are in files of their own, one per publication."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from onedial.core.answer import Candidate
from onedial.core.arm import Arm, Source
from onedial.core.decision import Decision, Policy
from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.policies.baselines.contract import Lesson, StepperRecipe
from onedial.policies.baselines.pool import ladder, pool_of
from onedial.policies.baselines.tape import Tape
from onedial.policies.baselines.votes import Seen, leaders

Flags = npt.NDArray[np.bool_]


class StopRule(Protocol):
    """When to look, and when to stop."""

    def checks(self, cap: int) -> tuple[int, ...]:
        """Numbers of samples at which to look, rising; the last one, at most `cap`, is where it ends in any case."""
        ...

    def enough(self, answer: Ints) -> Flags:
        """(rows,) whether to stop, given (rows, n) codes of the answers so far, -1 for none."""
        ...


class AfterEach:
    """The part of a rule that looks after every sample."""

    __slots__ = ()

    def checks(self, cap: int) -> tuple[int, ...]:
        """After each."""
        return tuple(range(1, cap + 1))


@dataclass(frozen=True, slots=True)
class Stopping:
    """Adaptive sampling of one source; the plurality answers.

    Attributes:
        source: Of whom.
        rule: When to stop.
        cap: Samples at most.
        quality: Mean training quality, reported as the chance of being right.
    """

    source: Source
    rule: StopRule
    cap: int
    quality: float = 0.0

    def choose(self, query: Query, tried: tuple[Candidate, ...] = (), spent_usd: float = 0.0) -> Decision:
        """Draw up to the next look, or stop."""
        seen, checks = Seen.of(tried), self.rule.checks(self.cap)
        pick = int(leaders(seen)[0]) if tried else None
        answer = None if pick is None else tried[pick].answer
        if len(tried) >= checks[-1]:
            return Decision(None, answer, self.quality, f"{len(tried)} samples are drawn, the most allowed", pick=pick)
        if len(tried) in checks and self.rule.enough(seen.answer)[0]:
            return Decision(None, answer, self.quality, f"the vote is settled after {len(tried)} samples", pick=pick)
        n = next(c for c in checks if c > len(tried)) - len(tried)
        return Decision(Arm(self.source, "vote" if n > 1 else "direct", n), answer, self.quality, "the vote is open", pick=pick)

    def on(self, tape: Tape, columns: Sequence[int]) -> tuple[Floats, Floats]:
        """(rows,) quality and cost on a tape that holds the source in `columns[0]`."""
        return run_rule(tape, columns[0], self.rule, self.cap)


def run_rule(tape: Tape, column: int, rule: StopRule, cap: int) -> tuple[Floats, Floats]:
    """(rows,) quality and cost of sampling one column under a rule."""
    live, drawn = np.ones(len(tape.row), dtype=bool), 0
    reached, paid = np.zeros(len(live)), np.zeros(len(live))
    checks = rule.checks(cap)
    for size in checks:
        seen = tape.seen(column, size)
        paid = paid + np.where(live, tape.ask_usd(column, size - drawn, drawn, warm=drawn > 0), 0.0)
        ends = live & (rule.enough(seen.answer) | (size == checks[-1]))
        reached = np.where(ends, tape.value(column, leaders(seen)), reached)
        live, drawn = live & ~ends, size
        if not live.any():
            break
    return reached, paid


def tuned_rules(rules: Sequence[StopRule]) -> Callable[[Lesson], Sequence[Policy]]:
    """Tune rules: each on every source of the pool, up to 26 of them, with every cap of 1, 2, 4, ... and all that is recorded.

    The training hull is the ladder.
    """

    def fit(lesson: Lesson) -> Sequence[Policy]:
        pool = pool_of(lesson)
        settings = [(j, rule, cap) for j in range(len(pool.names)) for rule in rules for cap in caps(pool.depth(j))]
        runs = [run_rule(pool.tape, j, rule, cap) for j, rule, cap in settings]
        quality, cost = (np.array([float(run[k].mean()) for run in runs]) for k in (0, 1))
        return [Stopping(pool.source(settings[k][0]), settings[k][1], settings[k][2], float(quality[k])) for k in ladder(cost, quality)]

    return fit


def caps(depth: int) -> tuple[int, ...]:
    """Caps tried: powers of two, and the depth.

    >>> caps(6)
    (1, 2, 4, 6)
    """
    return tuple(sorted({2**k for k in range(depth.bit_length()) if 2**k <= depth} | {depth}))


def stop_recipe(name: str, source: str, rules: Sequence[StopRule]) -> StepperRecipe:
    """A stop rule, with every setting that is tried, as a recipe."""
    return StepperRecipe(name, source, tuned_rules(rules))
