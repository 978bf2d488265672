"""What a claim is, what it is tried on, and what comes of it. How a finding is kept on disk is in `files`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any, Literal, Protocol

from onedial.core.query import Query
from onedial.metrics.bootstrap import Interval
from onedial.verifiers.process import Process

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from onedial.evals.claims.workbench import Workbench

Verdict = Literal["holds", "does not hold", "not told apart", "not measured"]
"""`not told apart`: the interval reaches both sides. `not measured`: the models or questions lack what the experiment needs."""
Row = Mapping[str, Any]
"""A flat row of a table: text, numbers and None by column; `row` says which kind of row it is."""


class Tasks(Protocol):
    """Questions with a dial. The same call gives the same questions; ids never change."""

    @property
    def chain_lengths(self) -> Sequence[int]:
        """Lengths of chains: one slip spoils everything that follows."""
        ...

    @property
    def walk_lengths(self) -> Sequence[int]:
        """Lengths of walks: whether one place can be reached from another."""
        ...

    def mixed(self, n: int) -> Sequence[Query]:
        """The first `n` questions of every kind and difficulty."""
        ...

    def chains(self, length: int, n: int) -> Sequence[Query]:
        """The first `n` chains of a length; none where there are no such questions."""
        ...

    def walks(self, length: int, n: int) -> Sequence[Query]:
        """The first `n` walks of a length; none where there are no such questions."""
        ...

    def sound(self, query: Query, text: str) -> str | None:
        """The steps of a chain before the first wrong one, the whole text where none is wrong; None if no step can be read."""
        ...

    @property
    def writing(self) -> Process:
        """How steps are written: the tokens of one, and where one ends."""
        ...


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
