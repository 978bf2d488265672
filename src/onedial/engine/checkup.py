"""Look whether what a dial needs is there: models that answer, an outcome store, a fit that uses models there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from onedial.core.arm import Source
from onedial.core.ask import Failure, Refusal, Sample
from onedial.core.errors import OnedialError
from onedial.core.model import SCORES, Model
from onedial.core.query import Message
from onedial.engine.dial import Dial
from onedial.runtime.driver import answer
from onedial.runtime.openai import OpenAIClient
from onedial.runtime.probe import probe_choices
from onedial.runtime.store import Store

HELLO = (Message("user", "Say yes."),)
MAX_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        what: Its name.
        state: `well`; `missing` where it is yet to be made; `broken`.
        found: What was found.
        advice: What to do; empty where all is well.
        cost_usd: What looking cost.
    """

    what: str
    state: Literal["well", "missing", "broken"]
    found: str
    advice: str = ""
    cost_usd: float = 0.0


async def check_model(dial: Dial, name: str) -> Check:
    """Ask a model something short, once; one that should return several choices, for two of them, counting its tokens."""
    model, client, what = dial.pool.model(name), dial.pool.client(name), f"model {name}"
    if SCORES in model.capabilities:
        return Check(what, "well", "gives scores and answers nothing, so it was not asked")
    try:
        if isinstance(client, OpenAIClient) and "n" in model.capabilities:
            return await _check_choices(client, model)
        reply = await answer(Sample("checkup", Source(name, model.labels()[0]), HELLO, max_tokens=MAX_TOKENS), dial.pool, dial.grant)
    except OnedialError as error:
        return Check(what, "broken", str(error), "Correct its entry in the configuration, or start its endpoint.")
    if isinstance(reply, Refusal):
        return Check(what, "broken", reply.reason)
    if isinstance(reply, Failure):
        return Check(what, "broken", reply.message, "Start its endpoint, or correct its url.", reply.cost_usd)
    said = f"answered in {reply.latency_s:.2f} s ({reply.usage.input_tokens} prompt and {reply.usage.output_tokens} output tokens)"
    return Check(what, "well", f"{said}; {described(model)}", cost_usd=reply.cost_usd)


async def _check_choices(client: OpenAIClient, model: Model) -> Check:
    found = await probe_choices(client, model.name)
    what, cost = f"model {model.name}", model.price.cost_usd(found.usage)
    if not found.returns_n:
        return Check(what, "broken", "returned one choice where two were asked for", "Remove 'n' from its capabilities.", cost)
    if found.counts_one_choice:
        advice = "Write usage_counts_one_choice = true into its entry."
        return Check(what, "broken", "reports the tokens of one choice where two were returned", advice, cost)
    counts = "counts the tokens of all choices" if found.counts_one_choice is False else "does not show whether it counts all choices"
    return Check(what, "well", f"returned two choices in one request and {counts}; {described(model)}", cost_usd=cost)


def described(model: Model) -> str:
    """What a model costs and can do, in a few words."""
    price = model.price
    per = f"USD {price.input_usd_per_mtok:.3g} and {price.output_usd_per_mtok:.3g} per million prompt and output tokens"
    efforts = f"; thinking {', '.join(effort.label for effort in model.efforts)}" if model.efforts else ""
    return f"{per}; can {', '.join(sorted(model.capabilities)) or 'nothing more'}{efforts}"


def check_store(dial: Dial) -> Check:
    """Open the outcome store, if there is one."""
    path = dial.store_path
    if not path.exists():
        return Check("outcomes", "missing", f"{path} does not exist", "Run `onedial collect`, or `onedial import`.")
    try:
        with Store.open(path) as store:
            queries, outcomes = len(store.queries()), sum(held.samples for held in store.counts().values())
    except OnedialError as error:
        return Check("outcomes", "broken", str(error), "Name another folder with --data, or move the file away.")
    return Check("outcomes", "well", f"{outcomes:,} of {queries:,} queries in {path}")


def check_fit(dial: Dial) -> Check:
    """Read the fit, if there is one, and see whether its models are in the pool."""
    if not dial.fit_path.exists():
        return Check("fit", "missing", f"{dial.fit_path} does not exist", "Run `onedial fit` once there are outcomes.")
    try:
        fit = dial.fitted
    except OnedialError as error:
        return Check("fit", "broken", str(error), "Run `onedial fit` again.")
    return Check("fit", "well", f"{dial.fit_path}, reference arm {fit.reference}, {len(fit.forecast.sources)} sources")
