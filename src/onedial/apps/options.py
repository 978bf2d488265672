"""Options that commands share: the global ones, given before the command, and those that mean the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onedial.core.errors import ConfigError

if TYPE_CHECKING:
    from onedial.engine.dial import Dial

AS_JSON = "onedial.json"
"""Key under which the context remembers that JSON is wanted, for errors too."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was given before the command.

    Attributes:
        config: `--config`.
        data: `--data`.
        seed: `--seed`.
    """

    config: Path | None = None
    data: Path | None = None
    seed: int = 0


def opened(ctx: typer.Context) -> Dial:
    """Open the dial that the global options name.

    Raises:
        ConfigError: The configuration is missing or wrong.
    """
    from onedial.apps.workspace import load

    options = ctx.ensure_object(Options)
    return load(options.config, options.data, options.seed)


def money(text: str) -> float:
    """Read an amount of USD, written as 5usd, $5 or 5.

    Raises:
        ConfigError: It is none, or not positive.

    >>> money("5usd"), money("$0.50"), money("1e-3 USD")
    (5.0, 0.5, 0.001)
    """
    bare = text.strip().lower().removeprefix("$").removesuffix("usd").strip()
    try:
        amount = float(bare)
    except ValueError:
        amount = 0.0
    if not 0 < amount < float("inf"):
        raise ConfigError(f"{text!r} is no budget; expected a positive amount of USD, as in 5usd, $5 or 0.25.")
    return amount


def _remember(ctx: typer.Context, value: bool) -> bool:
    ctx.meta[AS_JSON] = value
    return value


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, errors too.", callback=_remember)]
Quality = Annotated[float | None, typer.Option(help="Mean quality wanted, in (0, 1]: 0.92 is 92 % right.", show_default=False)]
Within = Annotated[float | None, typer.Option(help="Or: at most this far below the reference arm: 0.02 is 2 points.", show_default=False)]
