"""One function per panel: each draws one part of the findings on axes handed to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onedial.evals.findings import Findings, Line, Reliability, Shares
from onedial.evals.labels import place, spread
from onedial.evals.style import FAINT, INK, PAPER, POLICY, POLICY_LABEL, RULE, SOFT, Money, money, ramp, text_on
from onedial.metrics.frontier import frontier

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POLICIES = ("compute-only", "model-only", "joint")
COMPARED = ("joint", "model-only", "compute-only", "hull", "best fixed", "oracle")


def unit_of(findings: Findings) -> Money:
    """The unit in which all costs of these findings are shown."""
    return money([a.cost for a in findings.arms] + [p.cost for line in findings.lines for p in line.points])


def draw_frontier(ax: Axes, findings: Findings) -> None:
    """Cost against quality: every fixed arm, their hull, the policies with intervals, the oracle."""
    unit = unit_of(findings)
    _frame(ax, findings, unit)
    for arm in findings.arms:
        ax.plot(arm.cost * unit.scale, arm.quality, "o", ms=4, mfc=FAINT, mec=PAPER, mew=0.5, zorder=2, gid=f"tip: {arm.arm}")
    traced = [(line, _trace(line, unit)) for name in ("hull", "oracle", *POLICIES) if (line := findings.line(name)) and line.points]
    for line, (x, y, low, high) in traced:
        _draw_line(ax, line.name, x, y, low, high)
    _name_lines(ax, [(line.name, x[-1], y[-1]) for line, (x, y, _, _) in traced])
    dense = [
        (x[i] + (x[i + 1] - x[i]) * k / 6, y[i] + (y[i + 1] - y[i]) * k / 6)
        for _, (x, y, _, _) in traced
        for i in range(len(x) - 1)
        for k in range(7)
    ]
    hull = {(p.cost, p.quality) for p in (findings.line("hull") or Line("hull", ())).points}
    ranked = sorted(findings.arms, key=lambda a: ((a.cost, a.quality) not in hull, -a.quality))
    place(ax, [(a.cost * unit.scale, a.quality, a.arm) for a in ranked], dense, fontsize=6.2, color=SOFT)
    ax.set_title("Quality against cost")


def _frame(ax: Axes, findings: Findings, unit: Money) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, PercentFormatter

    points = [p for line in findings.lines for p in line.points]
    costs = [c * unit.scale for c in [a.cost for a in findings.arms] + [p.cost for p in points] if c > 0] or [1.0]
    qualities = [a.quality for a in findings.arms] + [p.quality for p in points] or [0.0, 1.0]
    ax.set_xscale("log")
    ax.set_xlim(min(costs) / 1.25, max(costs) * (max(costs) / min(costs)) ** 0.16 * 1.1)
    pad = 0.06 * (max(qualities) - min(qualities) + 0.05)
    ax.set_ylim(max(min(qualities) - pad, -0.01), min(max(qualities) + pad, 1.01))
    decades = max(costs) / min(costs)
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0,) if decades > 500 else (1.0, 2.0, 5.0) if decades < 60 else (1.0, 3.0)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{unit.sign}{v:,.6g}"))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.grid(axis="y")
    ax.set_xlabel(f"{unit.unit} per 1,000 queries, every token counted (log scale)")
    ax.set_ylabel("answers right, held-out queries")


def _trace(line: Line, unit: Money) -> tuple[list[float], list[float], list[float], list[float]]:
    """The frontier of a line: cost, quality, and the ends of its quality interval."""
    edge = frontier([p.cost for p in line.points], [p.quality for p in line.points])
    kept = [line.points[int(i)] for i in edge.point]
    low = [p.quality if p.quality_low is None else p.quality_low for p in kept]
    high = [p.quality if p.quality_high is None else p.quality_high for p in kept]
    return [p.cost * unit.scale for p in kept], [p.quality for p in kept], low, high


def _draw_line(ax: Axes, name: str, x: list[float], y: list[float], low: list[float], high: list[float]) -> None:
    colour = POLICY[name]
    if name in ("hull", "oracle"):
        style = (0, (1, 1.6)) if name == "hull" else (0, (5, 2.5))
        ax.plot(x, y, color=colour, lw=1.1, ls=style, zorder=3)
        return
    strong = name == "joint"
    ax.fill_between(x, low, high, color=colour, alpha=0.14 if strong else 0.07, lw=0, zorder=3)
    ax.plot(x, y, color=colour, lw=2.4 if strong else 1.6, zorder=5 if strong else 4, solid_capstyle="round")
    ax.plot(
        x, y, "o", ms=4.2 if strong else 3.0, mfc=colour, mec=PAPER, mew=0.7, zorder=6 if strong else 4, gid=f"tip: {POLICY_LABEL[name]}"
    )


def _name_lines(ax: Axes, ends: list[tuple[str, float, float]]) -> None:
    """Write the names in one column right of everything, each joined to the end of its line by a thin leader."""
    low, high = ax.get_ylim()
    heights = spread([y for _, _, y in ends], (high - low) * 0.042)
    left, right = ax.get_xlim()
    column = left * (right / left) ** 0.875
    for (name, x, y), height in zip(ends, heights, strict=True):
        colour, weight = POLICY[name], "bold" if name == "joint" else "normal"
        ax.plot([x, column / 1.02], [y, height], color=colour, lw=0.6, alpha=0.5, zorder=2)
        ax.text(column, height, POLICY_LABEL[name], color=colour, weight=weight, fontsize=8.6, va="center", ha="left", zorder=7)


def draw_matched(ax: Axes, findings: Findings) -> None:
    """Cost at equal quality, relative to the best fixed arm, one block of rows per target."""
    targets = list(dict.fromkeys(r.target for r in findings.matched))
    place_y, ticks, ends = 0.0, [], [1.05]
    for target in targets:
        rows = {r.policy: r for r in findings.matched if r.target == target}
        level = next(iter(rows.values())).level
        ax.text(
            0.0,
            place_y - 0.15,
            f"at {100 * level:.1f} % right",
            fontsize=7.6,
            color=SOFT,
            weight="bold",
            va="center",
            transform=ax.get_yaxis_transform(),
        )
        place_y += 0.95
        for name in (n for n in COMPARED if n in rows and n != "best fixed"):
            row, colour = rows[name], POLICY[name]
            ticks.append((place_y, POLICY_LABEL[name], colour, name == "joint"))
            if row.over_fixed is None:
                ax.text(0.02, place_y, "not reached", fontsize=7.2, color=FAINT, va="center", style="italic")
            else:
                high = row.over_fixed if row.over_fixed_high is None else row.over_fixed_high
                low = row.over_fixed if row.over_fixed_low is None else row.over_fixed_low
                ax.plot([low, min(high, 2.0)], [place_y, place_y], color=colour, lw=2.2, alpha=0.35, solid_capstyle="round")
                ax.plot(row.over_fixed, place_y, "o", ms=6.5 if name == "joint" else 5, mfc=colour, mec=PAPER, mew=0.8)
                ends.append(min(max(high, row.over_fixed), 2.0))
                ax.text(
                    1.015,
                    place_y,
                    f"{100 * row.over_fixed:.0f} %",
                    color=colour,
                    fontsize=7.8,
                    va="center",
                    transform=ax.get_yaxis_transform(),
                    weight="bold" if name == "joint" else "normal",
                )
            place_y += 1.0
        place_y += 0.45
    ax.axvline(1.0, color=POLICY["best fixed"], lw=1.0, zorder=1)
    _policy_rows(ax, ticks, place_y)
    ax.set_xlim(0.0, max(ends) * 1.04)
    _percent_x(ax)
    ax.set_title("Cost at equal quality (best fixed arm = 100 %)")


def _policy_rows(ax: Axes, ticks: list[tuple[float, str, str, bool]], bottom: float) -> None:
    ax.set_ylim(bottom - 0.4, -0.75)
    ax.set_yticks([t[0] for t in ticks], [t[1] for t in ticks], fontsize=7.8)
    for label, (_, _, colour, strong) in zip(ax.get_yticklabels(), ticks, strict=True):
        label.set_color(colour)
        label.set_fontweight("bold" if strong else "normal")
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")


def _percent_x(ax: Axes) -> None:
    from matplotlib.ticker import PercentFormatter

    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def draw_promises(ax: Axes, findings: Findings) -> None:
    """What was promised (a tick) and what the held-out queries gave (a dot with its interval)."""
    mark = {"kept": "kept", "within noise": "within noise", "missed": "missed"}
    for i, row in enumerate(findings.promises):
        colour = POLICY["model-only"] if row.verdict == "missed" else POLICY["joint"]
        ax.plot([row.reached_low, row.reached_high], [i, i], color=colour, lw=2.2, alpha=0.3, solid_capstyle="round")
        ax.plot([row.promised] * 2, [i - 0.28, i + 0.28], color=INK, lw=1.6)
        filled = row.certified is not False
        ax.plot(
            row.reached, i, "o", ms=7, mfc=colour if filled else PAPER, mec=colour if not filled else PAPER, mew=1.4 if not filled else 0.8
        )
        seal = {True: "certified", False: "no certificate", None: ""}[row.certified]
        ax.text(
            1.015, i - 0.14, mark[row.verdict], fontsize=7.8, color=colour, weight="bold", va="center", transform=ax.get_yaxis_transform()
        )
        ax.text(1.015, i + 0.2, seal, fontsize=6.8, color=SOFT, va="center", transform=ax.get_yaxis_transform())
    ax.set_yticks(range(len(findings.promises)), [f"{row.label}\n{100 * row.promised:.1f} %" for row in findings.promises], fontsize=7.8)
    ax.set_ylim(len(findings.promises) - 0.4, -0.6)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    _percent_x(ax)
    ax.set_title("Promised (bar) and reached (dot)")


def draw_shares(ax: Axes, shares: Shares) -> None:
    """Stacked shares of what was chosen, from the easiest group of queries to the hardest."""
    colours = ramp(len(shares.options))
    bottoms = [0.0] * len(shares.groups)
    for j, option in enumerate(shares.options):
        heights = [row[j] for row in shares.share]
        ax.bar(range(len(heights)), heights, 0.88, bottom=bottoms, color=colours[j], edgecolor=PAPER, linewidth=0.8)
        _name_option(ax, option, heights, bottoms, colours[j])
        bottoms = [b + h for b, h in zip(bottoms, heights, strict=True)]
    ax.set_xticks(range(len(shares.groups)), shares.groups, fontsize=7.2)
    if len(shares.groups) > 4:
        ax.set_xticks([0, len(shares.groups) - 1], [shares.groups[0], shares.groups[-1]], fontsize=7.6)
    ax.set_yticks([])
    ax.set_ylim(0, 1)
    ax.set_xlim(-0.5, len(shares.groups) - 0.5)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(axis="x", length=0)
    ax.set_title(shares.title)


def _name_option(ax: Axes, option: str, heights: list[float], bottoms: list[float], colour: str) -> None:
    """Write an option's name once, in the middle of the tallest of its bars; not where it never matters."""
    widest = max(range(len(heights)), key=lambda i: heights[i], default=0)
    if heights and heights[widest] >= 0.09:
        ax.text(widest, bottoms[widest] + heights[widest] / 2, option, ha="center", va="center", fontsize=7.4, color=text_on(colour))


