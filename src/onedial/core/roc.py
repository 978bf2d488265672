"""How well a verifier tells right from wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Roc:
    """A binary verifier: chance of accepting a right and a wrong answer.

    Attributes:
        p_accept_right: True-positive rate, in [0, 1].
        p_accept_wrong: False-positive rate, in [0, 1].
    """

    p_accept_right: float = 1.0
    p_accept_wrong: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.p_accept_right <= 1 and 0 <= self.p_accept_wrong <= 1):
            raise ValueError(f"rates must be in [0, 1], found {self}")

    def likelihood(self, accepted: bool, right: bool) -> float:
        """P(verdict | the answer is right or wrong)."""
        p = self.p_accept_right if right else self.p_accept_wrong
        return p if accepted else 1.0 - p
