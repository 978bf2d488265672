"""What a dial is told once: how answers are read and graded, and how queries are divided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from onedial.core.errors import TableError
from onedial.core.query import Query
from onedial.strategies.draw import Reading

WITHIN = 0.02
"""Served if no goal is given: at most 2 points below the reference arm."""

Grader = Callable[[Query, str | None], float | None]
"""The score of an extracted answer, in [0, 1]; None where the query cannot be graded."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a dial reads, grades and divides.

    Attributes:
        reading: How answers are read and verified.
        grade: How outcomes are scored; the score is never shown to a policy.
        label_kind: What such scores are called in a certificate.
        held_out: Share of the queries kept for certificates.
        seed: Of every split and coin.
        samples: Samples per (query, source) when collecting.
        store: File name of the outcome store.
        check_reference: Raises TableError for a reference that it would be useless to grade by, where references are no answers but unit
            tests, say. None: they are answers, and must themselves be graded right.
    """

    reading: Reading
    grade: Grader
    label_kind: str = "reference"
    held_out: float = 0.5
    seed: int = 0
    samples: int = 4
    store: str = "outcomes.db"
    check_reference: Callable[[Query], None] | None = None

    def refuse_unfit_reference(self, query: Query) -> None:
        """Raise before anything is paid for if a reference could never be matched.

        Raises:
            TableError: The grader itself does not find the reference right.
        """
        if query.reference is None:
            return
        if self.check_reference is not None:
            self.check_reference(query)
            return
        answer = self.reading.extract(query.reference) or self.reading.extract(f"\\boxed{{{query.reference}}}")  # only a box may be read
        if answer is None or self.grade(query, answer) != 1.0:
            raise TableError(
                f"query {query.id!r}: its own reference {query.reference!r}, read as {answer!r}, would not be graded right. "
                "Correct the reference, or choose another `extract` or `grader` under [answers]."
            )
