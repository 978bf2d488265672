"""`onedial verifiers`: how well each verifier tells right answers from wrong ones, on the outcomes collected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from onedial.apps.options import Json, money, opened
from onedial.apps.terminal import counted, listing, percent, screen, spent, stages, warn, write_json

if TYPE_CHECKING:
    from rich.table import Table

    from onedial.engine.verifiers import Verified
    from onedial.metrics.bootstrap import Interval

POINTS = 11
"""Points of a ROC curve that are printed as JSON."""


def verifiers(
    ctx: typer.Context,
    judge: Annotated[
        list[str] | None,
        typer.Option(help="Ask this judge too, as in pointwise=small/think=2 (or pairwise, listwise, generative). May be repeated."),
    ] = None,
    answers: Annotated[int, typer.Option(min=1, help="Sets of answers that each judge is asked about.")] = 100,
    budget: Annotated[str | None, typer.Option(help="Spend at most this on each judge, such as 0.5usd.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """See how well recorded scores, agreement, a learned verifier and judges tell right answers from wrong ones."""
    from onedial.engine.verifiers import ask_judge, recorded_verifiers

    cap = None if budget is None else money(budget)
    with opened(ctx) as dial, stages() as told:
        found = [*recorded_verifiers(dial), *(dial.block(ask_judge(dial, name, answers, cap, told)) for name in judge or ())]
    if json:
        write_json({"verifiers": [as_data(one) for one in found]})
        return
    out = screen()
    out.print(table(found))
    out.print()
    out.print(
        "AUC: the chance that a right answer scores above a wrong one; 50 % is chance, within: among the answers to one query. "
        "Accepted: a score of one half or more. Intervals are 95 %, by query.",
        soft_wrap=True,
    )
    for one in found:
        if one.unread:
            warn(f"{one.name}: {counted(one.unread, 'verdict')} could not be read and gave no score.")
        if one.trouble:
            warn(f"{one.name}: some answers have no verdict: {one.trouble}")


def as_data(one: Verified) -> dict[str, Any]:
    """One verifier, with some points of its ROC curve."""
    rated = one.rated
    last = len(rated.curve.threshold) - 1
    picked = sorted({round(i * last / (POINTS - 1)) for i in range(POINTS)})
    return {
        "verifier": one.name,
        "on": one.on,
        "auc": _flat(rated.auc),
        "auc_within_queries": _flat(rated.within),
        "p_accept_right": _flat(rated.p_accept_right),
        "p_accept_wrong": _flat(rated.p_accept_wrong),
        "right": rated.right,
        "wrong": rated.wrong,
        "unscored": rated.unscored,
        "unread": one.unread,
        "cost_usd": one.spend.cost_usd,
        "bounded": one.spend.usage.bounded,
        "trouble": one.trouble or None,
        "roc": [
            {"p_accept_wrong": float(rated.curve.p_accept_wrong[i]), "p_accept_right": float(rated.curve.p_accept_right[i])} for i in picked
        ],
    }


def table(found: list[Verified]) -> Table:
    """One row per verifier and what it was rated on."""
    shown = listing("verifier", ("AUC", "within", "right accepted", "wrong accepted", "scored", "cost"), "on")
    for one in found:
        rated, scored = one.rated, one.rated.right + one.rated.wrong
        numbers = [_interval(rate) for rate in (rated.auc, rated.within, rated.p_accept_right, rated.p_accept_wrong)]
        cost = spent(one.spend.cost_usd, one.spend.usage.bounded) if one.spend.usage.calls else "–"
        shown.add_row(one.name, *numbers, f"{scored:,} of {scored + rated.unscored:,}", cost, one.on)
    return shown


def _flat(rate: Interval) -> dict[str, float]:
    return {"estimate": rate.estimate, "low": rate.low, "high": rate.high}


def _interval(rate: Interval) -> str:
    """An estimate with its interval; a dash where there is none.

    >>> from onedial.metrics.bootstrap import Interval
    >>> _interval(Interval(0.75, 0.7, 0.8)), _interval(Interval(float("nan"), float("nan"), float("nan")))
    ('75.0 % [70, 80]', '–')
    """
    return "–" if rate.estimate != rate.estimate else f"{percent(rate.estimate)} [{100 * rate.low:.0f}, {100 * rate.high:.0f}]"
