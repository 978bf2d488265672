"""`onedial serve`: the pool behind one OpenAI-compatible address."""

from __future__ import annotations

import ipaddress
import os
from typing import TYPE_CHECKING, Annotated

import typer

from onedial.apps.options import Options, Quality, Within
from onedial.apps.terminal import aside
from onedial.core.errors import ConfigError, OnedialError
from onedial.core.objective import Objective

if TYPE_CHECKING:
    from onedial.apps.gateway.gateway import Gateway
    from onedial.runtime.config import ServeTable

QUIET = "warning"
BOOK = "spent.db"
"""What keys have spent, in the data folder."""


def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen at; another than this machine's own needs keys.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes any that is free.")] = 8080,
    quality: Quality = None,
    within: Within = None,
    cost: Annotated[float | None, typer.Option(help="Or: mean cost per query, in USD.", show_default=False)] = None,
) -> None:
    """Serve the pool as an OpenAI-compatible endpoint; the goal given here is met where a request asks for none."""
    import uvicorn

    from onedial.apps.gateway.app import app_of

    gateway = opened(ctx.ensure_object(Options), Objective(quality, within, cost))
    refuse_open(host, bool(gateway.door.keys))
    server = uvicorn.Server(uvicorn.Config(app_of(gateway), host=host, port=port, log_level=QUIET, access_log=False))
    aside().print(f'Serving {len(gateway.dial.pool.models)} models at http://{host}:{port}/v1; ask for the model "onedial".')
    try:
        aside().print(gateway.promise(gateway.default).sentence)
    except OnedialError as error:
        aside().print(f'Models can be asked by name; "onedial" not yet: {error}')
    server.run()
    if not server.started:
        raise ConfigError(f"http://{host}:{port} cannot be served; the port may be taken. Choose another with --port.")


def opened(options: Options, asked: Objective) -> Gateway:
    """The gateway of the configuration, or of the embedded models.

    Raises:
        ConfigError: The configuration, a key or the goal is wrong.
    """
    from onedial.apps.gateway.gateway import Gateway
    from onedial.apps.gateway.keys import Doorkeeper, keys_of
    from onedial.apps.workspace import load, serve_table
    from onedial.runtime.spend_book import SpendBook

    dial, table = load(options.config, options.data, options.seed), serve_table(options.config)
    book = SpendBook.open(dial.store_path.parent / BOOK) if table.keys else None
    keys = keys_of(table.keys, os.environ, dial.grant, book)
    return Gateway(dial, goal(asked, table), Doorkeeper(keys, dial.grant, book))


def goal(asked: Objective, table: ServeTable) -> Objective:
    """The goal of the command line, else of the file, else within two points of the reference arm.

    Raises:
        ConfigError: The file names several.
    """
    from onedial.engine.settings import WITHIN

    for found in (asked, Objective(table.quality, table.within, table.cost)):
        if (found.quality, found.within, found.budget_usd) != (None, None, None):
            return found
    return Objective(within=WITHIN)


def refuse_open(host: str, keyed: bool) -> None:
    """Let nobody from outside in without a key.

    Raises:
        ConfigError: The address is not this machine's own, and there are no keys.
    """
    try:
        own = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        own = False
    if not own and not keyed:
        raise ConfigError(
            f"{host} can be reached from outside, and no key is configured. Add [[serve.keys]] to onedial.toml, or serve at 127.0.0.1."
        )
