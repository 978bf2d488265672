"""`onedial import` and `onedial export`: outcome tables as Parquet, in and out of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onedial.apps.options import Json, opened
from onedial.apps.terminal import counted, screen, warn, write_json


def import_table(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(help="Folder with queries.parquet and outcomes.parquet, or one of them.", show_default=False)],
    repair: Annotated[bool, typer.Option("--repair", help="Drop impossible token counts, costs and latencies, and say so.")] = False,
    json: Json = False,
) -> None:
    """Add outcomes that you already have to the store."""
    from onedial.engine.transfer import take_in

    with opened(ctx) as dial:
        taken = take_in(source.parent if source.suffix == ".parquet" else source, dial.store_path, repair=repair)
        strangers = sorted(set(taken.models) - set(dial.pool.models))
    if json:
        write_json({"taken": taken, "not_configured": strangers})
        return
    screen().print(
        f"Added {taken.new_outcomes:,} of {taken.outcomes:,} outcomes and {taken.new_queries:,} of {taken.queries:,} queries; "
        "the rest was there already.",
        soft_wrap=True,
    )
    for said in taken.repaired:
        warn(said)
    if taken.without_prompt:
        warn(f"{taken.without_prompt:,} queries without a prompt were left out; they cannot be forecast.")
    if strangers:
        warn(f"Not in the configuration, and left out when fitting: {', '.join(strangers)}. Add them to onedial.toml with a price.")
    screen().print("Next: onedial fit")


def export_table(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where to write queries.parquet and outcomes.parquet.", show_default=False)],
    json: Json = False,
) -> None:
    """Write everything in the store as Parquet."""
    from onedial.engine.transfer import hand_over

    with opened(ctx) as dial:
        handed = hand_over(dial.store_path, folder)
    if json:
        write_json({"folder": folder, **handed._asdict()})
    else:
        screen().print(f"Wrote {counted(handed.outcomes, 'outcome')} of {handed.queries:,} queries to {folder}.")
