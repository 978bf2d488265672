"""The report: one page that needs no network, the picture, and the findings that both are drawn from."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from html import escape
from pathlib import Path
from typing import NamedTuple

from onedial.evals.report import page, panels, rows
from onedial.evals.report.figure import svg, write_png
from onedial.evals.report.findings import ExchangeRow, Findings, MatchedRow, PromiseRow
from onedial.evals.report.style import POLICY_LABEL, Money
from onedial.runtime.whole import whole_file

NONE = "–"
PER_1000 = "Cost per 1,000 queries"
READING = (
    ("Quality", "the share of held-out queries answered right; a fixed arm is worth its mean over subsets of the recorded samples."),
    ("Cost", "every prompt, thinking and output token at its price, those of failed asks too, in USD per 1,000 queries."),
    ("Fixed arm", "one model, one thinking level, one strategy and one number of samples for all queries."),
    ("Best fixed arm", "for a target, the cheapest fixed arm that met it on the training queries."),
    ("Hull of fixed arms", "what randomising between two fixed arms can reach; choosing per query is worth its trouble only above it."),
    ("Model only", "the model is chosen per query, everything else is the best shared setting: routing."),
    ("Compute only", "one model; thinking, strategy, samples and stopping are chosen per query: adaptive test-time compute."),
    ("Joint", "all of it is chosen per query, by one rule."),
    ("Oracle", "per query the cheapest arm of the best quality, chosen on one half of its samples and scored on the other."),
    ("Equal quality", "costs are read off each policy's frontier at the quality that the best fixed arm reaches on held-out queries."),
    ("Interval", "95 %, from resampling the held-out queries, the same ones for all policies."),
    ("Certificate", "a test on outcomes that the policy has not seen; it holds with the confidence named, or says what is missing."),
    ("Calibration", "of the queries for which a chance of 80 % was forecast, 80 % should be right; ECE is the mean distance from that."),
)  # fmt: skip


class ReportFiles(NamedTuple):
    """Where a report was written."""

    html: Path
    png: Path
    json: Path


def write_report(findings: Findings, folder: Path) -> ReportFiles:
    """Write `report.html`, `report.png` and `findings.json` into a folder, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    files = ReportFiles(folder / "report.html", folder / "report.png", folder / "findings.json")
    for path, text in ((files.json, findings.to_json()), (files.html, html(findings))):
        with whole_file(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    write_png(findings, files.png)
    return files


def html(findings: Findings) -> str:
    """Write the page; parts for which there are no findings are left out."""
    return page.page(findings.title, _sections(findings))


def _sections(findings: Findings) -> Iterator[str]:
    yield _header(findings)
    if findings.arms or findings.lines:
        yield _picture(findings)
    if findings.matched:
        yield _matched(findings)
    if findings.promises:
        yield _promises(findings)
    if findings.shares:
        yield _shares(findings)
    if findings.reliability:
        yield _calibration(findings)
    if findings.exchange:
        yield _exchange(findings)
    if findings.notes:
        notes = "".join(f"<li>{escape(note)}</li>" for note in findings.notes)
        yield page.section("Notes", "", f"<ul>{notes}</ul>")
    reading = "".join(f"<dt>{escape(word)}</dt><dd>{escape(meaning)}</dd>" for word, meaning in READING)
    yield page.section("How to read this", "", f"<dl>{reading}</dl>")
    yield "<footer>Written by onedial. Everything shown here is in findings.json, from which this page can be drawn again.</footer>"


def _header(findings: Findings) -> str:
    split = findings.divided[:1].upper() + findings.divided[1:]
    return f'<header><h1>{escape(findings.title)}</h1><p class="lead">{escape(findings.subtitle)}. {escape(split)}.</p></header>'


def _picture(findings: Findings) -> str:
    unit = panels.unit_of(findings)
    arms = sorted(findings.arms, key=lambda a: a.cost)
    table = page.table(
        ("Fixed arm", PER_1000, "Right"),
        ((escape(a.arm), unit.text(a.cost), _percent(a.quality)) for a in arms),
    )
    every = f"<details><summary>All {len(arms):,} fixed arms</summary>{table}</details>"
    chart = svg(partial(panels.draw_frontier, findings=findings), 8.1, 4.5, "frontier")
    intro = "Up and to the left is better. Each dot is one fixed setting for all queries; the lines are policies over their dial."
    return page.section("Quality against cost", intro, page.figure(chart, "Quality against cost", wide=True), every if arms else "")


def _matched(findings: Findings) -> str:
    unit = panels.unit_of(findings)
    lines: list[page.Row] = []
    for block in rows.blocks(findings.matched):
        first = next(iter(block.values()))
        lines.append((f"at {_percent(first.level)} right, where the best fixed arm for {_percent(first.target)} ends up",))
        lines += [_matched_row(row, unit) for row in block.values()]
    head = ("Policy", PER_1000, "Of the best fixed arm", "95 %", "Joint over this", "95 %", "Gap to hindsight closed")
    height = 1.0 * min(len(rows.blocks(findings.matched)), rows.BLOCKS)
    chart = svg(partial(rows.draw_matched, findings=findings), 8.2, height, "matched")
    return page.section(
        "Cost at equal quality",
        "What each policy costs at the same achieved quality, best fixed arm = 100 %. Left of the line is cheaper.",
        page.figure(chart, "Cost at equal quality", wide=True),
        page.table(head, lines),
    )  # fmt: skip


def _matched_row(row: MatchedRow, unit: Money) -> page.Row:
    cost = "not reached" if row.cost is None else unit.text(row.cost)
    if row.cost is not None and row.unreached > 0:
        cost += f' <span class="range">(not in {100 * row.unreached:.0f} % of resamples)</span>'
    own, lead = row.policy == "best fixed", row.policy == "joint"
    return (
        f'<span class="{row.policy.replace(" ", "-")}">{escape(POLICY_LABEL.get(row.policy, row.policy))}</span>',
        cost,
        _percent(row.over_fixed, 0),
        NONE if own else _range(row.over_fixed_low, row.over_fixed_high, 0),
        NONE if lead else _percent(row.joint_over, 0),
        NONE if lead else _range(row.joint_over_low, row.joint_over_high, 0),
        NONE if own else _percent(row.gap_closed, 0),
    )


def _promises(findings: Findings) -> str:
    unit = panels.unit_of(findings)
    chart = svg(partial(rows.draw_promises, findings=findings), 9.0, 0.5 * len(findings.promises), "promises")
    head = ("Promise", "On held-out queries", "Certificate", "Promised", "Right", "95 %", PER_1000)
    return page.section(
        "Promises",
        "What was promised before the held-out queries were looked at, and what they gave. A hollow dot has no certificate.",
        page.figure(chart, "Promised and reached", wide=True),
        page.table(head, (_promise_row(row, unit) for row in findings.promises), text_columns=3),
    )


def _promise_row(row: PromiseRow, unit: Money) -> page.Row:
    look = {"kept": "kept", "within noise": "noise"}.get(row.verdict, "missed")
    return (
        escape(row.label),
        f'<span class="{look}">{escape(row.verdict)}</span>',
        escape(row.certificate) or NONE,
        _percent(row.promised),
        _percent(row.reached),
        _range(row.reached_low, row.reached_high),
        unit.text(row.cost),
    )


def _shares(findings: Findings) -> str:
    width = 9.8 / max(len(findings.shares), 3) - 0.3
    charts = (
        page.figure(svg(partial(panels.draw_shares, shares=s), width, 2.1, f"shares-{i}"), f"Shares of {s.title}")
        for i, s in enumerate(findings.shares)
    )
    intro = "The joint policy's choices, from easy queries on the left to hard ones on the right."
    return page.section("Who got what", intro, f'<div class="row">{"".join(charts)}</div>')


def _calibration(findings: Findings) -> str:
    found = findings.reliability
    assert found is not None
    chart = svg(partial(panels.draw_reliability, reliability=found), 4.0, 3.1, "calibration")
    head = ("Queries", "Forecast", "Right")
    lines = ((f"{b.n_queries:,}", _percent(b.forecast), _percent(b.outcome)) for b in found.bins)
    return page.section(
        "Calibration of what was chosen",
        f"How often it was right against how often it said so, when it stopped. ECE {found.ece:.3f}, Brier score {found.brier:.3f}.",
        f'<div class="pair">{page.figure(chart, "Calibration")}{page.table(head, lines, text_columns=0)}</div>',
    )


def _exchange(findings: Findings) -> str:
    lines: list[page.Row] = []
    for step in dict.fromkeys((r.small, r.large) for r in findings.exchange):
        lines.append((f"{escape(step[0])} in place of {escape(step[1])}",))
        lines += [_exchange_row(r) for r in findings.exchange if (r.small, r.large) == step]
    head = ("Queries", "Times one use", "Cost over the larger model's", "Smaller model's best", "Larger model, once")
    return page.section(
        "Compute against model size",
        "How much more of the smaller model it takes to be as good as one use of the larger one; below 100 % it is also the cheaper way.",
        page.table(head, lines),
    )


def _exchange_row(row: ExchangeRow) -> page.Row:
    multiple = "no amount" if row.multiple is None else f"{row.multiple:.1f} ×"
    return escape(row.group), multiple, _percent(row.relative_cost, 0), _percent(row.small_best), _percent(row.large_quality)


def _percent(share: float | None, digits: int = 1) -> str:
    return NONE if share is None else f"{100 * share:.{digits}f} %".replace("-", "−")


def _range(low: float | None, high: float | None, digits: int = 1) -> str:
    if low is None or high is None:
        return NONE
    return f'<span class="range">{100 * low:.{digits}f} – {100 * high:.{digits}f}</span>'
