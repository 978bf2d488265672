"""`onedial import` and `onedial export`: recorded outcomes in and out of the store, and from other formats into a table.

What `onedial import litellm-config` does is in `litellm`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onedial.apps.litellm import NAMED, take_litellm
from onedial.apps.options import Json, opened
from onedial.apps.terminal import counted, screen, warn, write_json
from onedial.core.errors import ConfigError

if TYPE_CHECKING:
    from onedial.evals.importers.contract import Imported

FORMATS = "auto, table, inspect, lm-eval, routerbench, routellm or mapped; see docs/TABLES.md."
OUT = "Write a table into this folder instead of the store; with litellm-config, the file to write."
MAPPED = "A column by our name and its name there, as in query_id=qid; repeat it. Or the score to take: score=acc."


def import_table(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(help="File or folder with recorded outcomes; or litellm-config.", show_default=False)],
    file: Annotated[Path | None, typer.Argument(help="After litellm-config: a LiteLLM proxy's YAML file.", show_default=False)] = None,
    form: Annotated[str, typer.Option("--format", help=FORMATS)] = "auto",
    mapping: Annotated[list[str] | None, typer.Option("--map", help=MAPPED, show_default=False)] = None,
    model: Annotated[str | None, typer.Option(help="The model of all outcomes, where the source does not say.", show_default=False)] = None,
    effort: Annotated[str | None, typer.Option(help="Their thinking effort.", show_default=False)] = None,
    dataset: Annotated[str | None, typer.Option(help="The data set of all queries.", show_default=False)] = None,
    extract: Annotated[
        str | None, typer.Option(help="Read answers from responses: number, choice, boxed, words or text.", show_default=False)
    ] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Drop impossible token counts, costs and latencies, and say so.")] = False,
    out: Annotated[Path | None, typer.Option(help=OUT, show_default=False)] = None,
    force: Annotated[bool, typer.Option("--force", help="With litellm-config: replace an onedial.toml that exists.")] = False,
    json: Json = False,
) -> None:
    """Add outcomes that you already have to the store, or turn them into a table; or make an onedial.toml from a LiteLLM proxy's."""
    if file is not None:
        _refuse_unfit_file(source, file)
        take_litellm(file, out, force=force, json=json)
        return
    from onedial.evals.importers.contract import Choices
    from onedial.evals.importers.registry import import_path, importer_for
    from onedial.verifiers.extract import named_extractor

    choices = Choices(model, effort, dataset, _pairs(mapping or []), named_extractor(extract) if extract else None, repair)
    importer = importer_for(source, form, mapping=bool(mapping))
    imported = import_path(source, importer, choices)
    said = f"Read as {importer.name}: {importer.about}."
    if out is None:
        _into_store(ctx, imported, importer.name, said, json)
    else:
        _into_folder(out, imported, importer.name, said, json)


def _refuse_unfit_file(source: Path, file: Path) -> None:
    if str(source) != NAMED:
        raise ConfigError(f"{file} comes after {source}; expected one source of outcomes, or {NAMED} and a LiteLLM proxy's YAML file.")


def _into_store(ctx: typer.Context, imported: Imported, form: str, said: str, json: bool) -> None:
    from onedial.engine.transfer import take_in

    with opened(ctx) as dial:
        taken = take_in(imported.queries, imported.outcomes, dial.store_path)
        strangers = sorted(set(taken.models) - set(dial.pool.models))
    if json:
        write_json({"format": form, "taken": taken, "notes": imported.notes, "not_configured": strangers})
        return
    screen().print(said, soft_wrap=True)
    screen().print(
        f"Added {taken.new_outcomes:,} of {taken.outcomes:,} outcomes and {taken.new_queries:,} of {taken.queries:,} queries; "
        "the rest was there already.",
        soft_wrap=True,
    )
    for note in imported.notes:
        warn(note)
    if strangers:
        warn(f"Not in the configuration, and left out when fitting: {', '.join(strangers)}. Add them to onedial.toml with a price.")
    screen().print("Next: onedial fit")


def _into_folder(out: Path, imported: Imported, form: str, said: str, json: bool) -> None:
    from onedial.runtime.table import write_table

    write_table(out, imported.queries, imported.outcomes)
    queries, outcomes = len(imported.queries), len(imported.outcomes)
    if json:
        write_json({"format": form, "folder": out, "queries": queries, "outcomes": outcomes, "notes": imported.notes})
        return
    screen().print(said, soft_wrap=True)
    for note in imported.notes:
        warn(note)
    screen().print(f"Wrote {counted(outcomes, 'outcome')} of {queries:,} queries to {out}.", soft_wrap=True)


def _pairs(mapping: list[str]) -> dict[str, str]:
    """`ours=theirs`, each of ours once."""
    pairs: dict[str, str] = {}
    for text in mapping:
        ours, equals, theirs = text.partition("=")
        if not (ours and equals and theirs):
            raise ConfigError(f"--map {text} is not OUR_NAME=THEIR_NAME, as in --map query_id=qid.")
        if ours in pairs:
            raise ConfigError(f"--map {text}: {ours} is mapped to {pairs[ours]} already. Leave out one of them.")
        pairs[ours] = theirs
    return pairs


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
