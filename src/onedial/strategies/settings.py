"""What the settings of an arm may be, as in `small/think=2/deepconf=16/keep=0.5`: from the text in an arm id to a value.

Which strategy has which is in `registry`. A function here raises ValueError with what it expects.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import isfinite
from typing import Any

from onedial.core.arm import Arm, Source
from onedial.core.errors import ConfigError, unknown

Setting = Callable[[str], Any]


def count(text: str) -> int:
    """A whole number from 1."""
    return _at_least(1, text)


def whole(text: str) -> int:
    """A whole number from 0."""
    return _at_least(0, text)


def amount(text: str) -> float:
    """A number from 0.

    >>> amount("0.5")
    0.5
    """
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not isfinite(value) or value < 0:
        raise ValueError("a number from 0")
    return value


def positive(text: str) -> float:
    """A number above 0."""
    value = amount(text)
    if not value:
        raise ValueError("a number above 0")
    return value


def share(text: str) -> float:
    """A number above 0 and up to 1."""
    value = positive(text)
    if value > 1:
        raise ValueError("a share above 0 and up to 1")
    return value


def one_of(names: Collection[str]) -> Setting:
    """One of these names."""

    def named(text: str) -> str:
        if text not in names:
            raise ValueError(f"one of {', '.join(names)}")
        return text

    return named


def amounts(text: str) -> tuple[float, ...]:
    """Numbers from 0 with commas between them."""
    return tuple(map(amount, text.split(",")))


def sources(text: str) -> tuple[Source, ...]:
    """Sources with commas between them, an effort behind an `@`, as in `tiny@0,large@2`; no slashes, which part the settings of an arm."""
    pairs = [part.rpartition("@") if "@" in part else (part, "", "") for part in text.split(",")]
    if not all(model for model, _, _ in pairs):
        raise ValueError("models with commas between them, as in tiny@0,large@2")
    return tuple(Source(model, effort or None) for model, _, effort in pairs)


def settings_of(arm: Arm, known: dict[str, Setting]) -> dict[str, Any]:
    """Read the settings of an arm.

    Raises:
        ConfigError: One is not known, or not of its kind.
    """
    found: dict[str, Any] = {}
    for key, text in arm.settings:
        if key not in known:
            raise ConfigError(f"arm {str(arm)!r}: {unknown(f'setting of {arm.strategy!r}', key, known)}")
        try:
            found[key] = known[key](text)
        except ValueError as error:
            raise ConfigError(f"arm {str(arm)!r}: setting {key!r} is {text!r}; expected {error}.") from None
    return found


def _at_least(least: int, text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise ValueError(f"a whole number from {least}")
    return int(text)
