"""Colours, type and money, the same in every panel. Nothing is drawn here.

Policies keep one colour everywhere (blue, vermilion and green of Okabe and Ito,
told apart by the colour-blind); everything fixed is grey, lighter for smaller models;
ordered choices are one hue from light to dark. Every colour has a counterpart for dark pages.
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
    "oracle": "#66727f",
    "hindsight": INK,
}
POLICY_LABEL = {
    "joint": "joint",
    "model-only": "model only",
    "compute-only": "compute only",
    "best fixed": "best fixed arm",
    "hull": "hull of fixed arms",
    "oracle": "oracle, on half the samples",
    "hindsight": "hindsight, an upper bound",
}
RIVALS = ("#a34d91", "#8c6d00")
"""Of published methods, in the order in which they are shown."""
RAMP = ("#d6e6f4", "#a6cbe6", "#6ba9d4", "#3682bb", "#0b5fa5", "#083d6e")
GREYS = ("#c3cbd3", "#b0bac4", "#94a0ac", "#717d89", "#4f5b67", "#333e49")


class Tone(NamedTuple):
    """What a page calls a colour, and what it becomes when the page is dark; there, too, the ramps go from quiet to loud."""

    name: str
    dark: str


_RAMP_DARK = ("#1b3247", "#22496c", "#2f6797", "#4b90cc", "#74b4f0", "#c3e0fb")
_GREYS_DARK = ("#4a5663", "#596673", "#6c7a88", "#8b99a7", "#b1bcc7", "#dbe2e9")
TONES = {
    INK: Tone("ink", "#e6ebf0"),
    SOFT: Tone("soft", "#9aa7b4"),
    FAINT: Tone("faint", "#5f6c79"),
    RULE: Tone("rule", "#27313b"),
    PAPER: Tone("paper", "#12181f"),
    POLICY["model-only"]: Tone("model-only", "#f08a5a"),
    POLICY["compute-only"]: Tone("compute-only", "#3fc79d"),
    POLICY["best fixed"]: Tone("best-fixed", "#b4bfca"),
    POLICY["hull"]: Tone("hull", "#8795a3"),
    RIVALS[0]: Tone("rival-0", "#d98acb"),
    RIVALS[1]: Tone("rival-1", "#d3b13c"),
    **{light: Tone(f"ramp-{i}", dark) for i, (light, dark) in enumerate(zip(RAMP, _RAMP_DARK, strict=True))},
    **{light: Tone(f"grey-{i}", dark) for i, (light, dark) in enumerate(zip(GREYS, _GREYS_DARK, strict=True))},
}
"""Every colour in use; the joint policy's is also the fifth of its ramp."""

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
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.handlelength": 0.8,
    "legend.handletextpad": 0.4,
    "legend.columnspacing": 1.0,
    "legend.borderaxespad": 0.0,
    "legend.labelcolor": SOFT,
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
}


def shades(n: int, colours: Sequence[str] = RAMP) -> tuple[str, ...]:
    """Colours for n ordered options, light to dark; the darkest of the six are repeated beyond six."""
    steps = {1: (3,), 2: (1, 4), 3: (0, 2, 4), 4: (0, 2, 4, 5), 5: (0, 1, 2, 4, 5)}.get(n, range(n))
    return tuple(colours[min(step, len(colours) - 1)] for step in steps)


def colour_of(name: str, rivals: Sequence[str] = ()) -> str:
    """The colour of a policy; of a published method by its place among those shown.

    >>> colour_of("joint"), colour_of("token-gate", ["token-gate"])
    ('#0b5fa5', '#a34d91')
    """
    return POLICY[name] if name in POLICY else RIVALS[list(rivals).index(name) % len(RIVALS)]


def percent(share: float, _position: object = None) -> str:
    """Write a share in percent with no more digits than it has; as a tick formatter, the position is not used.

    >>> percent(0.925)
    '92.5 %'
    """
    return f"{100 * share:.4g} %"


class Money(NamedTuple):
    """A unit in which costs are read as small numbers: multiply by `scale` and call it `unit`."""

    scale: float
    unit: str
    sign: str

    def text(self, usd: float) -> str:
        """Format an amount with its sign, to three digits.

        >>> money([0.5]).text(0.1234)
        '$0.123'
        >>> money([2000.0]).text(1234.5)
        '$1,234'
        """
        amount = usd * self.scale
        return f"{self.sign}{amount:,.0f}" if abs(amount) >= 1000 else f"{self.sign}{amount:.3g}"


def money(amounts_usd: Sequence[float]) -> Money:
    """Choose the unit for some amounts: USD, or millionths of it where all are tiny.

    >>> money([2e-5, 8e-5]).unit
    'millionths of a USD'
    """
    top = max(amounts_usd, default=1.0)
    if top >= 0.01:
        return Money(1.0, "USD", "$")
    return Money(1e6, "millionths of a USD", "µ$")
