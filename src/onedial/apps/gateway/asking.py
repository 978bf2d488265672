"""What a request asks of onedial: an objective, or a model or an arm by name. Read from the model name, a body field and headers.

All of it pure. A goal that is given twice must be given alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from onedial.core.arm import Arm
from onedial.core.errors import ConfigError, unknown
from onedial.core.objective import Objective

NAME = "onedial"
FIELDS = {"quality": "quality", "within": "within", "cost": "budget_usd", "cap": "cap_usd", "max_calls": "max_calls", "commit": "commit"}
"""What may be asked, by the name that requests use, with the objective's own."""
GOALS = ("quality", "within", "cost")
HEADER = "x-onedial-"
EXAMPLES = "'onedial', 'onedial/quality=0.95', 'onedial/within=0.01' or 'onedial/cost=0.002'"


@dataclass(frozen=True, slots=True)
class Asked:
    """What to do with a request.

    Attributes:
        objective: To be met, or None where an arm is named.
        arm: The arm named, or None.
    """

    objective: Objective | None
    arm: Arm | None = None


def asked(model: str, field: Any, headers: Mapping[str, str], default: Objective) -> Asked:
    """Read what a request asks.

    Args:
        model: Its `model`: `onedial`, with or without goals, or a model or an arm of the pool.
        field: Its `onedial` field, an object like `{"quality": 0.95}`, or None.
        headers: Lower-case names; `x-onedial-quality` and the like.
        default: Met where nothing is asked.

    Raises:
        ConfigError: A name or a value that means nothing, two different goals, or a goal for an arm that is named.
    """
    name, _, rest = model.partition("/")
    found = _merged([_of_name(rest) if name == NAME else {}, _of_field(field), _of_headers(headers)])
    if name != NAME:
        if found:
            raise ConfigError(f"model {model!r} is asked by name and {', '.join(found)} besides; expected one of both. Ask for {EXAMPLES}.")
        return Asked(None, Arm.parse(model))
    if not found:
        return Asked(default)
    if not any(key in found for key in GOALS):
        goal = {"quality": default.quality, "within": default.within, "cost": default.budget_usd}
        found |= {key: value for key, value in goal.items() if value is not None}
    return Asked(Objective(**{FIELDS[key]: value for key, value in found.items()}))


def _of_name(rest: str) -> dict[str, Any]:
    pairs = [part.partition("=") for part in rest.split("/") if part]
    if not all(equals for _, equals, _ in pairs):
        raise ConfigError(f"model 'onedial/{rest}' is not understood; expected {EXAMPLES}.")
    return {key: _value(key, value) for key, _, value in pairs}


def _of_field(field: Any) -> dict[str, Any]:
    if field is None:
        return {}
    if not isinstance(field, Mapping):
        raise ConfigError(f'the field `onedial` is {field!r}; expected an object, as in {{"quality": 0.95}}.')
    return {str(key): _value(str(key), value) for key, value in field.items()}


def _of_headers(headers: Mapping[str, str]) -> dict[str, Any]:
    named = {key.removeprefix(HEADER).replace("-", "_"): value for key, value in headers.items() if key.startswith(HEADER)}
    return {key: _value(key, value) for key, value in named.items()}


def _value(key: str, value: Any) -> Any:
    """A number, or the word that `commit` takes."""
    if key not in FIELDS:
        raise ConfigError(unknown("wish", key, FIELDS))
    if key == "commit":
        return str(value)
    try:
        if isinstance(value, bool):
            raise TypeError
        return int(value) if key == "max_calls" else float(value)
    except (TypeError, ValueError):
        raise ConfigError(f"{key} is {value!r}; expected a number.") from None


def _merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            if found.setdefault(key, value) != value:
                raise ConfigError(f"{key} is asked to be {found[key]} and {value}; expected one of them. Leave one out.")
    return found
