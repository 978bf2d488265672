"""`onedial doctor`: is everything there and working, and what to do where it is not."""

from __future__ import annotations

import platform
import re
from importlib import metadata
from typing import TYPE_CHECKING

import typer

from onedial import __version__
from onedial.apps.options import Json, Options, opened
from onedial.apps.terminal import screen, usd, write_json
from onedial.core.errors import OnedialError

if TYPE_CHECKING:
    from onedial.engine.checkup import Check
    from onedial.engine.dial import Dial

MARKS = {"well": ("✓", "green"), "missing": ("–", "yellow"), "broken": ("✗", "red")}
BROKEN = 1


def doctor(ctx: typer.Context, json: Json = False) -> None:
    """Look at the configuration, ask every model something tiny, and at the outcomes, the fit and the installation."""
    checks = [_packages(), *_checked(ctx)]
    well = all(check.state != "broken" for check in checks)
    if json:
        write_json({"well": well, "checks": checks, "cost_usd": sum(check.cost_usd for check in checks)})
    else:
        show(checks)
    if not well:
        raise typer.Exit(BROKEN)


def _checked(ctx: typer.Context) -> list[Check]:
    from onedial.engine.checkup import Check, check_fit, check_store

    try:
        dial = opened(ctx)
    except OnedialError as error:
        return [Check("configuration", "broken", str(error), "Correct the file; nothing else can be looked at before.")]
    with dial:
        return [_configuration(ctx, dial), *dial.block(_models(dial)), check_store(dial), check_fit(dial)]


async def _models(dial: Dial) -> list[Check]:
    import asyncio

    from onedial.engine.checkup import check_model

    return list(await asyncio.gather(*(check_model(dial, name) for name in dial.pool.models)))


def _configuration(ctx: typer.Context, dial: Dial) -> Check:
    from onedial.apps.workspace import CONFIG
    from onedial.engine.checkup import Check

    path, models = ctx.ensure_object(Options).config or CONFIG, ", ".join(dial.pool.models)
    found = f"{path}: {models}" if path.exists() else f"no {CONFIG}, so the embedded models are used: {models}"
    return Check("configuration", "well", found)


def _packages() -> Check:
    """Python and every package that onedial requires, with their versions."""
    from onedial.engine.checkup import Check

    versions, missing = [f"onedial {__version__}", f"Python {platform.python_version()}"], []
    for name in _required():
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check("installation", "broken", f"{', '.join(missing)} not installed", f"Run: pip install {' '.join(missing)}")
    return Check("installation", "well", ", ".join(versions))


def _required() -> list[str]:
    try:
        listed = metadata.requires("onedial") or []
    except metadata.PackageNotFoundError:  # run from the source tree
        return []
    return [re.split(r"[^\w.-]", requirement)[0] for requirement in listed if "extra ==" not in requirement]


def show(checks: list[Check]) -> None:
    """Print a line per check, with what to do where something is to be done."""
    from rich.text import Text

    out = screen()
    for check in checks:
        mark, colour = MARKS[check.state]
        cost = f" (asking cost {usd(check.cost_usd)})" if check.cost_usd else ""
        out.print(Text.assemble((mark, colour), " ", (check.what, "bold"), f": {check.found}{cost}"), soft_wrap=True)
        if check.advice:
            out.print(Text(f"  {check.advice}", colour), soft_wrap=True)
