"""Adaptive self-consistency by doubling: two samples, then four, eight, ...; stop when a share of those with an answer agrees.

Two samples that agree always stop it, which is its known weakness.

Source: its_hub 1.2.0, `AdaptiveSelfConsistency`, threshold .75.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onedial.core.outcome import Ints
from onedial.policies.baselines.stopping import Flags, stop_recipe
from onedial.policies.baselines.votes import tally

THRESHOLDS = (0.75, 0.6, 0.9, 1.0)


@dataclass(frozen=True, slots=True)
class DoublingRule:
    """Look after 2, 4, 8, ... samples.

    Attributes:
        threshold: Share of the samples with an answer, in (.5, 1].
    """

    threshold: float = 0.75

    def checks(self, cap: int) -> tuple[int, ...]:
        """Powers of two, and the cap."""
        return (*(2**k for k in range(1, cap.bit_length()) if 2**k < cap), cap)

    def enough(self, answer: Ints) -> Flags:
        """Whether the share is reached."""
        voting = (answer >= 0).sum(axis=1)
        agreed: Flags = (voting > 0) & (tally(answer)[:, 0] >= self.threshold * np.maximum(voting, 1) - 1e-9)
        return agreed


ADAPTIVE_SELF_CONSISTENCY = stop_recipe("adaptive-self-consistency", "its_hub 1.2.0", tuple(map(DoublingRule, THRESHOLDS)))