def draw_reliability(ax: Axes, reliability: Reliability) -> None:
    """Forecast quality of the selected arm against what happened; the area of a dot is its number of queries."""
    from matplotlib.ticker import PercentFormatter

    total = sum(b.n_queries for b in reliability.bins) or 1
    ends = [v for b in reliability.bins for v in (b.forecast, b.outcome)] or [0.0, 1.0]
    low, high = max(min(ends) - 0.06, -0.02), min(max(ends) + 0.06, 1.03)
    ax.plot([0, 1], [0, 1], color=FAINT, lw=1.0, zorder=1)
    for b in reliability.bins:
        error = 1.96 * (max(b.outcome * (1 - b.outcome), 1e-9) / max(b.n_queries, 1)) ** 0.5
        ax.plot([b.forecast] * 2, [max(b.outcome - error, 0), min(b.outcome + error, 1)], color=POLICY["joint"], lw=1.4, alpha=0.35)
    x, y = [b.forecast for b in reliability.bins], [b.outcome for b in reliability.bins]
    ax.scatter(
        x, y, s=[30 + 260 * b.n_queries / total for b in reliability.bins], color=POLICY["joint"], edgecolor=PAPER, linewidth=0.8, zorder=3
    )
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.text(
        0.97,
        0.05,
        f"ECE {reliability.ece:.3f}\nBrier {reliability.brier:.3f}",
        transform=ax.transAxes,
        ha="right",
        va="bottom",
        fontsize=7.8,
        color=SOFT,
    )
    ax.grid(color=RULE)
    ax.set_xlabel("forecast when it stopped")
    ax.set_ylabel("right")
    ax.set_title("Calibration of what was chosen")


PANELS: dict[str, Any] = {"frontier": draw_frontier, "matched": draw_matched, "promises": draw_promises}
