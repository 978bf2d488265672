"""How likely one arm is to do at least as well as another: the labels of Hybrid-LLM and BEST-Route.

A direct arm has its recorded samples. Of an arm that draws several, its expected quality is known; where scores are right
or wrong it is right with that chance, else it is worth that much.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from onedial.core.outcome import Floats
from onedial.policies.baselines.contract import Lesson

_ROUNDING = 1e-9


class Draws(NamedTuple):
    """Qualities that one answer of an arm may have, and their chances: both (n, m), chances summing to 1."""

    value: Floats
    chance: Floats


def draws_of(lesson: Lesson, column: int) -> Draws:
    """The qualities of one answer of an arm on each training query."""
    arm, quality = lesson.grid.arms[column], lesson.grid.quality[:, column]
    score = lesson.panel.score[:, lesson.panel.sources.index(arm.source)]
    known = np.isfinite(score)
    if arm.n == 1 and known.any(axis=1).all():
        return Draws(np.where(known, score, 0.0), known / known.sum(axis=1, keepdims=True))
    if np.isin(score[known], (0.0, 1.0)).all():
        return Draws(np.tile([0.0, 1.0], (len(quality), 1)), np.stack((1.0 - quality, quality), axis=1))
    return Draws(quality[:, None], np.ones((len(quality), 1)))


def p_at_least(one: Draws, other: Draws, slack: float = 0.0) -> Floats:
    """(n,) chance that an answer of `one` is at least as good as one of `other`, less `slack`.

    >>> half = Draws(np.array([[0.0, 1.0]]), np.array([[0.5, 0.5]]))
    >>> p_at_least(half, half).tolist()
    [0.75]
    """
    wins = one.value[:, :, None] >= other.value[:, None, :] - slack - _ROUNDING
    return np.asarray((wins * one.chance[:, :, None] * other.chance[:, None, :]).sum(axis=(1, 2)))


def single(draws: Draws) -> Floats:
    """(n,) one answer of each query: the first that has a chance where chances are even, else the likeliest."""
    at = np.argmax(draws.chance, axis=1)
    return np.asarray(draws.value[np.arange(len(at)), at])
