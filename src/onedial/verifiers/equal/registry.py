"""The equalities by the name that a configuration uses. To add one, write it in a file of this folder and name it in `EQUALS`."""

from __future__ import annotations

from collections.abc import Callable

from onedial.core.errors import ConfigError, unknown
from onedial.verifiers.equal.structure import json
from onedial.verifiers.equal.symbolic import math, math_verify
from onedial.verifiers.equal.value import number
from onedial.verifiers.equal.wording import choice, exact, text

Equal = Callable[[str, str], bool | None]
"""From (answer, reference) to whether they are the same; None where that cannot be decided.

An answer that cannot be read is not the same. A reference that cannot be read raises TableError: it could never be matched.
"""

EQUALS: dict[str, Equal] = {"exact": exact, "text": text, "number": number, "choice": choice, "json": json, "math": math}


def named_equal(name: str) -> Equal:
    """Look an equality up.

    Raises:
        ConfigError: None has this name, or the package that it needs is not installed.
    """
    if name not in EQUALS:
        raise ConfigError(unknown("equality", name, EQUALS))
    if name == "math":
        math_verify()  # found missing now, before anything is paid for
    return EQUALS[name]
