"""Efforts as `onedial.toml` writes them: from a table per label, and the family of the model, to what is sent. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onedial.core.errors import ConfigError
from onedial.core.model import Effort
from onedial.runtime.families import Family
from onedial.runtime.thinking import cap_fields, level_fields

Asked = tuple[Effort, Mapping[str, Any]]
"""An effort, and the request fields that ask for it."""


def level(label: str, body: Mapping[str, Any] | None, family: Family | None) -> Asked:
    """A soft level: the fields as written, else those of the family for the level of this label.

    Raises:
        ConfigError: Nothing is written, and no family is known, or it has no such level.
    """
    return Effort(label), level_fields(family, label) if body is None else body


def prompted(label: str, body: Mapping[str, Any] | None) -> Asked:
    """An effort in words, which any model takes, with further fields where some are written."""
    return Effort(label, "prompt"), body or {}


def cap(label: str, tokens: int, body: Mapping[str, Any] | None, family: Family | None, *, can_cut: bool) -> Asked:
    """A hard cap: the fields as written, else those of the family, else none, as the client itself cuts the thought.

    Args:
        label: Of the effort.
        tokens: The cap.
        body: The fields as written.
        family: Of the model, where it is known.
        can_cut: Whether a text can be continued, and the mark behind a thought is known.

    Raises:
        ConfigError: Nobody can keep the cap, or it is out of the family's range.
    """
    if body:
        return Effort(label, "cap", tokens), body
    if family is not None and family.cap:
        return Effort(label, "cap", tokens), cap_fields(family, tokens)
    if can_cut:
        return Effort(label, "cap", tokens, native=False), {}
    whose = f"family {family.name!r} has no hard cap on thought" if family else "what caps the thought of this model is not known"
    raise ConfigError(
        f"{whose}. Write the request fields as body = {{ ... }}, name a family that has a cap, or let onedial cut the thought and close "
        "it, with the capability 'continue' and thinking_end = the mark behind a thought."
    )
