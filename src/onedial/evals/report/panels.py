"""One function per panel: each draws one part of the findings on axes handed to it. Panels made of rows are in `rows`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from onedial.evals.report.findings import ArmPoint, Findings, Line, Reliability, Shares
from onedial.evals.report.labels import place, spread
from onedial.evals.report.style import FAINT, GREYS, PAPER, POLICY, POLICY_LABEL, RULE, SOFT, Money, colour_of, money, percent, shades
from onedial.metrics.frontier import frontier

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BENEATH, ABOVE = ("hull", "hindsight", "oracle"), ("compute-only", "model-only", "joint")
DASHES = {"hull": (0, (1, 1.6)), "hindsight": (0, (5, 2.5)), "oracle": (0, (3, 1.4, 1, 1.4))}
FEW_ARMS = 24  # more than these, and only arms on the hull are named
FEW_MODELS = 10  # more than these, and the legend says how to read the greys instead of naming them


class Trace(NamedTuple):
    """The frontier of a line, in the unit shown: cost, quality, and the ends of its quality interval."""

    x: list[float]
    y: list[float]
    low: list[float]
    high: list[float]


def unit_of(findings: Findings) -> Money:
    """The unit in which all costs of these findings are shown."""
    if findings.unit != "USD":
        return Money(1.0, findings.unit, "")
    return money([a.cost for a in findings.arms] + [p.cost for line in findings.lines for p in line.points])


def models_by_cost(arms: Sequence[ArmPoint]) -> list[str]:
    """The models, by the cost of their cheapest arm."""
    cheapest: dict[str, float] = {}
    for arm in arms:
        cheapest[arm.model] = min(arm.cost, cheapest.get(arm.model, arm.cost))
    return sorted(cheapest, key=lambda model: cheapest[model])


def draw_frontier(ax: Axes, findings: Findings) -> None:
    """Cost against quality: every fixed arm, their hull, the policies with intervals, the oracle."""
    unit = unit_of(findings)
    _frame(ax, findings, unit)
    _draw_arms(ax, findings.arms, unit)
    drawn = (*BENEATH, *findings.rivals, *ABOVE)
    traces = {name: _trace(line, unit) for name in drawn if (line := findings.line(name)) and line.points}
    for name, trace in traces.items():
        _draw_line(ax, name, trace, colour_of(name, findings.rivals))
    _name_lines(ax, traces, findings.rivals)
    _name_arms(ax, findings, unit, traces)


def _frame(ax: Axes, findings: Findings, unit: Money) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    points = [p for line in findings.lines for p in line.points]
    costs = [c * unit.scale for c in [a.cost for a in findings.arms] + [p.cost for p in points] if c > 0] or [1.0]
    qualities = [a.quality for a in findings.arms] + [p.quality for p in points] or [0.0, 1.0]
    ax.set_xscale("log")
    ax.set_xlim(min(costs) / 1.3, max(costs) * 1.3)
    pad = 0.06 * (max(qualities) - min(qualities) + 0.05)
    ax.set_ylim(max(min(qualities) - pad, -0.01), min(max(qualities) + pad, 1.01))
    decades = max(costs) / min(costs)
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0,) if decades > 500 else (1.0, 2.0, 5.0) if decades < 60 else (1.0, 3.0)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{unit.sign}{v:,.6g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())  # on a short axis matplotlib names the minor ticks too
    ax.yaxis.set_major_formatter(FuncFormatter(percent))
    ax.grid(axis="y")
    ax.set_xlabel(f"{unit.unit} per 1,000 queries, {'every token counted ' if findings.unit == 'USD' else ''}(log scale)")
    ax.set_ylabel("answers right, held-out queries")


def _draw_arms(ax: Axes, arms: Sequence[ArmPoint], unit: Money) -> None:
    """A grey dot per arm, darker for dearer models, with a legend that names the models where they are few."""
    models = models_by_cost(arms)
    few = len(models) <= FEW_MODELS
    greys = shades(len(models), GREYS) if few else tuple(GREYS[i * len(GREYS) // len(models)] for i in range(len(models)))
    for model, colour in zip(models, greys, strict=True):
        own: dict[str, Any] = {"marker": "o", "ls": "", "ms": 4.4, "mfc": colour, "mec": PAPER, "mew": 0.5, "zorder": 2}
        if few:
            ax.plot([], [], label=model, **own)
        for arm in (a for a in arms if a.model == model):
            tip = f"tip: {arm.arm}: {100 * arm.quality:.1f} % right, {unit.text(arm.cost)} per 1,000 queries"
            ax.plot(arm.cost * unit.scale, arm.quality, gid=tip, **own)
    if not few:
        ax.plot([], [], marker="o", ls="", ms=4.4, mfc=GREYS[-2], mec=PAPER, mew=0.5, label="a fixed arm; darker: a dearer model")
        ax.legend(loc="lower right", fontsize=7.6, borderaxespad=0.6)
    elif models:
        legend = ax.legend(loc="lower right", fontsize=7.6, title="fixed arms, by model", borderaxespad=0.6, alignment="left")
        legend.get_title().set(fontsize=7.6, color=SOFT)


def _trace(line: Line, unit: Money) -> Trace:
    edge = frontier([p.cost for p in line.points], [p.quality for p in line.points])
    kept = [line.points[int(i)] for i in edge.point]
    low = [p.quality if p.quality_low is None else p.quality_low for p in kept]
    high = [p.quality if p.quality_high is None else p.quality_high for p in kept]
    return Trace([p.cost * unit.scale for p in kept], [p.quality for p in kept], low, high)


def _draw_line(ax: Axes, name: str, trace: Trace, colour: str) -> None:
    strong = name == "joint"
    if name in DASHES:
        ax.plot(trace.x, trace.y, color=colour, lw=1.1, ls=DASHES[name], zorder=3)
        return
    if name in ABOVE:
        ax.fill_between(trace.x, trace.low, trace.high, color=colour, alpha=0.14 if strong else 0.07, lw=0, zorder=3)
    ax.plot(trace.x, trace.y, color=colour, lw=2.4 if strong else 1.6, zorder=5 if strong else 4, solid_capstyle="round")
    size, layer = (4.2, 6) if strong else (3.0, 4)
    for x, y in zip(trace.x, trace.y, strict=True):
        tip = f"tip: {POLICY_LABEL.get(name, name)}: {100 * y:.1f} % right"
        ax.plot(x, y, "o", ms=size, mfc=colour, mec=PAPER, mew=0.7, zorder=layer, gid=tip)


def _name_lines(ax: Axes, traces: dict[str, Trace], rivals: Sequence[str]) -> None:
    """Write the names in one column right of the panel, each joined to the end of its line by a thin leader."""
    low, high = ax.get_ylim()
    right = ax.get_xlim()[1]
    heights = spread([t.y[-1] for t in traces.values()], (high - low) * 0.042, top=high - (high - low) * 0.015)
    for (name, trace), height in zip(traces.items(), heights, strict=True):
        colour, weight = colour_of(name, rivals), "bold" if name == "joint" else "normal"
        ax.plot([trace.x[-1], right], [trace.y[-1], height], color=colour, lw=0.6, alpha=0.45, zorder=2)
        ax.annotate(
            POLICY_LABEL.get(name, name),
            (right, height),
            (5, 0),
            textcoords="offset points",
            color=colour,
            weight=weight,
            fontsize=8.6,
            va="center",
            annotation_clip=False,
        )


def _name_arms(ax: Axes, findings: Findings, unit: Money, traces: dict[str, Trace]) -> None:
    """Name the arms on the hull, and the others too where there are few."""
    hull = {(p.cost, p.quality) for p in (findings.line("hull") or Line("hull", ())).points}
    ranked = sorted(findings.arms, key=lambda a: ((a.cost, a.quality) not in hull, -a.quality))
    named = [a for a in ranked if len(ranked) <= FEW_ARMS or (a.cost, a.quality) in hull]
    dots = [(a.cost * unit.scale, a.quality) for a in findings.arms]
    for trace in traces.values():
        ends = list(zip(trace.x, trace.y, strict=True))
        dots += [(a + (c - a) * k / 6, b + (d - b) * k / 6) for (a, b), (c, d) in pairwise(ends) for k in range(7)]
    legend = ax.get_legend()
    place(
        ax,
        [(a.cost * unit.scale, a.quality, a.arm) for a in named],
        dots,
        [legend] if legend else [],
        fontsize=6.2,
        color=SOFT,
    )


def draw_shares(ax: Axes, shares: Shares) -> None:
    """Stacked shares of what was chosen, from the easiest group of queries to the hardest."""
    places, bottoms = range(len(shares.groups)), [0.0] * len(shares.groups)
    for j, (option, colour) in enumerate(zip(shares.options, shades(len(shares.options)), strict=True)):
        heights = [row[j] for row in shares.share]
        bars = ax.bar(places, heights, 0.88, bottom=bottoms, color=colour, edgecolor=PAPER, linewidth=0.8, label=option)
        for bar, height, group in zip(bars, heights, shares.groups, strict=True):
            bar.set_gid(f"tip: {group}: {100 * height:.0f} % {option}")
        bottoms = [b + h for b, h in zip(bottoms, heights, strict=True)]
    columns = _legend_columns(shares.options)
    legend = ax.legend(loc="upper left", bbox_to_anchor=(0.0, 1.27), ncols=columns, fontsize=7.2, title=shares.title, alignment="left")
    legend.get_title().set(fontsize=8.0, color=SOFT, weight="bold")
    shown = list(places) if len(places) <= 4 else [0, len(places) - 1]
    ax.set_xticks(shown, [shares.groups[i] for i in shown], fontsize=7.4)
    ax.set_yticks([])
    ax.set_ylim(0, 1)
    ax.set_xlim(-0.5, len(shares.groups) - 0.5)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(axis="x", length=0)


def _legend_columns(options: Sequence[str], width: int = 30) -> int:
    """As many as fit in one row of `width` characters, counting three for a square; else half of them."""
    return len(options) if sum(len(o) + 3 for o in options) <= width else -(-len(options) // 2)


def draw_reliability(ax: Axes, reliability: Reliability) -> None:
    """Forecast quality of the selected arm against what happened; the area of a dot is its number of queries."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    total = sum(b.n_queries for b in reliability.bins) or 1
    ends = [v for b in reliability.bins for v in (b.forecast, b.outcome)] or [0.0, 1.0]
    low, high = max(min(ends) - 0.06, -0.04), min(max(ends) + 0.06, 1.04)
    ax.plot([low, high], [low, high], color=FAINT, lw=1.0, zorder=1)
    blue: dict[str, Any] = {"color": POLICY["joint"]}
    for b in reliability.bins:
        error = 1.96 * (max(b.outcome * (1 - b.outcome), 1e-9) / max(b.n_queries, 1)) ** 0.5
        ax.plot([b.forecast] * 2, [max(b.outcome - error, 0), min(b.outcome + error, 1)], lw=1.4, alpha=0.35, **blue)
        tip = f"tip: {b.n_queries:,} queries: forecast {100 * b.forecast:.0f} %, right {100 * b.outcome:.0f} %"
        area = 24 + 220 * b.n_queries / total
        ax.scatter(b.forecast, b.outcome, area, edgecolor=PAPER, linewidth=0.8, zorder=3, clip_on=False, gid=tip, **blue)
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(FuncFormatter(percent))
    score = f"ECE {reliability.ece:.3f}\nBrier {reliability.brier:.3f}"
    ax.text(0.97, 0.05, score, transform=ax.transAxes, ha="right", va="bottom", fontsize=7.8, color=SOFT)
    ax.grid(color=RULE)
    ax.set_xlabel("forecast when it stopped")
    ax.set_ylabel("right")
