"""The picture: all panels on one page as PNG, and single panels as SVG for the report."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from onedial.evals import panels
from onedial.evals.findings import Findings
from onedial.evals.style import RC, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Draw = Callable[["Axes"], None]


def picture(findings: Findings) -> Figure:
    """Draw all panels on one page, 14 by 9.4 inches, the takeaway on top. Panels without data are left blank."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(RC):
        figure = Figure(figsize=(14, 9.4))
        FigureCanvasAgg(figure)
        figure.text(0.045, 0.957, findings.title, fontsize=17, weight="bold", va="center")
        figure.text(0.045, 0.925, _subtitle(findings), fontsize=9.5, color=SOFT, va="center")
        top = figure.add_gridspec(
            2, 2, left=0.075, right=0.94, top=0.865, bottom=0.40, width_ratios=(2.05, 1), height_ratios=(1.75, 1), wspace=0.33, hspace=0.5
        )
        panels.draw_frontier(figure.add_subplot(top[:, 0]), findings)
        if findings.matched:
            panels.draw_matched(figure.add_subplot(top[0, 1]), findings)
        if findings.promises:
            panels.draw_promises(figure.add_subplot(top[1, 1]), findings)
        _lower_row(figure, findings)
    return figure


def _lower_row(figure: Figure, findings: Findings) -> None:
    columns = max(len(findings.shares), 1)
    row = figure.add_gridspec(1, columns, left=0.075, right=0.665, top=0.275, bottom=0.075, wspace=0.12)
    if findings.shares:
        figure.text(
            0.075,
            0.325,
            "Who got what: the joint policy's choices, from easy queries (left) to hard ones (right)",
            fontsize=10,
            weight="bold",
        )
    for i, shares in enumerate(findings.shares):
        ax = figure.add_subplot(row[0, i])
        panels.draw_shares(ax, shares)
        ax.set_title(shares.title, fontsize=8.6, weight="normal", color=SOFT, pad=5)
    if findings.reliability:
        last = figure.add_gridspec(1, 1, left=0.76, right=0.94, top=0.30, bottom=0.075)
        panels.draw_reliability(figure.add_subplot(last[0, 0]), findings.reliability)


def _subtitle(findings: Findings) -> str:
    return (
        f"{findings.subtitle}  ·  chosen on {findings.n_train:,} queries, shown on {findings.n_test:,} others  ·  bands are 95 % intervals"
    )


def write_png(findings: Findings, path: Path, dpi: int = 160) -> None:
    """Write the picture; the folder must exist."""
    picture(findings).savefig(path, dpi=dpi)


def svg(draw: Draw, width: float, height: float) -> str:
    """Draw one panel and return it as an inline SVG element that scales with the page.

    Args:
        draw: Draws on the axes it is given.
        width: Inches.
        height: Inches.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(RC):
        figure = Figure(figsize=(width, height))
        FigureCanvasAgg(figure)
        draw(figure.add_subplot())
        figure.axes[0].set_title("")
        text = io.StringIO()
        figure.savefig(text, format="svg", bbox_inches="tight", pad_inches=0.05, metadata={"Date": None})
    return _inline(text.getvalue())


def _inline(text: str) -> str:
    """Keep the element alone, let the page choose size and type, and turn `tip:` groups into tooltips."""
    element = text[text.index("<svg") :]
    element = re.sub(r'(<svg [^>]*?)\swidth="[^"]*"', r"\1", element, count=1)
    element = re.sub(r'(<svg [^>]*?)\sheight="[^"]*"', r"\1", element, count=1)
    element = element.replace("'DejaVu Sans'", "system-ui, 'Segoe UI', 'Helvetica Neue', Arial").replace(
        "sans-serif, sans-serif", "sans-serif"
    )
    return re.sub(r'<g id="tip: ([^"]*)">', lambda m: f"<g><title>{escape(m[1])}</title>", element)
