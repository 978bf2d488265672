"""One of two policies, by a coin that depends on the query alone: the kink of the dual rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b

from onedial.core.answer import Candidate
from onedial.core.decision import Decision, Policy
from onedial.core.query import Query


@dataclass(frozen=True, slots=True)
class Blend:
    """Randomise between two policies so that a target is met exactly in the mean.

    Attributes:
        low: The thriftier policy.
        high: The other.
        p_high: Chance of `high`, in [0, 1].
        seed: Of the coin; one query always meets the same side.

    Source: THEORY.md section 1, "at the kink randomise".
    """

    low: Policy
    high: Policy
    p_high: float
    seed: int = 0

    def choose(self, query: Query, tried: tuple[Candidate, ...] = (), spent_usd: float = 0.0) -> Decision:
        """Let the policy that the coin names decide."""
        digest = blake2b(f"{self.seed}-{query.id}".encode(), digest_size=8).digest()
        up = int.from_bytes(digest) / 2**64 < self.p_high
        decision = (self.high if up else self.low).choose(query, tried, spent_usd)
        return replace(decision, propensity=decision.propensity * (self.p_high if up else 1.0 - self.p_high))
