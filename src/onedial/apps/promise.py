"""`onedial promise`: what is certified, on which labels, and how many more outcomes it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from onedial.apps.options import Json, Quality, Within, opened
from onedial.apps.terminal import counted, listing, percent, screen, usd, write_json
from onedial.core.errors import TargetUnreachable
from onedial.core.objective import Objective

if TYPE_CHECKING:
    from rich.table import Table

    from onedial.engine.dial import Dial
    from onedial.engine.promise import Promise

POINTS = (0.0, 0.01, 0.02, 0.05)


def promise(
    ctx: typer.Context,
    quality: Quality = None,
    within: Within = None,
    delta: Annotated[float, typer.Option(help="Chance that a promise is wrong, at most.")] = 0.1,
    json: Json = False,
) -> None:
    """Say what is promised for a goal; without one, for four distances to the reference arm."""
    with opened(ctx) as dial:
        if quality is not None or within is not None:
            found = dial.promise(Objective(quality=quality, within=within), delta)
            rows, reference = [], str(dial.fitted.reference)
        else:
            rows, reference = ladder(dial, delta), str(dial.fitted.reference)
    if json:
        write_json({"reference": reference, "promises": rows} if rows else as_data(found))
    elif rows:
        screen().print(table(rows, reference))
    else:
        show(found)


def ladder(dial: Dial, delta: float) -> list[dict[str, Any]]:
    """The promise for each of `POINTS`; where the pool cannot reach one, why."""
    rows: list[dict[str, Any]] = []
    for within in POINTS:
        try:
            rows.append({"within": within} | as_data(dial.promise(Objective(within=within), delta)))
        except TargetUnreachable as error:
            rows.append({"within": within, "certified": False, "sentence": str(error)})
    return rows


def as_data(found: Promise) -> dict[str, Any]:
    """One promise, flat."""
    certificate = found.certificate
    return {
        "certified": certificate is not None and certificate.certified,
        "serves": "reference arm" if found.mixture is None else f"policy {found.mixture.low + 1}",
        "quality": found.quality,
        "cost_usd": found.cost_usd,
        "outcomes_needed": None if certificate is None else certificate.outcomes_needed,
        "sentence": found.sentence,
        "certificate": certificate,
    }


def show(found: Promise) -> None:
    """Print one promise."""
    out = screen()
    out.print(found.sentence, soft_wrap=True)
    out.print(f"To expect, from held-out queries: {percent(found.quality)} right for {usd(found.cost_usd)} per query.")
    certificate = found.certificate
    if certificate is not None:
        needed = certificate.outcomes_needed
        more = f"; about {counted(needed, 'more outcome')} needed" if needed is not None else ""
        tested = f"{certificate.test} test on {certificate.n:,} held-out queries with {certificate.label_kind} labels"
        out.print(f"Tested: {tested}{more}. Policy {certificate.policy_hash}.", soft_wrap=True)


def table(rows: list[dict[str, Any]], reference: str) -> Table:
    """One row per distance to the reference arm."""
    found = listing("at most below", ("certified", "served", "right", "cost per query", "more outcomes needed"))
    found.title = f"reference arm: {reference}"
    for row in rows:
        points = f"{100 * row['within']:.4g} points"
        if "quality" not in row:
            found.add_row(points, "no", "out of reach", "", "", "")
            continue
        needed = row["outcomes_needed"]
        more = "" if row["certified"] else "would not help" if needed is None else f"about {needed:,}"
        found.add_row(points, "yes" if row["certified"] else "no", row["serves"], percent(row["quality"]), usd(row["cost_usd"]), more)
    return found
