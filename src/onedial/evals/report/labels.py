"""Placing text beside points without overlaps: as many labels as fit, most important first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

OFFSETS = (
    (5, 0, "left", "center"),
    (0, 5, "center", "bottom"),
    (0, -5, "center", "top"),
    (-5, 0, "right", "center"),
    (4, -4, "left", "top"),
    (-4, 4, "right", "bottom"),
)
DOT_PT = 2.2  # points around a dot that no label may enter


def place(
    ax: Axes,
    points: Sequence[tuple[float, float, str]],
    avoid: Sequence[tuple[float, float]] = (),
    written: Sequence[Artist] = (),
    **style: Any,
) -> int:
    """Write each label beside its point where it covers nothing yet; leave out those that fit nowhere.

    Args:
        ax: Axes whose limits are final.
        points: (x, y, label) in data units, most important first.
        avoid: Points that no label may cover, such as those of lines.
        written: Text and legends that are there already.
        style: Passed on to `annotate`.

    Returns:
        How many labels were placed.
    """
    canvas: Any = ax.figure.canvas
    renderer = canvas.get_renderer()
    dot_radius = renderer.points_to_pixels(DOT_PT)
    frame = ax.get_window_extent(renderer)
    dots = [ax.transData.transform(dot) for dot in (*avoid, *((x, y) for x, y, _ in points))]
    taken: list[Any] = [text.get_window_extent(renderer) for text in written]
    for x, y, label in points:
        for dx, dy, ha, va in OFFSETS:
            note = ax.annotate(label, (x, y), (dx, dy), textcoords="offset points", ha=ha, va=va, **style)
            box = note.get_window_extent(renderer)
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            if (
                inside
                and not any(box.overlaps(other) for other in taken)
                and not any(box.padded(dot_radius).contains(*dot) for dot in dots)
            ):
                taken.append(box.padded(dot_radius / 2))
                break
            note.remove()
    return len(taken) - len(written)


def spread(values: Sequence[float], gap: float, top: float = float("inf")) -> list[float]:
    """Move values apart until neighbours differ by at least `gap`, keeping their order and about their middle, none above `top`.

    >>> spread([0.0, 0.0], 1.0)
    [-0.5, 0.5]
    >>> spread([0.0, 0.0], 1.0, top=0.0)
    [-1.0, 0.0]
    """
    order = sorted(range(len(values)), key=lambda i: values[i])
    groups: list[tuple[float, list[int]]] = []
    for i in order:
        groups.append((values[i], [i]))
        while len(groups) > 1 and _end(groups[-2], gap) + gap > _start(groups[-1], gap):
            centre_b, b = groups.pop()
            centre_a, a = groups.pop()
            groups.append(((centre_a * len(a) + centre_b * len(b)) / (len(a) + len(b)), a + b))
    moved = list(values)
    for centre, members in groups:
        for k, i in enumerate(members):
            moved[i] = centre + gap * (k - (len(members) - 1) / 2)
    for i in reversed(order):
        moved[i] = min(moved[i], top)
        top = moved[i] - gap
    return moved


def _start(group: tuple[float, list[int]], gap: float) -> float:
    return group[0] - gap * (len(group[1]) - 1) / 2


def _end(group: tuple[float, list[int]], gap: float) -> float:
    return group[0] + gap * (len(group[1]) - 1) / 2
