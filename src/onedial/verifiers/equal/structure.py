"""Equality of JSON values, and how JSON is read strictly. Whether a value fits a schema is elsewhere."""

from __future__ import annotations

import json as standard
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from onedial.verifiers.equal.unreadable import unreadable

_FENCED = re.compile(r"\s*```(?:json)?\s(.*)```\s*", re.DOTALL | re.IGNORECASE)


def json(answer: str, reference: str) -> bool:
    """Compare two JSON values: keys in any order, lists in theirs, numbers as numbers (1, 1.0 and 1e0 are the same; `true` is not).

    A Markdown fence around the answer is taken off.

    >>> json('{"a": 1.0, "b": []}', '{"b": [], "a": 1}'), json("true", "1")
    (True, False)

    Raises:
        TableError: The reference is not JSON.
    """
    try:
        wanted = read_json(reference, _number)
    except ValueError as error:
        raise unreadable(reference, f"JSON ({error})") from None
    try:
        return bool(read_json(answer, _number) == wanted)
    except (ValueError, RecursionError):
        return False


def read_json(said: str, number: Callable[[str], Any] | None = None) -> Any:
    """Read one JSON value, with or without a Markdown fence around it.

    Args:
        said: The text.
        number: Makes a value of the digits of a number; by default an int or a float.

    Raises:
        ValueError: It is not JSON: also for NaN and Infinity, a key twice in one object, or nesting without end.
    """
    fenced = _FENCED.fullmatch(said)
    try:
        return standard.loads(
            fenced[1] if fenced else said,
            parse_float=number,
            parse_int=number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_without_doubles,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _number(digits: str) -> tuple[Decimal]:
    """The number in a tuple, which nothing else in JSON is: Python takes 1 and True for the same."""
    try:
        return (Decimal(digits),)
    except InvalidOperation:
        raise ValueError(f"the number {digits[:40]} is beyond reading") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found
