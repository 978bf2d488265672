"""Answer one query under a policy: decide, draw, decide again. A generator, so that it runs live, in replay and in tests alike."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from onedial.core.answer import Answer, Candidate
from onedial.core.decision import Decision, Policy
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Drawn, Reading, conclude, draw

MAX_ROUNDS = 64


@dataclass(frozen=True, slots=True)
class Solved:
    """An answer with every decision that led to it; the last one says why it stopped.

    Attributes:
        query: What was asked.
        answer: The answer, every candidate and all spend.
        decisions: In order; each but the last had a block drawn, and the last too where a block brought nothing at all.
        drawn: The blocks, in the same order, with what each cost.
    """

    query: Query
    answer: Answer
    decisions: tuple[Decision, ...]
    drawn: tuple[Drawn, ...] = ()

    @property
    def quality(self) -> float:
        """Forecast chance that the answer is right, at the moment of stopping."""
        return self.decisions[-1].quality


def solve_steps(query: Query, policy: Policy, reading: Reading) -> Steps[Solved]:
    """Carry out what the policy decides until it stops, or until an ask fails or is refused."""
    drawn: list[Drawn] = []
    decisions: list[Decision] = []
    tried: tuple[Candidate, ...] = ()
    asked: Counter[object] = Counter()
    for _ in range(MAX_ROUNDS):
        spent = sum(block.spend.cost_usd for block in drawn)
        decision = policy.choose(query, tried, spent)
        decisions.append(decision)
        if decision.arm is None:
            break
        block = yield from draw(query, decision.arm.source, decision.arm.n, reading, asked[decision.arm.source])
        drawn.append(block)
        asked[decision.arm.source] += len(block.candidates)
        tried += block.candidates
        if not block.candidates:
            decisions.append(policy.choose(query, tried, spent) if tried else decision)
            break
    return Solved(query, conclude(drawn, _chosen(tried, decisions[-1]), decisions[-1].reason), tuple(decisions), tuple(drawn))


def _chosen(tried: tuple[Candidate, ...], decision: Decision) -> Candidate | None:
    """The first candidate that gave the answer in the lead."""
    leading = [c for c in tried if c.answer == decision.answer and c.answer is not None]
    return next(iter((*leading, *tried)), None)
