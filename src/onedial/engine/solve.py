"""Answer one query under a policy: decide, draw, decide again. A generator, so that it runs live, in replay and in tests alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from onedial.core.answer import Answer, Candidate
from onedial.core.arm import Arm
from onedial.core.decision import Decision, Policy
from onedial.core.errors import BudgetExhausted, ModelError, OnedialError
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Drawn, Reading, conclude, draw, judged

MAX_ROUNDS = 64


@dataclass(frozen=True, slots=True)
class Solved:
    """An answer with every decision that led to it; the last one says why it stopped.

    Attributes:
        query: What was asked.
        answer: The answer, every candidate and all spend.
        decisions: In order; each but the last had a block drawn, the last one draws nothing.
        drawn: The blocks, in the same order, with what each cost.
        chosen: The candidate that is the answer; None if there is none.
    """

    query: Query
    answer: Answer
    decisions: tuple[Decision, ...]
    drawn: tuple[Drawn, ...] = ()
    chosen: Candidate | None = None

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
    trouble = ""
    while True:
        decision = policy.choose(query, tried, sum(block.spend.cost_usd for block in drawn))
        if trouble or decision.arm is None:
            break
        decisions.append(decision)
        block = yield from draw(query, decision.arm.source, decision.arm.n, reading, asked[decision.arm.source])
        block = _whole((yield from judged(query, [block], reading)))
        drawn.append(block)
        asked[decision.arm.source] += len(block.candidates)
        tried += block.candidates
        trouble = _trouble(decision.arm, block, len(drawn))
    decisions.append(replace(decision, arm=None, reason=trouble) if trouble else decision)
    chosen = _chosen(tried, decisions[-1])
    return Solved(query, conclude(drawn, chosen, decisions[-1].reason), tuple(decisions), tuple(drawn), chosen)


def _whole(parts: Sequence[Drawn]) -> Drawn:
    """A block with what judging it cost and lacked."""
    trouble = "; ".join(part.trouble for part in parts if part.trouble)
    return replace(parts[0], spend=sum((part.spend for part in parts[1:]), parts[0].spend), trouble=trouble)


def _trouble(arm: Arm, block: Drawn, rounds: int) -> str:
    """Why to end here, whatever the policy would do next; empty to go on."""
    if not block.candidates:
        return f"{arm.n} of {arm.source} brought nothing"
    return f"{MAX_ROUNDS} blocks are drawn, the most for one query" if rounds == MAX_ROUNDS else ""


def _chosen(tried: tuple[Candidate, ...], decision: Decision) -> Candidate | None:
    """The candidate picked, or the first one that gave the answer in the lead."""
    if decision.pick is not None:
        return tried[decision.pick]
    leading = [c for c in tried if c.answer == decision.answer and c.answer is not None]
    return next(iter((*leading, *tried)), None)


def unanswered(answer: Answer, said: str) -> OnedialError:
    """The error of a run that brought nothing: of the budget if nothing was asked, else of the models."""
    failed = BudgetExhausted if answer.spend.usage.calls == 0 else ModelError
    return failed(f"{said}: {answer.stopped}")
