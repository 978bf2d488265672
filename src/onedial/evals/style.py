"""Colours, type and money, the same in every panel. Nothing is drawn here.

Policies keep one colour everywhere (blue, vermilion and green of Okabe and Ito,
told apart by the colour-blind); everything fixed is grey; ordered choices are one hue from light to dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

INK = "#1f2933"
SOFT = "#66727f"
FAINT = "#a9b2bc"
RULE = "#e4e8ec"
PAPER = "#ffffff"
POLICY = {
    "joint": "#0b5fa5",
    "model-only": "#d1571b",
    "compute-only": "#0e8f6b",
    "best fixed": "#4a5560",
    "hull": "#8d97a1",
    "oracle": "#1f2933",
}
POLICY_LABEL = {
    "joint": "joint",
    "model-only": "model only",
    "compute-only": "compute only",
    "best fixed": "best fixed arm",
    "hull": "hull of fixed arms",
    "oracle": "oracle",
}
RAMP = ("#d6e6f4", "#a6cbe6", "#6ba9d4", "#3682bb", "#0b5fa5", "#083d6e")

PERCENT: dict[str, Any] = {"xmax": 1.0, "decimals": 0, "symbol": " %"}
RC: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.color": INK,
    "axes.labelcolor": SOFT,
    "axes.labelsize": 8.5,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.titlepad": 10.0,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "xtick.major.size": 3.0,
    "ytick.major.size": 0.0,
    "xtick.minor.size": 0.0,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "svg.fonttype": "none",
    "svg.hashsalt": "onedial",
}


def ramp(n: int) -> tuple[str, ...]:
    """Colours for n ordered options, light to dark; the darkest are repeated beyond six."""
    steps = {1: (3,), 2: (1, 4), 3: (0, 2, 4), 4: (0, 2, 4, 5), 5: (0, 1, 2, 4, 5)}.get(n, range(n))
    return tuple(RAMP[min(step, len(RAMP) - 1)] for step in steps)


def text_on(colour: str) -> str:
    """Ink or paper, whichever is read more easily on a colour."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 150 else PAPER


class Money(NamedTuple):
    """A unit in which costs are read as small numbers: multiply by `scale` and call it `unit`."""

    scale: float
    unit: str
    sign: str

    def text(self, usd: float) -> str:
        """Format an amount with its sign.

        >>> money([0.5]).text(0.1234)
        '$0.123'
        """
        return f"{self.sign}{usd * self.scale:,.3g}"


def money(amounts_usd: Sequence[float]) -> Money:
    """Choose the unit for some amounts: USD, or millionths of it where all are tiny.

    >>> money([2e-5, 8e-5]).unit
    'millionths of a USD'
    """
    top = max(amounts_usd, default=1.0)
    if top >= 0.01:
        return Money(1.0, "USD", "$")
    return Money(1e6, "millionths of a USD", "µ$")
