"""`onedial ask`: one prompt, its answer, and how it came about."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onedial.apps.options import Json, Quality, Within, opened
from onedial.apps.terminal import counted, listing, percent, screen, usd, write_json
from onedial.core.objective import Objective
from onedial.core.query import Query

if TYPE_CHECKING:
    from rich.table import Table

    from onedial.core.answer import Candidate
    from onedial.core.decision import Decision, Outlook
    from onedial.engine.promise import Promise
    from onedial.engine.solve import Solved

WIDEST_ANSWER = 40


def ask(
    ctx: typer.Context,
    prompt: Annotated[str, typer.Argument(help="What to ask; - reads it from standard input.", show_default=False)],
    quality: Quality = None,
    within: Within = None,
    budget: Annotated[float | None, typer.Option(help="Or: mean cost per query, in USD.", show_default=False)] = None,
    cap: Annotated[float | None, typer.Option(help="Most that this query may cost, in USD.", show_default=False)] = None,
    max_calls: Annotated[int | None, typer.Option(help="Most calls for this query.", show_default=False)] = None,
    before: Annotated[bool, typer.Option("--before", help="Decide everything before the first token.")] = False,
    json: Json = False,
) -> None:
    """Answer one prompt at the quality or the budget asked for; by default, within 2 points of the reference arm."""
    from onedial.engine.settings import WITHIN

    if quality is None and within is None and budget is None:
        within = WITHIN
    objective = Objective(quality, within, budget, cap, max_calls, "before" if before else "anytime")
    query = Query.of(sys.stdin.read().strip() if prompt == "-" else prompt)
    with opened(ctx) as dial:
        promised = dial.promise(objective)
        solved = dial.block(dial.solve_for(query, objective, promised))
    if json:
        write_json(as_data(solved, promised))
    else:
        show(solved, promised)


def as_data(solved: Solved, promised: Promise) -> dict[str, Any]:
    """Everything that a program would read."""
    answer = solved.answer
    return {
        "text": answer.text,
        "answer": answer.answer,
        "quality": solved.quality,
        "stopped": answer.stopped,
        "query": solved.query,
        "spend": answer.spend,
        "candidates": answer.candidates,
        "decisions": solved.decisions,
        "drawn": [
            {"arm": decision.arm, "candidates": len(block.candidates), "spend": block.spend, "trouble": block.trouble}
            for decision, block in zip(solved.decisions, solved.drawn, strict=False)
        ],
        "promise": promised,
    }


def show(solved: Solved, promised: Promise) -> None:
    """Print the answer first, then how it came about."""
    from rich.padding import Padding
    from rich.text import Text

    answer, out = solved.answer, screen()
    out.print(Padding(Text(answer.text or "", "bold"), (1, 2)), soft_wrap=True)
    if answer.answer is not None and answer.answer != (answer.text or "").strip():
        out.print(Text(f"read as {answer.answer}"), soft_wrap=True)
    out.print(path(solved))
    usage = answer.spend.usage
    lines = {
        "spent": f"{usd(answer.spend.cost_usd)} for {counted(usage.calls, 'call')}: "
        f"{usage.input_tokens:,} prompt tokens ({usage.cached_tokens:,} cached), "
        f"{usage.output_tokens:,} output tokens ({usage.thinking_tokens:,} thinking){', at most' if usage.bounded else ''}",
        "stopped": answer.stopped,
        "promised": promised.sentence,
    }
    for name, said in lines.items():
        out.print(Text.assemble((f"{name:9}", "bold"), said), soft_wrap=True)


def path(solved: Solved) -> Table:
    """Every block drawn: what was asked, what it should bring, what it cost and what came."""
    table = listing("asked", ("right before", "expected after", "expected cost", "cost"), "came")
    for i, (decision, block) in enumerate(zip(solved.decisions, solved.drawn, strict=False), 1):
        chosen = outlook_of(decision)
        after, expected = ("", "") if chosen is None else (percent(chosen.quality), usd(chosen.cost_usd))
        came = block.trouble if not block.candidates else tally(block.candidates)
        table.add_row(f"{i} {decision.arm}", percent(decision.quality), after, expected, usd(block.spend.cost_usd), came)
    return table


def outlook_of(decision: Decision) -> Outlook | None:
    """The forecast of what was chosen; None for a fixed arm, which forecasts nothing."""
    return next((one for one in decision.outlooks if one.arm == decision.arm), None)


def tally(candidates: tuple[Candidate, ...]) -> str:
    """The answers of a block with their votes, most frequent first."""
    votes = Counter(_short(c.answer) for c in candidates)
    return ", ".join(answer if n == 1 else f"{answer} ×{n}" for answer, n in votes.most_common())


def _short(answer: str | None) -> str:
    if answer is None:
        return "no answer"
    return answer if len(answer) <= WIDEST_ANSWER else answer[: WIDEST_ANSWER - 1] + "…"
