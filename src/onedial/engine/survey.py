"""Find out what endpoints have, and make entries of `onedial.toml` of it. What is asked of a model is in `runtime.probe_abilities`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from onedial.core.errors import ConfigError, ModelError, OnedialError, unknown
from onedial.core.usage import Usage
from onedial.runtime.config_text import ASSUMED_CONTEXT, ASSUMED_OUTPUT, Entry, free_name
from onedial.runtime.ledger import Budget, Grant
from onedial.runtime.listing import Listed, listed
from onedial.runtime.model_table import EffortTable, ModelTable, PriceTable, Wrong, endpoint_of, refuse_unfit_url
from onedial.runtime.openai import OpenAIClient
from onedial.runtime.probe_abilities import Abilities, probe_abilities, probe_levels
from onedial.runtime.thinking import BY_NAME, family_of

MOST_MODELS = 16
UNPRICED_TOKENS = 20_000
"""Tokens that probing a model without a known price may take."""
OWN_SERVERS = {"vllm": "vllm", "sglang": "sglang", "llamacpp": "llama.cpp"}
"""Families by how servers of one's own name themselves."""
THINKING_OUTPUT = 8192
PROBED = ("n", "logprobs", "continue")
TIMEOUT_S, RETRIES = 60.0, 1


@dataclass(frozen=True, slots=True)
class Address:
    """An endpoint to look at: base address, and the environment variable that holds its key."""

    url: str
    api_key_env: str | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found.

    Attributes:
        entries: One per model that answered.
        failed: A sentence per model that did not.
        cost_usd: Spent on models whose price is known.
        usage: Used in all.
        unpriced_tokens: Of that, on models whose price is not known.
    """

    entries: tuple[Entry, ...]
    failed: tuple[str, ...]
    cost_usd: float
    usage: Usage
    unpriced_tokens: int


async def survey(addresses: Sequence[Address], models: Collection[str], budget_usd: float, env: Mapping[str, str] = os.environ) -> Survey:
    """List the models of some endpoints and ask each model a little.

    Args:
        addresses: Where to look.
        models: Names there that are wanted; all if empty.
        budget_usd: What asking may cost, where prices are known; a model without one is held to `UNPRICED_TOKENS`.
        env: Where keys are looked up.

    Raises:
        ConfigError: An address is none, a key is not there, a wanted model is not listed, or too many are.
        ModelError: An endpoint does not list its models, or no model answered.
    """
    found = [(address, one) for address in addresses for one in await _listed(address, env)]
    drafts = _drafts(_wanted(found, models))
    priced, unpriced = Grant(Budget(usd=budget_usd)), [Grant(Budget(tokens=UNPRICED_TOKENS)) for _ in drafts]
    grants = [priced if draft.priced else own for (draft, _), own in zip(drafts, unpriced, strict=True)]
    tried = [_tried(draft, one, grant, env) for (draft, one), grant in zip(drafts, grants, strict=True)]
    results = await asyncio.gather(*tried)
    entries = tuple(result for result in results if isinstance(result, Entry))
    failed = tuple(result for result in results if isinstance(result, str))
    if not entries:
        raise ModelError(f"no model answered, so nothing was written. {' '.join(failed)}")
    usage = sum((grant.usage for grant in unpriced), priced.usage)
    return Survey(entries, failed, priced.spent.usd, usage, sum(grant.usage.tokens for grant in unpriced))


async def _listed(address: Address, env: Mapping[str, str]) -> tuple[Listed, ...]:
    import aiohttp

    try:
        refuse_unfit_url("the address", address.url)
    except Wrong as error:
        raise ConfigError(str(error)) from None
    key = env.get(address.api_key_env, "") if address.api_key_env else ""
    if address.api_key_env and not key:
        raise ConfigError(f"{address.url} needs a key and there is none. Set the environment variable {address.api_key_env}.")
    async with aiohttp.ClientSession() as session:
        return await listed(session, address.url, {"Authorization": f"Bearer {key}"} if key else {})


def _wanted(found: list[tuple[Address, Listed]], models: Collection[str]) -> list[tuple[Address, Listed]]:
    names = {one.name for _, one in found}
    for name in models:
        if name not in names:
            raise ConfigError(f"--model: {unknown('model', name, names)}")
    kept = [pair for pair in found if not models or pair[1].name in models]
    if not kept:
        raise ModelError("the endpoint lists no model. Start it with one.")
    if len(kept) > MOST_MODELS:
        listing = ", ".join(sorted(names))
        raise ConfigError(f"{len(kept)} models are listed, and at most {MOST_MODELS} are asked. Name those wanted with --model: {listing}.")
    return kept


def _drafts(found: list[tuple[Address, Listed]]) -> list[tuple[Entry, Listed]]:
    drafts: list[tuple[Entry, Listed]] = []
    for address, one in found:
        name = free_name(one.name, [draft.name for draft, _ in drafts])
        drafts.append((Entry(name, address.url, one.name, address.api_key_env, context_tokens=one.context_tokens), one))
    return drafts


async def _tried(draft: Entry, one: Listed, grant: Grant, env: Mapping[str, str]) -> Entry | str:
    """The entry, or why there is none."""
    try:
        async with aclosing(_client(draft, env, PROBED)) as able, aclosing(_client(draft, env, ("n",))) as plain:
            found = await probe_abilities(able, plain, draft.name, grant)
        family, efforts, remarks = await _efforts(draft, one, grant, env)
    except OnedialError as error:
        return f"{one.name} at {draft.url}: left out. {error}"
    thinks = found.thinks or bool(efforts)
    return replace(
        draft,
        max_output_tokens=_output(one.context_tokens, thinks=thinks),
        capabilities=tuple(found.capabilities),
        family=family,
        efforts=efforts,
        usage_counts_one_choice=found.counts_one_choice,
        remarks=_remarks(one, found, remarks),
    )


async def _efforts(draft: Entry, one: Listed, grant: Grant, env: Mapping[str, str]) -> tuple[str | None, tuple[str, ...], list[str]]:
    """The family to write, the levels that it was shown to take, and what is to be said of them.

    A hosted model's family is known by its address. A server of one's own may ignore the switch in silence, so there a thought must
    be seen with it on, and none with it off.
    """
    hosted = family_of(draft.url, draft.upstream)
    own = OWN_SERVERS.get(one.owner.lower())
    family = hosted or (BY_NAME[own] if own else None)
    if family is None or not family.levels:
        return None, (), []
    told = replace(draft, family=family.name, efforts=tuple(family.levels))
    async with aclosing(_client(told, env)) as client:
        accepted, remarks = await probe_levels(client, draft.name, family.levels, grant)
    if hosted:
        return None, tuple(accepted), remarks
    if accepted.get("full") and accepted.get("none") is False:
        return family.name, tuple(accepted), [*remarks, f"A hard cap on thought needs, at the server: {family.needs}."]
    return None, (), [*remarks, f"The thinking switch of the family {family.name!r} showed no effect, so no efforts are written."]


def _client(draft: Entry, env: Mapping[str, str], capabilities: Sequence[str] = ()) -> OpenAIClient:
    """A client for one model as it is supposed to be; where its price is not known it costs nothing here, and tokens are held instead."""
    table = ModelTable(
        name=draft.name,
        url=draft.url,
        model=draft.upstream,
        api_key_env=draft.api_key_env,
        price=None if draft.priced else PriceTable(0.0, 0.0),
        context_tokens=draft.context_tokens or ASSUMED_CONTEXT,
        capabilities=list(capabilities),
        family=draft.family,
        efforts={label: EffortTable() for label in draft.efforts},
        timeout_s=TIMEOUT_S,
        retries=RETRIES,
    )
    return OpenAIClient([endpoint_of(table, draft.name)], env=env)


def _output(context: int | None, *, thinks: bool) -> int | None:
    """Room for a thought where there is one, but never more than half of the context."""
    wanted, half = THINKING_OUTPUT if thinks else ASSUMED_OUTPUT, (context or ASSUMED_CONTEXT) // 2
    return min(wanted, max(1, half)) if thinks or half < ASSUMED_OUTPUT else None


def _remarks(one: Listed, found: Abilities, more: Sequence[str]) -> tuple[str, ...]:
    missing = [name for name in (*PROBED, "cache") if name not in found.capabilities]
    lines = [
        f"{one.name}: shown by asking: {', '.join(found.capabilities) or 'nothing more'}; not shown: {', '.join(missing) or 'nothing'}."
    ]
    if found.no_usage:
        lines.append("It reports no usage, so every ask is charged at an upper bound.")
    return (*lines, *found.remarks, *more)
