"""Equality of numbers, however they are written. Expressions with more in them than one fraction are for `math`."""

from __future__ import annotations

import re
from fractions import Fraction

from onedial.verifiers.equal.unreadable import unreadable

TOLERANCE = Fraction(1, 1_000_000)
"""Largest difference that still counts as equal, as a share of the reference."""

_MOST_CHARACTERS = 400
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)"
_DECIMAL = rf"(?:{_DIGITS}\.?\d*|\.\d+)"
_NUMBER = re.compile(
    rf"(?P<sign>[-+]?)\s*(?:(?:(?P<whole>{_DIGITS})\s+)?(?P<over>{_DECIMAL})\s*/\s*(?P<under>{_DECIMAL})|"
    rf"(?P<plain>{_DECIMAL})(?:e|\s*[x×*·]\s*10\s*\^\s*)(?P<power>\(?[-+]?\d{{1,3}}\)?|\{{[-+]?\d{{1,3}}\}})|"
    rf"(?P<decimal>{_DECIMAL}))\s*(?P<percent>%?)",
    re.IGNORECASE | re.ASCII,
)
_WHOLE = re.compile(r"[-+]?[\d,]+", re.ASCII)


def number(answer: str, reference: str) -> bool:
    """Compare two numbers within `TOLERANCE` of the reference; two whole numbers written out must be the same.

    Reads thousands separators (1,200), fractions (3/4, 1 1/2), percent (25% is 0.25) and powers of ten (1.2e-3, 1.2 x 10^-3).

    >>> number("75%", "3/4"), number("0.333333", "1/3"), number("10000001", "10000002")
    (True, True, False)

    Raises:
        TableError: The reference is not a number.
    """
    wanted, found = _value(reference), _value(answer)
    if wanted is None:
        raise unreadable(reference, "a number such as 1,200.5, 3/4, 25% or 1.2e-3")
    if found is None:
        return False
    written_out = _WHOLE.fullmatch(_even(answer)) and _WHOLE.fullmatch(_even(reference))
    return found == wanted if written_out else abs(found - wanted) <= TOLERANCE * abs(wanted)


def _even(said: str) -> str:
    return said.strip().replace("−", "-")


def _value(said: str) -> Fraction | None:
    """The number that the whole text is; None if it is not one. Exact, so that a tolerance is what it says."""
    read = _NUMBER.fullmatch(_even(said)) if len(said) <= _MOST_CHARACTERS else None
    if read is None:
        return None
    part = {name: digits.replace(",", "") for name, digits in read.groupdict().items() if digits is not None}
    if "under" in part:
        under = Fraction(part["under"])
        if not under:
            return None
        size = Fraction(part.get("whole", 0)) + Fraction(part["over"]) / under
    elif "power" in part:
        size = Fraction(part["plain"]) * Fraction(10) ** int(part["power"].strip("(){}"))
    else:
        size = Fraction(part["decimal"])
    return size * (-1 if part["sign"] == "-" else 1) / (100 if part["percent"] else 1)
