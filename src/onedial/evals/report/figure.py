"""The picture: all panels on one page as PNG, and single panels as SVG for the report."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from onedial.evals.report import panels, rows
from onedial.evals.report.findings import Findings
from onedial.evals.report.style import RC, SOFT, TONES
from onedial.runtime.whole import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Draw = Callable[["Axes"], None]
LEFT, RIGHT = 0.075, 0.69
SCALE = 1.5  # pixels of the page per point of a panel


def picture(findings: Findings) -> Figure:
    """Draw all panels on one page, 14 by 9.6 inches, the takeaway on top. Panels without data are left blank."""
    from matplotlib import rc_context

    with rc_context(RC):
        figure = _canvas(14, 9.6)
        figure.text(0.045, 0.957, findings.title, fontsize=17, weight="bold", va="center")
        figure.text(0.045, 0.926, _subtitle(findings), fontsize=9.5, color=SOFT, va="center")
        _draw_left(figure, findings)
        _draw_right(figure, findings)
    return figure


def _draw_left(figure: Figure, findings: Findings) -> None:
    _heading(figure, LEFT, 0.882, "Quality against cost")
    panels.draw_frontier(_axes(figure, LEFT, 0.435, 0.555, 0.865), findings)
    if findings.shares:
        _heading(figure, LEFT, 0.352, "Who got what: the joint policy's choices, from easy queries (left) to hard ones (right)")
    step = (0.64 - LEFT) / max(len(findings.shares), 1)
    for i, shares in enumerate(findings.shares):
        panels.draw_shares(_axes(figure, LEFT + i * step, 0.06, LEFT + (i + 1) * step - 0.018, 0.277), shares)


def _draw_right(figure: Figure, findings: Findings) -> None:
    if findings.matched:
        _heading(figure, RIGHT, 0.882, "Cost at equal quality (best fixed arm = 100 %)")
        bottom = 0.55 if findings.promises else 0.37
        rows.draw_matched(_axes(figure, RIGHT + 0.082, bottom, 0.925, 0.865), findings)
    if findings.promises:
        _heading(figure, RIGHT, 0.485, "Promised (bar) and reached (dot)")
        rows.draw_promises(_axes(figure, RIGHT, 0.345, 0.905, 0.472), findings)
    if findings.reliability:
        _heading(figure, RIGHT, 0.283, "Calibration of what was chosen")
        panels.draw_reliability(_axes(figure, RIGHT + 0.052, 0.06, 0.925, 0.265), findings.reliability)


def _heading(figure: Figure, x: float, y: float, text: str) -> None:
    figure.text(x, y, text, fontsize=10, weight="bold")


def _canvas(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def _axes(figure: Figure, left: float, bottom: float, right: float, top: float) -> Axes:
    return figure.add_axes((left, bottom, right - left, top - bottom))


def _subtitle(findings: Findings) -> str:
    return f"{findings.subtitle}  ·  {findings.divided}  ·  bands are 95 % intervals"


def write_png(findings: Findings, path: Path, dpi: int = 160) -> None:
    """Write the picture; the folder must exist."""
    with whole_file(path) as partial:
        picture(findings).savefig(partial, dpi=dpi, format="png")


def svg(draw: Draw, width: float, height: float, name: str) -> str:
    """Draw one panel and return it as an inline SVG element that takes its type and colours from the page.

    Args:
        draw: Draws on the axes it is given.
        width: Of the axes, in inches; what is written around them comes on top.
        height: Likewise.
        name: Keeps the ids of this element apart from those of others on the page.
    """
    from matplotlib import rc_context

    with rc_context(RC | {"svg.hashsalt": name}):
        figure = _canvas(width, height)
        draw(_axes(figure, 0, 0, 1, 1))
        text = io.StringIO()
        figure.savefig(text, format="svg", bbox_inches="tight", pad_inches=0.05, metadata={"Date": None})
    return _inline(text.getvalue())


def _inline(text: str) -> str:
    """Keep the element alone, give it its size in pixels, turn `tip:` groups into tooltips, and colours and type into the page's."""
    body = text[text.index(">", text.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="tip: ([^"]*)">', r"<g><title>\1</title>", body)
    body = body.replace("xlink:href", "href")
    body = re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", body)
    body = re.sub(r"(?:'DejaVu Sans'|sans-serif)(?:, sans-serif)*", "var(--type)", body)
    body = re.sub("|".join(TONES), lambda m: f"var(--{TONES[m[0]].name})", body)
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)
    if box is None:
        raise ValueError("matplotlib wrote an SVG without a viewBox; expected one to size the panel by.")
    width, height = (float(side) for side in box.groups())
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{SCALE * width:.0f}">{body}'
