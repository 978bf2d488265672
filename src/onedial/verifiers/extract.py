"""Read the answer out of a completion, so that equal answers are equal strings.

Votes are counted on what these return, never on raw text.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from onedial.core.errors import ConfigError, unknown

Extractor = Callable[[str], str | None]
"""From the visible text of a completion to its canonical answer; None if there is none."""

_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
_CHOICE = re.compile(r"\b([A-J])\b")
_BOXED = re.compile(r"\\boxed\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")


def text(completion: str) -> str | None:
    """Take the whole text, white space and case evened out.

    >>> text("  The  Hague ")
    'the hague'
    """
    return " ".join(completion.split()).casefold() or None


def words(completion: str) -> str | None:
    """Take the whole text, white space evened out and case kept; None for an empty one."""
    return " ".join(completion.split()) or None


def number(completion: str) -> str | None:
    """Take the last number, without separators or trailing zeros.

    >>> number("so 1,200.50 dollars")
    '1200.5'
    """
    found = _NUMBER.findall(completion)
    if not found:
        return None
    digits: str = found[-1].replace(",", "").lstrip("+")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def choice(completion: str) -> str | None:
    """Take the last stand-alone capital letter from A to J.

    >>> choice("The answer is (C).")
    'C'
    """
    found = _CHOICE.findall(completion)
    return found[-1] if found else None


def boxed(completion: str) -> str | None:
    r"""Take what stands in the last \boxed{}.

    >>> boxed(r"hence \boxed{\frac{1}{2}}")
    '\\frac{1}{2}'
    """
    found = _BOXED.findall(completion)
    return words(found[-1]) if found else None


EXTRACTORS: dict[str, Extractor] = {"text": text, "words": words, "number": number, "choice": choice, "boxed": boxed}


def named_extractor(name: str) -> Extractor:
    """Look an extractor up.

    Raises:
        ConfigError: None has this name.
    """
    if name not in EXTRACTORS:
        raise ConfigError(unknown("extractor", name, EXTRACTORS))
    return EXTRACTORS[name]
