"""`onedial place`: let a model join the fit by a few of its outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from onedial.apps.options import Json, opened
from onedial.apps.terminal import counted, screen, write_json

if TYPE_CHECKING:
    from onedial.core.arm import Source
    from onedial.forecasts.onboard import Placed


def place(ctx: typer.Context, model: Annotated[str, typer.Argument(help="Name of the model, as configured.")], json: Json = False) -> None:
    """Let a model join the fit by its outcomes on some held-out prompts, without fitting again."""
    with opened(ctx) as dial:
        found, known = dial.place(model), dial.fitted.forecast.sources
    if json:
        write_json({"placed": [as_data(one, known) for one in found]})
        return
    out = screen()
    for one in found:
        out.print(_said(one, known), soft_wrap=True)
    out.print("Budgets are spent on it from now on. Before a quality is promised with it: onedial collect, onedial fit")


def as_data(one: Placed, known: tuple[Source, ...]) -> dict[str, Any]:
    """One source that has joined."""
    placement = one.placement
    return {
        "source": one.source,
        "probed_on": one.n,
        "like": known[placement.base],
        "mix": {str(source): share for source, share in zip(known, placement.mix.tolist(), strict=True)},
        "tokens_ratio": placement.tokens_ratio,
    }


def _said(one: Placed, known: tuple[Source, ...]) -> str:
    placement = one.placement
    like, share = known[placement.base], float(placement.mix[placement.base])
    shift = placement.line[0]
    how = "as often right as" if abs(shift) < 0.1 else "more often right than" if shift > 0 else "less often right than"
    return (
        f"{one.source}: placed by {counted(one.n, 'prompt')}; mostly like {like} ({100 * share:.0f} %), {how} "
        f"such a mix, with {placement.tokens_ratio:.2f} times its tokens."
    )
