"""`onedial init`: look at endpoints, and write an `onedial.toml` of what they have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onedial.apps.litellm import ask_for_prices
from onedial.apps.options import Json, money
from onedial.apps.terminal import counted, screen, spent, usd, warn, write_json
from onedial.core.errors import ConfigError

if TYPE_CHECKING:
    from onedial.engine.survey import Address, Survey

KEY = "Environment variable that holds the key; with several addresses one for each, in their order, '' for none."


def init(
    urls: Annotated[list[str], typer.Argument(help="Base addresses, as http://localhost:8000/v1.", show_default=False)],
    key_env: Annotated[list[str] | None, typer.Option(help=KEY, show_default=False)] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="A model there that is wanted; repeat it. All, if none.", show_default=False)
    ] = None,
    budget: Annotated[str, typer.Option(help="What asking may cost in USD, in all.")] = "0.05usd",
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("onedial.toml"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    json: Json = False,
) -> None:
    """Ask endpoints what they have and can do, a few short asks per model, and write an onedial.toml."""
    import asyncio

    from onedial.engine.survey import survey
    from onedial.runtime.config_text import config_text, refuse_taken, write_config

    refuse_taken(out, force=force)
    found = asyncio.run(survey(_addresses(urls, key_env or []), model or [], money(budget)))
    write_config(out, config_text(found.entries, _heading(urls, found)))
    if json:
        unpriced = [entry.name for entry in found.entries if not entry.priced]
        write_json({"file": out, "prices_to_fill_in": unpriced, "found": found})
    else:
        _show(out, found)


def _addresses(urls: Sequence[str], keys: Sequence[str]) -> list[Address]:
    """Every address with its own key: one that belongs to another is never sent.

    Raises:
        ConfigError: It is not clear which key belongs where.
    """
    from onedial.engine.survey import Address

    if keys and len(keys) != len(urls):
        found = f"{counted(len(urls), 'URL')} and {len(keys)} --key-env"
        raise ConfigError(f"{found}; expected one for each, in the same order, so that no key is sent elsewhere; '' for none.")
    return [Address(url, key or None) for url, key in zip(urls, keys or [""] * len(urls), strict=True)]


def _heading(urls: Sequence[str], found: Survey) -> list[str]:
    lines = [
        f"Written by onedial init, from {', '.join(urls)}. {_spent(found)}",
        "A capability that is not listed was not shown; add it where you know better (docs/ENGINES.md), and look with `onedial doctor`.",
        *found.failed,
    ]
    unpriced = [entry.name for entry in found.entries if not entry.priced]
    return [*lines, f"FILL IN the price of {', '.join(unpriced)}: the file is not accepted before."] if unpriced else lines


def _spent(found: Survey) -> str:
    tokens = f", and {found.unpriced_tokens:,} tokens of models whose price is not known" if found.unpriced_tokens else ""
    return f"Asking took {counted(found.usage.calls, 'call')} and cost {spent(found.cost_usd, found.usage.bounded)}{tokens}."


def _show(out: Path, found: Survey) -> None:
    for entry in found.entries:
        price = entry.price or entry.listed
        cost = f"{usd(price.input_usd_per_mtok)} and {usd(price.output_usd_per_mtok)} per million tokens" if price else "price not known"
        efforts = f"; thinking {', '.join(entry.efforts)}" if entry.efforts else ""
        can = ", ".join(entry.capabilities) or "nothing more"
        screen().print(f"{entry.name}: {cost}; can {can}{efforts}", soft_wrap=True, markup=False)
    for sentence in found.failed:
        warn(sentence)
    screen().print(f"Wrote {counted(len(found.entries), 'model')} to {out}. {_spent(found)}", soft_wrap=True, markup=False)
    ask_for_prices(out, [entry.name for entry in found.entries if not entry.priced])
