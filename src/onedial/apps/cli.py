"""The command `onedial`: global options, and where each command is registered. What commands do is not here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from onedial import __version__
from onedial.apps.arms import arms
from onedial.apps.ask import ask
from onedial.apps.bench import bench
from onedial.apps.collect import collect
from onedial.apps.demo import demo
from onedial.apps.doctor import doctor
from onedial.apps.fit import fit
from onedial.apps.init import init
from onedial.apps.lab import lab
from onedial.apps.options import AS_JSON, Options
from onedial.apps.place import place
from onedial.apps.plan import plan
from onedial.apps.promise import promise
from onedial.apps.report import report
from onedial.apps.run import run
from onedial.apps.serve import serve
from onedial.apps.tables import export_table, import_table
from onedial.apps.terminal import show_error
from onedial.apps.verifiers import verifiers
from onedial.core.errors import OnedialError

FAILED = 2


class Shell(TyperGroup):
    """A group of commands in which an error of onedial is one message and exit code 2."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # typer's own context
        """Run the command that was named."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # here, where a reader that has gone is no error
        except OnedialError as error:
            show_error(error, as_json=bool(ctx.meta.get(AS_JSON)))
            raise typer.Exit(FAILED) from None
        return result


app = typer.Typer(
    cls=Shell,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"onedial {__version__}")
        raise typer.Exit


@app.callback()
def onedial(
    ctx: typer.Context,
    config: Annotated[Path | None, typer.Option(help="Configuration file; by default onedial.toml here.", show_default=False)] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of outcomes and fit.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(help="Of splits, coins and the embedded models' samples.")] = 0,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Say how often you want to be right, or what you want to spend; every query gets the model, thinking and samples for it.

    Without a configuration file the embedded models are used. Start with `onedial demo`.
    """
    ctx.obj = Options(config, data, seed)


USE, LEARN, LOOK = "Answer", "Learn from outcomes", "Look"
app.command(rich_help_panel=USE)(demo)
app.command(rich_help_panel=USE)(init)
app.command(rich_help_panel=USE)(ask)
app.command(rich_help_panel=USE)(plan)
app.command(rich_help_panel=USE)(run)
app.command(rich_help_panel=USE)(serve)
app.command(rich_help_panel=LEARN)(collect)
app.command("import", rich_help_panel=LEARN)(import_table)
app.command("export", rich_help_panel=LEARN)(export_table)
app.command(rich_help_panel=LEARN)(fit)
app.command(rich_help_panel=LEARN)(place)
app.command(rich_help_panel=LOOK)(promise)
app.command(rich_help_panel=LOOK)(report)
app.command(rich_help_panel=LOOK)(bench)
app.command(rich_help_panel=LOOK)(arms)
app.command(rich_help_panel=LOOK)(verifiers)
app.command(rich_help_panel=LOOK)(doctor)
app.add_typer(lab, name="lab", rich_help_panel="Embedded models")


def main() -> None:
    """Run the command line."""
    app(prog_name="onedial")
