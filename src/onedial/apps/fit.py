"""`onedial fit`: from the outcome store to frozen policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from onedial.apps.options import Json, opened
from onedial.apps.terminal import cores, counted, listing, percent, screen, stages, usd, write_json

if TYPE_CHECKING:
    from rich.table import Table

    from onedial.engine.fitted import Fit, Rungs

SHOWN = 6


def fit(ctx: typer.Context, json: Json = False) -> None:
    """Fit forecasts and policies to the outcomes collected; some queries are kept apart for what is promised."""
    with opened(ctx) as dial:
        with stages() as told:
            found = dial.fit(told, cores()).fit
        if json:
            write_json(as_data(found) | {"fit": dial.fit_path})
        else:
            show(found)


def as_data(fit: Fit) -> dict[str, Any]:
    """What was fitted, in means over queries."""
    return {
        "digest": fit.digest,
        "sources": fit.forecast.sources,
        "arms": [str(arm) for arm in fit.arms],
        "learner": fit.forecast.learner,
        "max_draws": fit.max_draws,
        "label_kind": fit.label_kind,
        "seed": fit.seed,
        "reference": fit.reference,
        "train": means(fit.train),
        "held_out": means(fit.proof),
        "worths": fit.worths,
    }


def means(rungs: Rungs) -> dict[str, Any]:
    """Mean quality and cost of the reference arm and of every rung."""
    return {
        "queries": rungs.quality.shape[1],
        "reference": {"quality": rungs.reference_quality.mean(), "cost_usd": rungs.reference_cost_usd.mean()},
        "rungs": [
            {"quality": quality, "cost_usd": cost}
            for quality, cost in zip(rungs.quality.mean(axis=1), rungs.cost_usd.mean(axis=1), strict=True)
        ],
    }


def show(fit: Fit) -> None:
    """Print what was fitted on what, and what it reaches."""
    out, on = screen(), (fit.train.quality.shape[1], fit.proof.quality.shape[1])
    models = dict.fromkeys(source.model for source in fit.forecast.sources)
    out.print(
        f"Fitted on {on[0]:,} queries; {on[1]:,} others are kept for what is promised. "
        f"{counted(len(models), 'model')} ({', '.join(models)}), {counted(len(fit.forecast.sources), 'source')}, "
        f"up to {counted(max(fit.max_draws), 'sample')} each, {fit.label_kind} labels. "
        f"Success is forecast by {fit.forecast.learner}. Reference arm: {fit.reference}.",
        soft_wrap=True,
    )
    out.print()
    out.print(table(fit))
    out.print()
    out.print("Next: onedial promise, onedial ask, onedial report")


def table(fit: Fit) -> Table:
    """The reference arm, and some policies from thrifty to lavish, on both splits."""
    found = listing("per query", ("right in training", "cost", "right held out", "cost"))
    sides = (fit.train, fit.proof)
    found.add_row("reference arm", *_cells([(s.reference_quality.mean(), s.reference_cost_usd.mean()) for s in sides]))
    last = fit.worths.size - 1
    for rung in dict.fromkeys(round(i * last / (SHOWN - 1)) for i in range(SHOWN)):
        named = {0: "most thrifty policy", last: "most lavish policy"}.get(rung, f"policy {rung + 1} of {last + 1}")
        found.add_row(named, *_cells([(s.quality[rung].mean(), s.cost_usd[rung].mean()) for s in sides]))
    return found


def _cells(sides: list[tuple[float, float]]) -> list[str]:
    return [text for quality, cost in sides for text in (percent(quality), usd(cost))]
