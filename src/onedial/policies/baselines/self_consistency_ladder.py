"""Fixed self-consistency: the same number of votes for every query.

Source: Wang 2203.11171.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onedial.core.outcome import Ints
from onedial.policies.baselines.stopping import Flags, stop_recipe


@dataclass(frozen=True, slots=True)
class Fixed:
    """Draw all at once."""

    def checks(self, cap: int) -> tuple[int, ...]:
        """One look, at the end."""
        return (cap,)

    def enough(self, answer: Ints) -> Flags:
        """Always."""
        return np.ones(len(answer), dtype=bool)


SELF_CONSISTENCY = stop_recipe("self-consistency", "Wang 2203.11171", (Fixed(),))
