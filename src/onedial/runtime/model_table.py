"""One entry of `[[models]]` in `onedial.toml`, read and checked, to an endpoint. The rest of the file is in `config`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from onedial.core.errors import ConfigError, unknown
from onedial.core.model import Model
from onedial.core.usage import Price
from onedial.runtime.efforts import Asked, cap, level, prompted
from onedial.runtime.endpoint import CACHE_FROM_TOKENS, CONCURRENCY, Endpoint
from onedial.runtime.families import Family
from onedial.runtime.prices import list_price
from onedial.runtime.thinking import family_of, refuse_without_room

CAPABILITIES = ("n", "logprobs", "seed", "continue", "cache")
SET_BY_ONEDIAL = ("model", "messages", "n", "max_tokens", "max_completion_tokens", "stream")

Word = Annotated[str, Meta(min_length=1)]
Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[float, Meta(ge=0)]


class Wrong(Exception):
    """A key and what is wrong with it; the file is added by `config.load_config`."""


class PriceTable(msgspec.Struct):
    """USD per million tokens."""

    input: NotNegative
    output: NotNegative
    cached: NotNegative | None = None


class EffortTable(msgspec.Struct):
    """One setting of the thinking dial; `prompt` goes with kind `prompt`, `max_thinking_tokens` with kind `cap`."""

    kind: Literal["level", "cap", "prompt"] = "level"
    body: dict[str, Any] | None = None
    prompt: Word | None = None
    max_thinking_tokens: Positive | None = None


class ModelTable(msgspec.Struct):
    """One entry of `[[models]]`."""

    name: Word
    url: Word
    model: Word | None = None
    api_key_env: Word | None = None
    price: PriceTable | None = None
    context_tokens: Positive = 8192
    max_output_tokens: Positive = 1024
    capabilities: list[str] = field(default_factory=list)
    family: Word | None = None
    thinking_start: str | None = None
    thinking_end: Word | None = None
    timeout_s: Annotated[float, Meta(gt=0)] = 300.0
    retries: Annotated[int, Meta(ge=0)] = 3
    concurrency: Positive = CONCURRENCY
    cache_from_tokens: Positive = CACHE_FROM_TOKENS
    usage_counts_one_choice: bool | None = None
    efforts: dict[str, EffortTable] = field(default_factory=dict)


def endpoint_of(table: ModelTable, at: str) -> Endpoint:
    """Check an entry and make its endpoint.

    Args:
        table: The entry.
        at: Its key in the file, for errors.

    Raises:
        Wrong: A value is out of place, or a price, a level or a cap is not known.
    """
    refuse_unfit_name(f"{at}.name", table.name)
    refuse_unfit_url(f"{at}.url", table.url)
    for capability in table.capabilities:
        refuse_other(f"{at}.capabilities", "capability", capability, CAPABILITIES)
    try:
        family = family_of(table.url, table.model or table.name, table.family)
    except ConfigError as error:
        raise Wrong(f"{at}.family: {error}") from None
    asked = {label: _asked(f"{at}.efforts.{label}", label, effort, table, family) for label, effort in table.efforts.items()}
    return Endpoint(
        model=_model(table, at, asked, family),
        url=table.url,
        upstream=table.model or table.name,
        api_key_env=table.api_key_env,
        effort_bodies={label: body for label, (_, body) in asked.items()},
        effort_prompts={label: effort.prompt for label, effort in table.efforts.items() if effort.prompt},
        thinking_end=table.thinking_end,
        timeout_s=table.timeout_s,
        retries=table.retries,
        usage_counts_one_choice=table.usage_counts_one_choice,
        thinking_start=table.thinking_start,
        family=family,
        concurrency=table.concurrency,
        cache_from_tokens=table.cache_from_tokens,
    )


def _model(table: ModelTable, at: str, asked: dict[str, Asked], family: Family | None) -> Model:
    own = {"thinking_cap"} if family is not None and family.cap else set()
    capabilities, efforts = frozenset({*table.capabilities, *own}), tuple(effort for effort, _ in asked.values())
    model = Model(table.name, _price(table, at), efforts, table.context_tokens, table.max_output_tokens, capabilities)
    for effort in efforts:
        try:
            if effort.max_thinking_tokens is not None:
                refuse_without_room(effort.max_thinking_tokens, model)
        except ConfigError as error:
            raise Wrong(f"{at}.efforts.{effort.label}.max_thinking_tokens: {error}") from None
    return model


def _price(table: ModelTable, at: str) -> Price:
    """The price as written, else the list price of the provider that the address belongs to."""
    if table.price is not None:
        return Price(table.price.input, table.price.output, table.price.cached)
    upstream = table.model or table.name
    listed = list_price(upstream, table.url, table.context_tokens)
    if listed is None:
        raise Wrong(
            f"{at}.price: no list price is known for {upstream!r} at {table.url}. Write it in USD per million tokens, "
            "as in price = { input = 0.5, output = 1.5 }; for a machine of your own, what a million tokens cost you there."
        )
    return listed


def _asked(at: str, label: str, effort: EffortTable, table: ModelTable, family: Family | None) -> Asked:
    """An effort and the fields that ask for it."""
    _refuse_unfit_effort(at, label, effort)
    marked = table.thinking_end or (family.closing if family else "")
    try:
        if effort.kind == "prompt":
            return prompted(label, effort.body)
        if effort.max_thinking_tokens is None:
            return level(label, effort.body, family)
        can_cut = "continue" in table.capabilities and bool(marked)
        return cap(label, effort.max_thinking_tokens, effort.body, family, can_cut=can_cut)
    except ConfigError as error:
        raise Wrong(f"{at}: {error}") from None


def refuse_other(at: str, noun: str, name: str, known: Any) -> None:
    """Raise `Wrong` for a name that is not known."""
    if name not in known:
        raise Wrong(f"{at}: {unknown(noun, name, known)}")


def refuse_unfit_url(at: str, url: str) -> None:
    """Raise `Wrong` for what is no address."""
    if not re.match(r"https?://[^/]", url):
        raise Wrong(f"{at}: {url!r} is not an address; expected one like 'http://localhost:8000/v1'.")


def refuse_unfit_name(at: str, name: str) -> None:
    """Raise `Wrong` for a name that arm ids such as `small/think=2/vote=8` cannot hold."""
    if not name or re.search(r"[/=+\s]", name):
        raise Wrong(f"{at}: {name!r} is part of arm ids like 'small/think=2'; expected no '/', '=', '+' or white space. Write another one.")


def _refuse_unfit_effort(at: str, label: str, effort: EffortTable) -> None:
    refuse_unfit_name(at, label)
    for key in SET_BY_ONEDIAL:
        if key in (effort.body or {}):
            raise Wrong(f"{at}.body.{key}: {key!r} is set by onedial for every request, and priced before it is sent. Remove it.")
    for kind, key, value in (("prompt", "prompt", effort.prompt), ("cap", "max_thinking_tokens", effort.max_thinking_tokens)):
        if (effort.kind == kind) != (value is not None):
            must = "needs" if effort.kind == kind else "has no use for"
            raise Wrong(f"{at}.{key}: an effort of kind {effort.kind!r} {must} {key!r}.")
