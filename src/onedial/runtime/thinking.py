"""From the effort asked for to the fields of a request, and who keeps a cap: the endpoint, or the client that cuts. Pure.

What families know is in `families`. Nothing is dropped or remapped: what a family lacks is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from onedial.core.ask import Sample
from onedial.core.errors import ConfigError, unknown
from onedial.core.model import Model
from onedial.runtime.bound import cut_at, output_bound
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.families import FAMILIES, Family

BY_NAME = {family.name: family for family in FAMILIES}
ANSWER_ROOM = 8
"""Output tokens beyond a cap at least: the mark that ends a thought, and the shortest answer."""
UNTOLD = "none"
"""Stands for no family, so that none is guessed."""


def family_of(url: str, model: str, named: str | None = None) -> Family | None:
    """The family named; where none is, the first whose host and model name match, None if none does.

    A server of one's own has an address that says nothing, so there none is guessed.

    Raises:
        ConfigError: There is none of this name.

    >>> family_of("https://api.openai.com/v1", "o3-mini").name, family_of("http://localhost:8000/v1", "o3-mini")
    ('openai-o', None)
    """
    if named is not None:
        if named != UNTOLD and named not in BY_NAME:
            raise ConfigError(unknown("family", named, (*BY_NAME, UNTOLD)))
        return BY_NAME.get(named)
    host = urlsplit(url).hostname or ""
    return next((f for f in FAMILIES if _at(host, f.hosts) and re.match(f.models, model.lower())), None)


def _at(host: str, ends: tuple[str, ...]) -> bool:
    return any(host == end or host.endswith("." + end) for end in ends)


def level_fields(family: Family | None, level: str) -> Mapping[str, Any]:
    """The request fields that ask a family for a level.

    Raises:
        ConfigError: There is no family to know it from, or it does not know this one.
    """
    if family is None:
        raise ConfigError(
            f"what asks for the level {level!r} is not known. Write the request fields as body = {{ ... }} ({{}} for the model's own "
            f"default), or the family of the model as family = one of {', '.join(BY_NAME)}."
        )
    if level not in family.levels:
        raise ConfigError(f"family {family.name!r}: {unknown('level', level, family.levels)} Or write its request fields as body.")
    return family.levels[level]


def cap_fields(family: Family, tokens: int) -> dict[str, Any]:
    """The request fields that cap thought at so many tokens.

    Raises:
        ConfigError: The family has no cap, or this one is out of its range.

    >>> cap_fields(BY_NAME["claude"], 2048)
    {'thinking': {'type': 'enabled', 'budget_tokens': 2048}}
    """
    if not family.cap:
        raise ConfigError(f"family {family.name!r} has no hard cap on thought; it knows the levels {', '.join(family.levels)}.")
    if tokens < family.least_cap or tokens > (family.most_cap or tokens):
        most = f"to {family.most_cap}" if family.most_cap else "tokens or more"
        raise ConfigError(f"family {family.name!r} takes caps of {family.least_cap} {most}, found {tokens}.")
    nested: Any = tokens
    for key in reversed(family.cap):
        nested = {key: nested}
    return merged(family.beside_cap, nested)


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both, tables within them likewise; `other` wins where both have a value."""
    both = dict(one)
    for key, value in other.items():
        both[key] = merged(both[key], value) if isinstance(value, dict) and isinstance(both.get(key), dict) else value
    return both


def effort_fields(ask: Sample, endpoint: Endpoint) -> dict[str, Any]:
    """What an ask's effort and its cap add to the request; nothing for a cap that the client keeps itself.

    Beside a level, a cap gives way where both set the same field: a model told not to think keeps every cap.
    """
    effort = endpoint.model.effort(ask.source.effort)
    told = dict(endpoint.effort_bodies.get(ask.source.effort or "", {}))
    if ask.max_thinking_tokens is None or endpoint.family is None or cut_at(ask, endpoint.model) is not None:
        return told
    if effort is not None and effort.max_thinking_tokens is not None:
        return merged(told, cap_fields(endpoint.family, min(ask.max_thinking_tokens, effort.max_thinking_tokens)))
    return merged(cap_fields(endpoint.family, ask.max_thinking_tokens), told)


def refuse_unfit_cap(ask: Sample, endpoint: Endpoint) -> None:
    """See whether a cap on thought can be kept, and leaves room for an answer.

    Raises:
        ConfigError: It cannot, or does not; the message says what to do.
    """
    model, family, tokens = endpoint.model, endpoint.family, cap_of(ask, endpoint.model)
    if tokens is None:
        return
    refuse_without_room(tokens, model)
    if cut_at(ask, model) is not None:
        _refuse_uncut(ask, endpoint)
    elif family is not None and ask.max_thinking_tokens is not None:
        cap_fields(family, tokens)
        effort = model.effort(ask.source.effort)
        if family.cap_or_level and effort is not None and effort.kind == "level":
            raise ConfigError(f"family {family.name!r} takes a level or a cap, not both; ask {model.name!r} for the cap without an effort.")


def refuse_without_room(tokens: int, model: Model) -> None:
    """See whether a thought as long as a cap allows leaves room for an answer.

    Raises:
        ConfigError: It does not.
    """
    if tokens + ANSWER_ROOM > model.max_output_tokens:
        raise ConfigError(
            f"model {model.name!r}: a cap of {tokens} tokens on thought leaves no room for an answer in its {model.max_output_tokens} "
            f"output tokens. Allow {tokens + ANSWER_ROOM} max_output_tokens at least, or ask for a smaller cap."
        )


def cap_of(ask: Sample, model: Model) -> int | None:
    """Tokens of thought at most, by the ask and by its effort; None if neither caps it."""
    effort = model.effort(ask.source.effort)
    both = (ask.max_thinking_tokens, None if effort is None else effort.max_thinking_tokens)
    return min((tokens for tokens in both if tokens is not None), default=None)


def binds(ask: Sample, model: Model) -> bool:
    """Whether a cap ends thought before the ask itself cuts the text."""
    tokens = cap_of(ask, model)
    return tokens is not None and tokens < output_bound(ask, model)


def _refuse_uncut(ask: Sample, endpoint: Endpoint) -> None:
    """Cutting takes a model that can be continued, with a known mark behind its thought, and a thought that is at its beginning."""
    name = endpoint.model.name
    if "continue" not in endpoint.model.capabilities or not endpoint.closing:
        has = f"family {endpoint.family.name!r} has no hard cap" if endpoint.family else "no hard cap of its endpoint is known"
        raise ConfigError(
            f"model {name!r} is asked for a cap on thought: {has}. Name a family that has one, or let onedial cut the thought and "
            "close it, with the capability 'continue' and thinking_end = the mark behind a thought; an effort of kind 'cap' with its "
            "body is sent as it is."
        )
    if ask.continue_from or ask.in_steps:
        raise ConfigError(
            f"model {name!r}: a cap that is kept by cutting cannot be kept where a text is continued. Take an effort without one."
        )
