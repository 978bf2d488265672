"""The picture of `stopping`: accuracy against samples, every rule a line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from onedial.core.outcome import Floats

OURS = {"controller": "#c0392b", "controller with forecast": "#1f4e79"}
MARKS = "ovs^DPX*"


def draw(lines: Mapping[str, tuple[Floats, Floats]], path: Path) -> None:
    """Draw mean samples and mean accuracy of every rule."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8.0, 5.0))
    rivals = [name for name in lines if name not in OURS]
    for mark, name in zip(MARKS, rivals, strict=False):
        samples, right = lines[name]
        axes.plot(samples, 100 * right, marker=mark, markersize=4, linewidth=0.9, alpha=0.75, label=name)
    for name, colour in OURS.items():
        samples, right = lines[name]
        axes.plot(samples, 100 * right, color=colour, linewidth=2.2, marker=".", label=name)
    axes.set_xscale("log")
    axes.set_xticks([1, 2, 3, 4, 6, 8, 12], labels=["1", "2", "3", "4", "6", "8", "12"])
    axes.minorticks_off()
    axes.set_xlabel("samples per query")
    axes.set_ylabel("answers that are right, %")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8, loc="lower right", frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=130)
    plt.close(figure)
