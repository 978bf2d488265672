"""The error of a reference that an equality cannot read. Which references those are, each equality says."""

from __future__ import annotations

from onedial.core.errors import TableError


def unreadable(reference: str, expected: str) -> TableError:
    """Say that a reference is not what an equality compares.

    >>> unreadable("Paris", "a number such as 1,200.5")
    TableError("the reference 'Paris' was found; expected a number such as 1,200.5. Correct the reference, or choose another grader.")
    """
    return TableError(f"the reference {reference!r} was found; expected {expected}. Correct the reference, or choose another grader.")
