"""`onedial run`: carry a plan out under its budget, resumable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onedial.apps.options import Json, money, opened
from onedial.apps.terminal import bars, counted, percent, screen, spent, usd, warn, write_json
from onedial.core.errors import ModelError

if TYPE_CHECKING:
    from onedial.engine.batch import BatchReport

INTERRUPTED = 130
INCOMPLETE = 1
SHOWN = 5


def run(
    ctx: typer.Context,
    plan: Annotated[Path, typer.Argument(help="A plan made by `onedial plan`.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(help="Where answers go, as they come; by default beside the plan.", show_default=False)
    ] = None,
    budget: Annotated[str | None, typer.Option(help="Most that all may cost; by default the plan's.", show_default=False)] = None,
    adaptive: Annotated[bool, typer.Option("--adaptive", help="Decide again after every answer, at what is left.")] = False,
    concurrency: Annotated[int, typer.Option(help="Queries under way at a time.")] = 8,
    json: Json = False,
) -> None:
    """Answer every query of a plan; run it again to go on where it stopped. Exit code 1 if any is left without an answer."""
    from onedial.engine.batch import run_plan
    from onedial.engine.plan import Plan

    total = None if budget is None else money(budget)
    found, path = Plan.load(plan), out or plan.with_suffix(".answers.jsonl")
    with opened(ctx) as dial:
        try:
            with answering() as told:
                job = run_plan(found, dial, path, budget_usd=total, adaptive=adaptive, concurrency=concurrency, progress=told)
                report = dial.block(job)
        except KeyboardInterrupt:
            warn(f"Interrupted. What has come is in {path}; run the same command again to go on.")
            raise typer.Exit(INTERRUPTED) from None
    if report.failed and not report.answered and not report.present:
        raise ModelError(f"none of {report.planned:,} queries has an answer: {next(iter(report.failed.values()))}")
    if json:
        write_json({"report": report, "missing": report.missing, "answers": path})
    else:
        show(report, path)
    if report.missing:
        raise typer.Exit(INCOMPLETE)


@contextmanager
def answering() -> Iterator[Callable[[BatchReport], None]]:
    """Show how far it is and what it has cost."""
    with bars("{task.fields[spent]}") as shown:
        task = shown.add_task("answer", total=None, spent=usd(0))

        def told(report: BatchReport) -> None:
            done = report.present + report.answered
            cost = f"{spent(report.spent_usd, report.bounded)} of {usd(report.planned_usd)}"
            shown.update(task, total=report.planned, completed=done, spent=cost)

        yield told


def show(report: BatchReport, path: Path) -> None:
    """Print what was spent against the plan, how many are right where that is known, and what has no answer and why."""
    out = screen()
    had = f" ({report.present:,} were there already)" if report.present else ""
    answered = report.present + report.answered
    out.print(f"Answered {answered:,} of {report.planned:,} queries{had}, in {path}.", soft_wrap=True)
    out.print(f"Spent {spent(report.spent_usd, report.bounded)}; the plan forecast {usd(report.planned_usd)}.")
    mean, graded = report.scores
    if graded:
        out.print(f"Right: {percent(mean)} of {counted(graded, 'answer')} whose reference is known.")
    for reason, n in Counter(report.failed.values()).most_common():
        warn(f"No answer for {_some([name for name, why in report.failed.items() if why == reason], n)}: {reason}")
    if report.failed:
        warn("Run the same command again to ask once more for what failed.")
    if report.refused:
        warn(
            f"No answer for {_some(report.refused, len(report.refused))}: what is left of the budget does not cover the worst case. "
            "Run the same command again with a higher --budget, or with --adaptive."
        )


def _some(ids: Sequence[str], n: int) -> str:
    """The first few ids, and how many more there are."""
    return ", ".join(ids[:SHOWN]) + (f" and {n - SHOWN:,} more" if n > SHOWN else "")
