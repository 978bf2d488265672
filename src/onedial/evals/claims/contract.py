"""What a claim is, and what comes of it. What it is tried on is in `tasks`. How a finding is kept on disk is in `files`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any, Literal

from onedial.evals.claims.workbench import Workbench
from onedial.metrics.bootstrap import Interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Verdict = Literal["holds", "does not hold", "not told apart", "not measured"]
"""`not told apart`: the interval reaches both sides. `not measured`: the models or questions lack what the experiment needs."""
Row = Mapping[str, Any]
"""A flat row of a table: text, numbers and None by column; `row` says which kind of row it is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one claim.

    Attributes:
        verdict: Whether it holds here.
        sentence: The verdict as one paragraph, with 95 % intervals.
        numbers: The measured quantities that the verdict rests on, by name.
        rows: The table: flat rows, not all of them with the same columns. The picture is drawn from it alone.
    """

    verdict: Verdict
    sentence: str
    numbers: Mapping[str, Interval]
    rows: tuple[Row, ...] = ()

    @classmethod
    def unmeasured(cls, why: str) -> Finding:
        """Nothing could be measured, and why."""
        return cls("not measured", why, {})

    def kind(self, name: str) -> list[Row]:
        """The rows whose column `row` has this value."""
        return [row for row in self.rows if row["row"] == name]


@dataclass(frozen=True, slots=True)
class Claim:
    """One experiment.

    Attributes:
        name: As typed.
        question: What is asked, as the title of its picture.
        source: Who claimed it.
        measure: Does the experiment.
        draw: Draws a finding on an empty figure of `size`.
        size: Width and height of the picture in inches.
    """

    name: str
    question: str
    source: str
    measure: Callable[[Workbench], Coroutine[Any, Any, Finding]]
    draw: Callable[[Figure, Finding], None]
    size: tuple[float, float] = (9.0, 4.0)


def told(interval: Interval, scale: float = 100.0, unit: str = " %", digits: int = 1) -> str:
    """Write an interval for people.

    >>> told(Interval(0.5, 0.25, 0.75))
    '50.0 % [25.0, 75.0]'
    >>> told(Interval(float("nan"), 0.25, float("inf")))
    'never [25.0, ∞]'
    """
    middle, low, high = (f"{scale * value:.{digits}f}".replace("inf", "∞").replace("-", "−") for value in interval[:3])
    return f"never [{low}, {high}]" if isnan(interval.estimate) else f"{middle}{unit} [{low}, {high}]"
