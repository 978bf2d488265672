"""The tuned two-arm agreement cascade: draw k of a cheap arm; if enough of them agree answer with them, else with a second arm.

Settings: up to 10 probes, k of 2 to 4, every reachable share of agreement, up to 16 followers; at most 1,000.

Source: THEORY.md section 2; the two-probe gates of public routing boards; Yue 2310.03094 (mixtures of thoughts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onedial.core.decision import Policy
from onedial.core.outcome import Floats
from onedial.policies.baselines.contract import Lesson, StepperRecipe
from onedial.policies.baselines.pool import Pool, pool_of
from onedial.policies.baselines.staged import Stage
from onedial.policies.baselines.two_arm import Opening, levels, tuned
from onedial.policies.baselines.votes import Seen, agreement

SIZES = (2, 3, 4)


@dataclass(frozen=True, slots=True)
class Agreement:
    """The share of samples that gave the most frequent answer."""

    def __call__(self, seen: Seen, ante: Floats) -> Floats:
        """(rows,) in [0, 1]."""
        return agreement(seen.answer)


def openings(pool: Pool) -> list[Opening]:
    """Every probe with every count."""
    found = []
    for j in pool.probes:
        for n in (n for n in SIZES if n <= pool.depth(j)):
            score = agreement(pool.tape.seen(j, n).answer)
            found.append(Opening(j, Stage(pool.block(j, n), Agreement()), score, levels(score)))
    return found


def fit(lesson: Lesson) -> Sequence[Policy]:
    """Tune it."""
    pool = pool_of(lesson)
    return tuned(pool, openings(pool))


AGREEMENT_CASCADE = StepperRecipe("agreement-cascade", "THEORY.md section 2; Yue 2310.03094", fit)
