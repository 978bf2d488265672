"""Equality of words: exact, but for their dress, or as the letter of a choice. What numbers and structures mean is elsewhere."""

from __future__ import annotations

import re
import unicodedata

from onedial.verifiers.equal.unreadable import unreadable

_MEANING = "#%&@/\\"  # punctuation by its category that tells C# from C and 5% from 5
_JOINING = ".'’"  # dropped without a trace: U.S. is US, and don't is dont
_ARTICLE = re.compile(r"\b(?:a|an|the)\s+(?=\S)")
_LABEL = re.compile(r"[\W_]*([A-Za-z])(?:[\W_]*|\s*[).:\]]+\s+.*)", re.DOTALL)


def exact(answer: str, reference: str) -> bool:
    """Compare character for character.

    >>> exact("Paris", "paris")
    False
    """
    return answer == reference


def text(answer: str, reference: str) -> bool:
    """Compare words, leaving out case, white space, punctuation and articles before a word.

    Signs before digits and punctuation between them count, so that -5 is not 5 and 3.5 is not 35.

    >>> text("The U.S.", "us"), text("-3.5", "35")
    (True, False)

    Raises:
        TableError: The reference is blank.
    """
    if not reference.strip():
        raise unreadable(reference, "text")
    return _plain(answer) == _plain(reference)


def choice(answer: str, reference: str) -> bool:
    """Compare the letters of choices: `C`, `(c)`, `C.` and `C) Paris` are the same.

    >>> choice("(c)", "C) Paris"), choice("Paris", "C")
    (True, False)

    Raises:
        TableError: The reference is not the letter of a choice.
    """
    wanted = _letter(reference)
    if wanted is None:
        raise unreadable(reference, "the letter of a choice, such as C, (C) or 'C) Paris'")
    return _letter(answer) == wanted


def _letter(said: str) -> str | None:
    found = _LABEL.fullmatch(said.strip())
    return found[1].upper() if found else None


def _plain(said: str) -> str:
    """The words alone; what would be left with none is taken as it stands, so that `!` is not `?`."""
    even = " ".join(unicodedata.normalize("NFC", said).replace("−", "-").casefold().split())
    words = " ".join("".join(_kept(even, i) for i in range(len(even))).split())
    return _ARTICLE.sub("", words) or even


def _kept(even: str, i: int) -> str:
    """One character, or what it is replaced with."""
    here, before, after = even[i], even[i - 1 : i], even[i + 1 : i + 2]
    if not unicodedata.category(here).startswith("P") or here in _MEANING:
        return here
    if before.isdigit() and after.isdigit():
        return here
    if here in "-." and not before.isalnum() and re.match(r"\.?\d", even[i + 1 :]):
        return here
    return "" if here in _JOINING else " "
