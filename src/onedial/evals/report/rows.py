"""The two panels that are rows of intervals: cost at equal quality, and promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from onedial.evals.report.findings import Findings, MatchedRow, PromiseRow
from onedial.evals.report.style import FAINT, INK, PAPER, POLICY, POLICY_LABEL, SOFT, colour_of, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COMPARED = ("joint", "model-only", "compute-only")
BOUNDS = ("hull", "oracle", "hindsight")
SEAL = {True: "certified", False: "no certificate", None: ""}
BLOCKS = 3
WIDEST = 2.0  # times the best fixed arm's cost; intervals are cut there


def blocks(rows: Sequence[MatchedRow]) -> list[dict[str, MatchedRow]]:
    """Group rows by target, leaving out a target whose level was matched before; rows by policy."""
    found: dict[float, dict[str, MatchedRow]] = {}
    for target in dict.fromkeys(r.target for r in rows):
        block = {r.policy: r for r in rows if r.target == target}
        found.setdefault(round(next(iter(block.values())).level, 6), block)
    return list(found.values())


def draw_matched(ax: Axes, findings: Findings) -> None:
    """Cost at equal quality, relative to the best fixed arm, one block of rows per target; the first, middle and last of many."""
    every = blocks(findings.matched)
    shown = every if len(every) <= BLOCKS else [every[0], every[len(every) // 2], every[-1]]
    y, ticks, ends = 0.0, [], [1.05]
    for block in shown:
        _heading(ax, y - 0.12, f"at {100 * next(iter(block.values())).level:.1f} % right")
        for name in (n for n in (*COMPARED, *findings.rivals, *BOUNDS) if n in block):
            y += 1.0
            ticks.append((y, name))
            ends.append(_matched_row(ax, y, block[name], colour_of(name, findings.rivals)))
        y += 1.5
    ax.axvline(1.0, color=POLICY["best fixed"], lw=1.0, zorder=1)
    ax.set_yticks([t[0] for t in ticks], [POLICY_LABEL.get(t[1], t[1]) for t in ticks], fontsize=7.6)
    for label, (_, name) in zip(ax.get_yticklabels(), ticks, strict=True):
        label.set_color(colour_of(name, findings.rivals))
        label.set_fontweight("bold" if name == "joint" else "normal")
    _frame(ax, y - 0.9, -0.7)
    ax.set_xlim(0.0, max(ends) * 1.04)


def _matched_row(ax: Axes, y: float, row: MatchedRow, colour: str) -> float:
    """Draw one row; return how far right it reaches."""
    strong = row.policy == "joint"
    if row.over_fixed is None:
        ax.text(0.015, y, "not reached", fontsize=7.0, color=SOFT, va="center_baseline", style="italic", transform=ax.get_yaxis_transform())
        return 0.0
    low = row.over_fixed if row.over_fixed_low is None else row.over_fixed_low
    high = min(row.over_fixed if row.over_fixed_high is None else row.over_fixed_high, WIDEST)
    _interval(ax, y, low, min(row.over_fixed, WIDEST), high, colour, 6.2 if strong else 4.8)
    _margin(ax, y, f"{100 * row.over_fixed:.0f} %", color=colour, weight="bold" if strong else "normal")
    return max(high, min(row.over_fixed, WIDEST))


def draw_promises(ax: Axes, findings: Findings) -> None:
    """What was promised (a bar) and what the held-out queries gave (a dot with its interval; hollow without a certificate)."""
    for i, row in enumerate(findings.promises):
        y = 2.0 * i + 1.0
        _heading(ax, y - 0.85, row.label, f"{100 * row.promised:.1f} % promised")
        _promise_row(ax, y, row)
    ax.set_yticks([])
    _frame(ax, 2.0 * len(findings.promises) - 0.3, -0.55)
    ax.margins(x=0.08)


def _promise_row(ax: Axes, y: float, row: PromiseRow) -> None:
    colour = POLICY["model-only"] if row.verdict == "missed" else POLICY["joint"]
    _interval(ax, y, row.reached_low, row.reached, row.reached_high, colour, 6.2, hollow=row.certified is False)
    ax.plot([row.promised] * 2, [y - 0.42, y + 0.42], color=INK, lw=1.6, zorder=4)
    _margin(ax, y - 0.3, row.verdict, color=colour, weight="bold")
    _margin(ax, y + 0.4, SEAL[row.certified], color=SOFT, fontsize=6.6)


def _interval(ax: Axes, y: float, low: float, middle: float, high: float, colour: str, size: float, hollow: bool = False) -> None:
    ax.plot([low, high], [y, y], color=colour, lw=2.2, alpha=0.35, solid_capstyle="round")
    face, edge, width = (PAPER, colour, 1.4) if hollow else (colour, PAPER, 0.8)
    ax.plot(middle, y, "o", ms=size, mfc=face, mec=edge, mew=width, zorder=3)


def _heading(ax: Axes, y: float, text: str, more: str = "") -> None:
    ax.text(0.0, y, text, fontsize=7.4, color=SOFT, weight="bold", va="center_baseline", transform=ax.get_yaxis_transform())
    ax.text(1.0, y, more, fontsize=7.2, color=SOFT, va="center_baseline", ha="right", transform=ax.get_yaxis_transform())


def _margin(ax: Axes, y: float, text: str, **style: Any) -> None:
    """Write right of the panel."""
    ax.text(1.02, y, text, va="center_baseline", transform=ax.get_yaxis_transform(), **({"fontsize": 7.6} | style))


def _frame(ax: Axes, bottom: float, top: float) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.set_ylim(bottom, top)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.tick_params(axis="x", color=FAINT)
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(percent))
