"""Always the same arm: every comparator's simplest form, and what is served when nothing can be certified."""

from __future__ import annotations

from dataclasses import dataclass

from onedial.core.answer import Candidate
from onedial.core.arm import Arm
from onedial.core.decision import Decision
from onedial.core.query import Query
from onedial.strategies.best_of_n import highest
from onedial.strategies.draw import plurality


@dataclass(frozen=True, slots=True)
class FixedArm:
    """Draw what the arm says, once, and answer as its strategy would.

    Attributes:
        arm: Any arm of independent samples: `direct`, `vote` or `best`.
        quality: What the arm reaches on average, reported as the chance of being right.
        reason: Why it is served.
    """

    arm: Arm
    quality: float = 0.0
    reason: str = "one setting for every query"

    def choose(self, query: Query, tried: tuple[Candidate, ...] = (), spent_usd: float = 0.0) -> Decision:
        """Draw on the first call, stop on the second."""
        if not tried:
            return Decision(self.arm, None, 0.0, self.reason)
        chosen = plurality(highest(tried) if self.arm.strategy == "best" else tried)
        return Decision(None, chosen.answer if chosen else None, self.quality, self.reason)
