"""`onedial arms`: every arm, its price and what its model can do, or why it is absent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from onedial.apps.options import Json, opened
from onedial.apps.terminal import listing, screen, warn, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from onedial.engine.offer import Offered
    from onedial.forecasts.level_tokens import Used


def arms(ctx: typer.Context, json: Json = False) -> None:
    """List every arm, its price and what its model can do, or why it is absent."""
    from onedial.engine.offer import offered

    with opened(ctx) as dial:
        found = offered(dial)
    if json:
        write_json({"arms": [as_data(one) for one in found]})
        return
    out = screen()
    out.print(models(found))
    out.print()
    out.print(sources(found))
    reasons: dict[str, list[str]] = {}
    for one in found:
        if one.absent:
            reasons.setdefault(one.absent, []).append(str(one.arm))
    for reason, names in reasons.items():
        more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
        warn(f"absent: {', '.join(names[:3])}{more}: {reason}")


def as_data(one: Offered) -> dict[str, Any]:
    """One arm, flat."""
    arm, model = one.arm, one.model
    return {
        "arm": arm,
        "model": model.name,
        "effort": arm.source.effort,
        "strategy": arm.strategy,
        "n": arm.n,
        "price": model.price,
        "capabilities": model.capabilities,
        "context_tokens": model.context_tokens,
        "max_output_tokens": model.max_output_tokens,
        "available": not one.absent,
        "absent": one.absent or None,
        "latency_s": None if one.latency_s is None else dict(zip(("p50", "p95"), one.latency_s, strict=True)),
        "tokens": one.tokens,
    }


def models(found: Sequence[Offered]) -> Table:
    """One row per model: its price and what it can do."""
    shown = listing("model", ("prompt", "cached", "output", "context"), "can")
    shown.title = "USD per million tokens"
    for model in {one.model.name: one.model for one in found}.values():
        price = model.price
        cached = price.input_usd_per_mtok if price.cached_usd_per_mtok is None else price.cached_usd_per_mtok
        prices = (price.input_usd_per_mtok, cached, price.output_usd_per_mtok)
        able = ", ".join(sorted(model.capabilities)) or "–"
        shown.add_row(model.name, *(f"{p:.3g}" for p in prices), f"{model.context_tokens:,}", able)
    return shown


def sources(found: Sequence[Offered]) -> Table:
    """One row per source, with the tokens of and the wait for one sample, and its arms that can be chosen.

    Tokens with a `~` are learned from other levels and models alone.
    """
    shown = listing("source", ("tokens", "95 % up to", "half within", "95 % within"), "arms")
    for source in dict.fromkeys(one.arm.source for one in found):
        own = [one for one in found if one.arm.source == source]
        waits = next((one.latency_s for one in own if one.arm.n == 1), None)
        told = (*counts(own[0].tokens), *((f"{s:.3g} s" for s in waits) if waits else ("–", "–")))
        shown.add_row(str(source), *told, strategies(own))
    return shown


def counts(used: Used | None) -> tuple[str, str]:
    """Tokens of a sample: the mean, and what nineteen of twenty stay within."""
    if used is None:
        return "–", "–"
    return f"{'' if used.queries else '~'}{used.mean:,.0f}", f"{used.most:,.0f}"


def strategies(own: Sequence[Offered]) -> str:
    """The strategies and counts that can be chosen, such as `direct, vote 2 4 8`."""
    counts: dict[str, list[str]] = {}
    for one in own:
        if not one.absent:
            counts.setdefault(one.arm.strategy, []).append(str(one.arm.n))
    named = (name if name == "direct" else f"{name} {' '.join(ns)}" for name, ns in counts.items())
    return ", ".join(named) or "none"
