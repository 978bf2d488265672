"""In words: whether joint is anywhere dearer than what it is measured against, and where it is cheaper than all of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from onedial.evals.bench.run import Benched

MARGIN = 1.02
"""Joint is dearer than a rival where the whole interval of its cost over the rival's lies above this."""
RIVALS = ("model-only", "compute-only", "best fixed", "hull", "agreement-cascade", "token-gate")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the intervals say, each at 95 % and not corrected for their number.

    Attributes:
        rivals: What joint was measured against.
        dearer: (goal, rival) where the whole interval is above `MARGIN`.
        cheaper_than_all: Goals where the whole interval is below 1 for every rival.
    """

    rivals: tuple[str, ...]
    dearer: tuple[tuple[str, str], ...]
    cheaper_than_all: tuple[str, ...]

    @property
    def non_inferior(self) -> bool:
        """Whether joint is nowhere dearer."""
        return not self.dearer

    @property
    def sentence(self) -> str:
        """The verdict, for people."""
        by_goal: dict[str, list[str]] = {}
        for goal, name in self.dearer:
            by_goal.setdefault(goal, []).append(name)
        first = (
            f"Joint is nowhere dearer than {_listed(self.rivals, 'or')}"
            if self.non_inferior
            else "Joint is dearer than " + "; than ".join(f"{_listed(names)} at {goal}" for goal, names in by_goal.items())
        )
        if not self.cheaper_than_all:
            return f"{first}, and nowhere cheaper than {'all of them' if self.non_inferior else 'all'}."
        return f"{first}, and cheaper than {'all of them' if self.non_inferior else 'all'} at {_listed(self.cheaper_than_all)}."


def verdict_of(benched: Benched) -> Verdict:
    """Read the verdict off the intervals."""
    label = dict(zip(benched.pooled.targets.tolist(), [goal.label for goal in benched.pooled.goals], strict=True))
    rivals = tuple(name for name in RIVALS if name in benched.sweeps)
    rows = [row for row in benched.matched if row.policy in rivals]
    dearer = tuple((label[row.target], row.policy) for row in rows if row.lead_over.low > MARGIN)
    cheaper = [
        label[target]
        for target in dict.fromkeys(row.target for row in rows)
        if all(row.lead_over.high < 1.0 for row in rows if row.target == target)
    ]
    return Verdict(rivals, dearer, tuple(cheaper))


def _listed(names: Iterable[str], word: str = "and") -> str:
    """Join with commas, an `and` before the last.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    *most, last = list(names)
    return f"{', '.join(most)} {word} {last}" if most else last
