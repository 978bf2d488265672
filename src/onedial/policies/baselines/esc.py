"""Early-stopping self-consistency: sample in windows; stop when all answers of one window are the same.

Source: Li 2401.10480, algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from onedial.core.outcome import Ints
from onedial.policies.baselines.stopping import Flags, stop_recipe

WINDOWS = (5, 2, 3, 4, 8)


@dataclass(frozen=True, slots=True)
class WindowRule:
    """Look after every full window; what is left of the cap is one shorter window.

    Attributes:
        window: Samples, at least 2.
    """

    window: int = 5

    def checks(self, cap: int) -> tuple[int, ...]:
        """Multiples of the window, and the cap."""
        return tuple(sorted({*range(self.window, cap + 1, self.window), cap}))

    def enough(self, answer: Ints) -> Flags:
        """Whether the last window is of one mind; a sample without an answer agrees with none."""
        last = answer[:, -self.window :]
        same: Flags = (last == last[:, :1]).all(axis=1) & (last[:, 0] >= 0)
        return same


ESC = stop_recipe("esc", "Li 2401.10480", tuple(map(WindowRule, WINDOWS)))
