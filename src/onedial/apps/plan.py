"""`onedial plan`: one arm for every query of a file, chosen together under one budget or for one quality."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onedial.apps.options import Json, Quality, Within, money, opened
from onedial.apps.terminal import counted, listing, percent, screen, stages, usd, warn, write_json

if TYPE_CHECKING:
    from rich.table import Table

    from onedial.engine.plan import Plan

SHOWN = 15


def plan(
    ctx: typer.Context,
    queries: Annotated[Path, typer.Argument(help="JSON lines with prompts.", show_default=False)],
    budget: Annotated[str | None, typer.Option(help="For all queries together: 5usd, $5 or 5.", show_default=False)] = None,
    quality: Quality = None,
    within: Within = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the plan; by default beside the queries.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Choose an arm for every query, all of them together, and write it down; nothing is asked yet."""
    from onedial.engine.plan import make_plan
    from onedial.runtime.prompts import read_prompts

    total = None if budget is None else money(budget)
    asked, path = read_prompts(queries), out or queries.with_suffix(".plan.jsonl")
    with opened(ctx) as dial, stages() as told:
        found = make_plan(dial, asked, budget_usd=total, quality=quality, within=within, progress=told)
        found.save(path)
    if json:
        write_json(as_data(found) | {"plan": path})
    else:
        show(found, path)


def as_data(found: Plan) -> dict[str, Any]:
    """The plan in sums and means."""
    aim = found.aim
    return {
        "queries": len(found.entries),
        "budget_usd": aim.budget_usd,
        "target": aim.quality,
        "quality": found.quality,
        "cost_usd": found.cost_usd,
        "worst_usd": found.worst_usd,
        "worth": aim.worth,
        "more_quality_per_usd": aim.more_quality,
        "arms": [{"arm": arm, "queries": n} for arm, n in found.arms().most_common()],
        "digest": found.digest,
    }


def show(found: Plan, path: Path) -> None:
    """Print who gets what, what is expected of it, and what comes next."""
    out, aim, n = screen(), found.aim, len(found.entries)
    out.print(table(found))
    out.print()
    goal = f"for {usd(aim.budget_usd)} in all" if aim.budget_usd is not None else f"for {percent(aim.quality or 0.0)} right"
    out.print(
        f"Planned {n:,} queries {goal}. Forecast, not promised: {percent(found.quality)} right for {usd(found.cost_usd)}; "
        f"at most {usd(found.worst_usd)}, if every answer is as long as it may be.",
        soft_wrap=True,
    )
    out.print(margin(found), soft_wrap=True)
    if aim.budget_usd is not None and found.worst_usd > aim.budget_usd:
        warn("The budget is hard: if answers come out longer than forecast, the last ones are refused, and run says which.")
    out.print(f"Next: onedial run {path}", soft_wrap=True)


def margin(found: Plan) -> str:
    """What one more USD would buy."""
    more, worth = found.aim.more_quality, found.aim.worth
    if worth == float("inf"):
        return "Every query has the best arm that there is for it: more money would buy nothing."
    return f"A right answer more costs {usd(worth)} at the margin; one more USD would buy about {more:.3g} of {len(found.entries):,}."


def table(found: Plan) -> Table:
    """One row per arm, the most frequent first."""
    shown = listing("arm", ("queries", "right, forecast", "cost each", "cost"))
    rows = found.arms().most_common()
    for arm, count in rows[:SHOWN]:
        own = [entry for entry in found.entries if entry.arm == arm]
        cost = sum(entry.cost_usd for entry in own)
        shown.add_row(str(arm), f"{count:,}", percent(sum(entry.quality for entry in own) / count), usd(cost / count), usd(cost))
    if len(rows) > SHOWN:
        shown.add_row(f"{counted(len(rows) - SHOWN, 'other arm')}", f"{sum(count for _, count in rows[SHOWN:]):,}", "", "", "")
    return shown
