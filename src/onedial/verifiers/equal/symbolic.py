"""Equality of mathematics, by the optional package `math-verify`. Without the package this is an error; nothing stands in for it."""

from __future__ import annotations

import threading
from typing import Any

from onedial.core.errors import ConfigError
from onedial.verifiers.equal.unreadable import unreadable

_MOST_SECONDS = 5
_MARKS = ("$", "\\boxed", "\\(", "\\[")


def math(answer: str, reference: str) -> bool | None:
    r"""Compare two expressions in LaTeX or plain notation: \frac12 is 0.5, and (x+1)^2 is x^2+2x+1.

    None if the comparison fails or takes longer than a few seconds. Off the main thread the package keeps no time: no limit.

    Raises:
        ConfigError: `math-verify` is not installed.
        TableError: The reference holds no expression.
    """
    package = math_verify()
    seconds = _MOST_SECONDS if threading.current_thread() is threading.main_thread() else None
    wanted = package.parse(_marked(reference), parsing_timeout=seconds)
    if not wanted:
        raise unreadable(reference, "an expression such as \\frac{1}{2} or x^2 + 1")
    try:
        found = package.parse(_marked(answer), parsing_timeout=seconds, raise_on_error=True)
    except package.errors.TimeoutException:
        return None
    except Exception:  # whatever the parser stumbles over is no expression
        return False
    try:
        return bool(package.verify(wanted, found, timeout_seconds=seconds, raise_on_error=True))
    except (package.errors.TimeoutException, Exception):  # the former is not an Exception
        return None


def math_verify() -> Any:
    """Import the package; slow the first time.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        import math_verify as package
        import math_verify.errors
    except ImportError:
        raise ConfigError("grader 'math' needs the package math-verify, which is not installed. Run: pip install 'onedial[math]'") from None
    return package


def _marked(said: str) -> str:
    """Marked as mathematics, unless some of it is already."""
    return said if any(mark in said for mark in _MARKS) else f"${said}$"
