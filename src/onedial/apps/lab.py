"""`onedial lab`: train, measure and export the embedded models, write their questions, and try claims on any models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onedial.apps.claims import claims
from onedial.apps.options import Json, Options
from onedial.apps.terminal import counted, screen, write_json
from onedial.core.errors import ConfigError, unknown

lab = typer.Typer(no_args_is_help=True, help="Train and measure the embedded models (internal scaling).")
lab.command()(claims)

Weights = Annotated[Path | None, typer.Option(help="Folder of the weights files; by default those of the package.", show_default=False)]
FORMATS = ("hf", "gguf")


@lab.command()
def train(
    shape: Annotated[str, typer.Option(help="Which size: tiny, small, medium or large.", show_default=False)],
    tokens: Annotated[float, typer.Option(help="Tokens to train on, such as 20e6.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder for weights and checkpoint; a run cut off goes on.", show_default=False)],
    ctx: typer.Context,
    init_from: Annotated[Path | None, typer.Option(help="Weights of the same or a smaller size to grow from.", show_default=False)] = None,
    warm_up: Annotated[float, typer.Option(help="First share spent mostly on look-ups; 0 for a grown model.")] = 0.12,
    lr_matrix: Annotated[float, typer.Option(help="Learning rate of matrices.")] = 0.02,
    lr_rest: Annotated[float, typer.Option(help="Learning rate of everything else.")] = 3e-3,
) -> None:
    """Train one embedded model on one core; needs the extra `train`."""
    from onedial.lab.shape import SHAPES

    if shape not in SHAPES:
        raise ConfigError(unknown("shape", shape, SHAPES))
    try:
        from onedial.lab import train as training
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ConfigError("training needs torch, which is not installed. Run: pip install 'onedial[train]'") from error
    settings = training.Settings(lr_matrix=lr_matrix, lr_rest=lr_rest, warm_up=warm_up)
    seed = ctx.ensure_object(Options).seed
    screen().print(str(training.train(SHAPES[shape], seed, int(tokens), out, init_from, settings)))


@lab.command("eval")
def evaluate(
    files: Annotated[list[Path] | None, typer.Argument(help="Weights files; by default those of the package.", show_default=False)] = None,
    per_cell: Annotated[int, typer.Option(help="Held-out questions of every family and difficulty.")] = 25,
    samples: Annotated[int, typer.Option(help="Samples per question and thinking level.")] = 8,
    out: Annotated[Path | None, typer.Option(help="Keep the numbers in this JSON file.", show_default=False)] = None,
    card: Annotated[Path | None, typer.Option(help="Write the model card to this file.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Measure embedded models on held-out questions of every family, difficulty and thinking level."""
    from onedial.lab import weights
    from onedial.lab.card import render
    from onedial.lab.measure import measure_files, save
    from onedial.runtime.whole import whole_file

    found = measure_files(files or list(weights.find().values()), per_cell, samples)
    text = render(found)
    if out is not None:
        save(found, out)
    if card is not None:
        with whole_file(card) as partial:
            partial.write_text(text, encoding="utf-8")
    if json:
        write_json(found)
    else:
        typer.echo(text)


@lab.command()
def export(
    model: Annotated[str, typer.Argument(help="Name of an embedded model.", show_default=False)],
    to: Annotated[Path, typer.Argument(help="A new folder for hf, a file for gguf.", show_default=False)],
    format: Annotated[str, typer.Option(help="hf (transformers, vLLM) or gguf (llama.cpp).")] = "hf",  # noqa: A002  the option's name
    weights: Weights = None,
) -> None:
    """Write an embedded model in the format of another runtime."""
    from onedial.lab.export import export_gguf, export_hf

    if format not in FORMATS:
        raise ConfigError(unknown("format", format, FORMATS))
    write = export_hf if format == "hf" else export_gguf
    screen().print(str(write(model, to, weights)))


@lab.command()
def prompts(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="File of JSON lines to write.", show_default=False)],
    n: Annotated[int, typer.Option("--n", help="How many.")] = 200,
    split: Annotated[str, typer.Option(help="train, certify or test; no two share a prompt.")] = "train",
    json: Json = False,
) -> None:
    """Write questions that the embedded models know, with references; the data set is the family."""
    from onedial.lab.prompts import lab_queries
    from onedial.runtime.prompts import write_prompts

    queries = lab_queries(n, split, ctx.ensure_object(Options).seed)
    write_prompts(out, queries)
    if json:
        write_json({"file": out, "prompts": len(queries)})
    else:
        screen().print(f"Wrote {counted(len(queries), 'prompt')} to {out}.")
