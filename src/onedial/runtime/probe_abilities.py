"""Find out what a model can do, by one short ask each, within a grant. Nothing is claimed that a reply has not shown.

Several choices in one request are in `probe`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from onedial.core.arm import Source
from onedial.core.ask import Failure, Refusal, Sample, Samples
from onedial.core.errors import BudgetExhausted, ConfigError, ModelError, OnedialError, QueryError
from onedial.core.query import Message
from onedial.core.usage import Usage
from onedial.runtime.bound import worst_case
from onedial.runtime.driver import answer
from onedial.runtime.ledger import Grant
from onedial.runtime.openai import OpenAIClient
from onedial.runtime.owed import owed
from onedial.runtime.pool import Pool
from onedial.runtime.probe import CAPS, PROMPT, probe_choices

SHORT = CAPS[-1]
BEGUN, GOES_ON = "one, two, three, four, five, six, sev", "en"
"""Cut within a word, as no new turn begins; four tokens cannot hold it, so that a reply that begins with it has copied it."""
CONTINUED_TOKENS = 4
LONG = (Message("user", "Say yes. " + "word " * 1500),)
"""Longer than the 1,024 tokens from which hosted models cache a prompt."""
LONG_NEEDS_TOKENS = 4096


@dataclass(slots=True)
class Abilities:
    """What was shown; what was not shown may be there all the same.

    Attributes:
        capabilities: Those shown, of `n`, `logprobs`, `continue` and `cache`.
        counts_one_choice: Whether usage counts one of several choices; None if it was not shown.
        thinks: Whether a thought was seen.
        no_usage: Whether a reply came without usage.
        remarks: A sentence for each that was refused, failed, or was not paid for.
    """

    capabilities: list[str] = field(default_factory=list)
    counts_one_choice: bool | None = None
    thinks: bool = False
    no_usage: bool = False
    remarks: list[str] = field(default_factory=list)


async def probe_abilities(client: OpenAIClient, plain: OpenAIClient, name: str, grant: Grant) -> Abilities:
    """Ask for a word, two choices, log-probabilities, the rest of a word, and one long prompt twice.

    Args:
        client: Serves the model, which is taken to have all these capabilities and no efforts.
        plain: The same with `n` alone, as an endpoint may refuse log-probabilities and return several choices.
        name: Of the model.
        grant: What may be spent; what it cannot cover is not asked.

    Raises:
        OnedialError: The first ask failed or could not be paid.
    """
    found, pool, source = Abilities(), Pool([client]), Source(name)
    hello = Sample("probe", source, PROMPT, max_tokens=SHORT)
    first = _brought(await answer(hello, pool, grant))
    found.thinks, found.no_usage = _thinks(first), first.usage.bounded
    await _choices(plain, name, grant, found)
    sure = Sample("probe", source, PROMPT, max_tokens=SHORT, logprobs=True)
    replies = [first, await _asked(sure, pool, grant, "logprobs", found)]
    if replies[1] and replies[1].completions[0].logprobs:
        found.capabilities.append("logprobs")
    rest = Sample("probe", source, PROMPT, max_tokens=CONTINUED_TOKENS, temperature=0.0, continue_from=BEGUN)
    reply = await _asked(rest, pool, grant, "continue", found)
    if reply and (_text(reply).startswith(GOES_ON) or not client.sends_only_new(name)):
        found.capabilities.append("continue")
    if any(one and one.usage.cached_tokens for one in replies) or await _caches(pool, name, grant, found):
        found.capabilities.append("cache")
    return found


async def probe_levels(client: OpenAIClient, name: str, labels: Iterable[str], grant: Grant) -> tuple[dict[str, bool], list[str]]:
    """Ask once at each thinking level.

    Returns:
        Per level that was accepted whether a thought was seen, and a sentence for each other one.
    """
    accepted, pool, found = dict[str, bool](), Pool([client]), Abilities()
    for label in labels:
        ask = Sample("probe", Source(name, label), PROMPT, max_tokens=SHORT)
        reply = await _asked(ask, pool, grant, f"thinking level {label}", found)
        if reply:
            accepted[label] = _thinks(reply)
    return accepted, found.remarks


async def _choices(client: OpenAIClient, name: str, grant: Grant, found: Abilities) -> None:
    """Two choices in one request, settled at what they took."""
    model, ask = client.models[name], Sample("probe", Source(name), PROMPT, n=2, max_tokens=SHORT)
    worst = worst_case(ask, model, client.input_tokens(ask))
    try:
        held = grant.reserve(worst, model.price.cost_usd(worst))
    except BudgetExhausted:
        found.remarks.append("n: not asked, as the budget does not cover it.")
        return
    used = worst
    try:
        probed = await probe_choices(client, name)
        used = probed.usage
    except OnedialError as error:
        told = owed(error)
        used = told.usage if told else Usage()
        found.remarks.append(f"n: {error}")
        return
    finally:
        held.settle(used, model.price.cost_usd(used))
    found.capabilities += ["n"] if probed.returns_n else []
    found.counts_one_choice = probed.counts_one_choice


async def _caches(pool: Pool, name: str, grant: Grant, found: Abilities) -> bool:
    """Whether a long prompt that is sent again is reported as cached."""
    if pool.model(name).context_tokens < LONG_NEEDS_TOKENS:
        return False
    ask = Sample("probe", Source(name), LONG, max_tokens=SHORT)
    if not await _asked(ask, pool, grant, "cache", found):
        return False
    again = await _asked(ask, pool, grant, "cache", found)
    return bool(again and again.usage.cached_tokens)


async def _asked(ask: Sample, pool: Pool, grant: Grant, what: str, found: Abilities) -> Samples | None:
    """A reply; None where there is none, which is remarked on."""
    try:
        return _brought(await answer(ask, pool, grant))
    except BudgetExhausted:
        found.remarks.append(f"{what}: not asked, as the budget does not cover it.")
    except (ConfigError, ModelError, QueryError) as error:
        found.remarks.append(f"{what}: {error}")
    return None


def _brought(reply: Samples | Failure | Refusal) -> Samples:
    if isinstance(reply, Refusal):
        raise BudgetExhausted(reply.reason)
    if isinstance(reply, Failure):
        raise ModelError(reply.message)
    return reply


def _text(reply: Samples) -> str:
    return reply.completions[0].text + reply.completions[0].thinking


def _thinks(reply: Samples) -> bool:
    return any(completion.thinking or completion.thinking_tokens for completion in reply.completions)
