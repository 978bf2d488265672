"""What the pictures of claims have in common: a title, panels in a row, bands, and percent on an axis."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

from onedial.evals.report.style import GREYS, POLICY, RIVALS, SOFT, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DEPTH, WIDTH, MIXED = POLICY["joint"], POLICY["model-only"], POLICY["compute-only"]
"""One long thought, many short ones, and what chooses between them."""
SERIES = (POLICY["joint"], POLICY["model-only"], POLICY["compute-only"], *RIVALS, *GREYS[3:5])
"""Colours of series without a meaning of their own, in order."""
HEAD, FOOT = 0.95, 0.55
"""Inches above and below the panels."""


def panels(figure: Figure, n: int, title: str, note: str = "", widths: Sequence[float] | None = None, **kwargs: Any) -> list[Axes]:
    """Write a title and a note on the figure and divide the rest into `n` panels, side by side."""
    width, height = figure.get_size_inches()
    figure.text(0.4 / width, 1 - 0.3 / height, title, fontsize=12.5, weight="bold", va="center")
    figure.text(0.4 / width, 1 - 0.56 / height, fill(note, int(width * 15)), fontsize=8.2, color=SOFT, va="center")
    axes = figure.subplots(1, n, squeeze=False, width_ratios=widths, **kwargs)[0]
    space = {"left": 0.75 / width, "right": 1 - 0.25 / width, "top": 1 - HEAD / height, "bottom": FOOT / height}
    figure.subplots_adjust(**space, wspace=0.12 if kwargs.get("sharey") else 0.32)
    return list(axes)


def band(ax: Axes, x: Sequence[float], rows: Sequence[Any], column: str, colour: str, label: str, **style: Any) -> None:
    """Draw a column of rows as a line with the band of its interval, columns `<column> low` and `<column> high`."""
    low, high = ([row[f"{column} {end}"] for row in rows] for end in ("low", "high"))
    ax.fill_between(x, low, high, color=colour, alpha=0.14, lw=0)
    look: dict[str, Any] = {"marker": "o", "lw": 1.9, "ms": 4.0, "color": colour, "label": label}
    ax.plot(x, [row[column] for row in rows], **(look | style))


def in_percent(ax: Axes, axis: str = "y") -> None:
    """Write one axis in percent, with a grid."""
    from matplotlib.ticker import FuncFormatter

    (ax.yaxis if axis == "y" else ax.xaxis).set_major_formatter(FuncFormatter(percent))
    ax.grid(axis="y" if axis == "y" else "x")


def log_x(ax: Axes) -> None:
    """Make the horizontal axis logarithmic, with a few plain numbers on it."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0,) if high / low > 500 else (1.0, 3.0) if high / low > 12 else (1.0, 2.0, 4.0)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def legend(ax: Axes, **where: Any) -> None:
    """A small legend without a frame."""
    ax.legend(**({"loc": "best", "fontsize": 7.8, "handlelength": 1.4} | where))
