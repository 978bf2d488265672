"""`onedial collect`: sample outcomes from the models, resumable."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onedial.apps.options import Json, Options, opened
from onedial.apps.terminal import collecting, counted, screen, spent, warn, write_json
from onedial.core.errors import ConfigError, ModelError
from onedial.core.query import Query

if TYPE_CHECKING:
    from onedial.engine.collect import Report
    from onedial.engine.dial import Dial

INTERRUPTED = 130


def collect(
    ctx: typer.Context,
    prompts: Annotated[
        Path | None,
        typer.Argument(help="JSON lines with prompts and references; without, what is stored.", show_default=False),
    ] = None,
    samples: Annotated[int | None, typer.Option(help="Per prompt, model and effort; 4, or as configured.", show_default=False)] = None,
    models: Annotated[str, typer.Option(help="Names of the models to ask, separated by commas; by default all.", show_default=False)] = "",
    budget: Annotated[float | None, typer.Option(help="Most that may be spent, in USD.", show_default=False)] = None,
    concurrency: Annotated[int, typer.Option(help="Asks under way at a time.")] = 8,
    lab: Annotated[int | None, typer.Option(help="Take this many of the lab's questions instead of a file.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Ask every model about every prompt and keep what comes; run it again to go on where it stopped."""
    queries = _queries(prompts, lab, ctx.ensure_object(Options).seed)
    names = [name.strip() for name in models.split(",") if name.strip()]
    with opened(ctx) as dial:
        try:
            with collecting(costs=True) as told:
                run = dial.collect(queries, samples=samples, models=names, budget_usd=budget, concurrency=concurrency, progress=told)
                report = dial.block(run)
        except KeyboardInterrupt:
            warn(f"Interrupted. What has come is in {dial.store_path}; run the same command again to go on.")
            raise typer.Exit(INTERRUPTED) from None
        if report.failed and not report.stored:
            raise ModelError(f"none of {counted(report.failed, 'sample')} came. {next(iter(report.troubles))}")
        if json:
            write_json({"report": report, "missing": report.missing, "store": dial.store_path})
        else:
            show(report, dial)


def _queries(prompts: Path | None, lab: int | None, seed: int) -> list[Query]:
    from onedial.runtime.prompts import read_prompts

    if lab is None:
        return read_prompts(prompts) if prompts is not None else []
    if prompts is not None:
        raise ConfigError(f"both a file of prompts, {prompts}, and --lab {lab} were given; expected one of them.")
    from onedial.lab.prompts import lab_queries

    return lab_queries(lab, "train", seed)


def show(report: Report, dial: Dial) -> None:
    """Print what came, what did not and why, and what comes next."""
    out = screen()
    had = f" ({report.present:,} were there already)" if report.present else ""
    cost = spent(report.spent_usd, report.bounded)
    out.print(f"Stored {counted(report.stored, 'sample')} of {report.wanted:,} wanted{had} for {cost}, in {dial.store_path}.")
    for trouble, n in report.troubles.items():
        warn(f"{counted(n, 'sample')} did not come: {trouble}")
    for trouble, n in report.unjudged.items():
        warn(f"verdicts are missing after {counted(n, 'ask')}: {trouble}")
    if report.refused:
        warn(f"{counted(report.refused, 'sample')} did not fit the budget. Run the same command again with more, or fit what is there.")
    elif report.failed:
        warn("Run the same command again to ask for what did not come.")
    out.print("Next: onedial fit")
