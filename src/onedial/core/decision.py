"""What a policy decides, and what it knew when it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from onedial.core.answer import Candidate
from onedial.core.arm import Arm
from onedial.core.query import Query


@dataclass(frozen=True, slots=True)
class Outlook:
    """The forecast of one option at the moment of deciding.

    Attributes:
        arm: The option.
        quality: Probability that the final answer is right if it is taken.
        cost_usd: Expected further cost.
        net_usd: Worth of the quality gained less the cost.
    """

    arm: Arm
    quality: float
    cost_usd: float
    net_usd: float


@dataclass(frozen=True, slots=True)
class Decision:
    """Draw more (an arm whose `n` is the size of the block), or stop (arm is None).

    Attributes:
        arm: What to do next; None to stop.
        answer: The canonical answer in the lead, None if there is none yet.
        quality: Probability that the leading answer is right if stopping now.
        reason: Why, in one sentence.
        outlooks: Every option considered, best first.
        propensity: Probability with which this choice was made.
        pick: On stopping, which candidate is the answer, an index into those tried; None for the first that gave `answer`.
            Answers in free form, which never agree, and samples without an answer are told apart by it.
    """

    arm: Arm | None
    answer: str | None = None
    quality: float = 0.0
    reason: str = ""
    outlooks: tuple[Outlook, ...] = ()
    propensity: float = 1.0
    pick: int | None = None


class Policy(Protocol):
    """Chooses what to do next for a query, given what has been tried."""

    def choose(self, query: Query, tried: tuple[Candidate, ...] = (), spent_usd: float = 0.0) -> Decision:
        """Decide the next block, or to stop.

        Args:
            query: The query.
            tried: Every candidate so far, in order.
            spent_usd: What has been spent on this query.
        """
        ...
