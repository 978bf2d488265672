"""What is asked of every policy in every fold, and which fold tests which query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from onedial.core.errors import ConfigError
from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query

OFFSETS = (0.0, 0.01, 0.02, 0.05, 0.1)
"""Targets, fixed in advance: the best fixed arm's training quality less this."""
SWEPT = tuple(
    float(x)
    for x in (*np.arange(-0.12, 0.0, 0.01), *np.arange(-0.0075, 0.03, 0.0025), *np.arange(0.03, 0.15, 0.01), *np.arange(0.15, 0.96, 0.05))
)
"""Further offsets, which trace the frontier of every policy; negative ones ask for more than any fixed arm reached."""


@dataclass(frozen=True, slots=True)
class Goal:
    """One target for all folds.

    Attributes:
        value: Mean quality, or the distance below the best fixed arm's training quality.
        absolute: Which of the two.
    """

    value: float
    absolute: bool = False

    def at(self, best: float) -> float:
        """The quality asked for where the best fixed arm reached `best` in training."""
        return self.value if self.absolute else best - self.value

    @property
    def label(self) -> str:
        """How it is named in tables.

        >>> Goal(0.02).label, Goal(0.9, absolute=True).label, Goal(0.0).label
        ('best − 2', '90 %', 'best')
        """
        if self.absolute:
            return f"{100 * self.value:.4g} %"
        return f"best − {100 * self.value:.4g}" if self.value else "best"


def goals_of(targets: Sequence[float]) -> tuple[Goal, ...]:
    """The fixed offsets, then absolute qualities.

    Raises:
        ConfigError: A quality outside (0, 1].
    """
    if wrong := [t for t in targets if not 0.0 < t <= 1.0]:
        raise ConfigError(f"target {wrong[0]} is not in (0, 1]; 0.92 means 92 % right.")
    return (*(Goal(o) for o in OFFSETS), *(Goal(float(t), absolute=True) for t in targets))


def asked(goals: Sequence[Goal], best: float) -> Floats:
    """(goals + swept,) qualities asked for in a fold: the goals first, then what traces the frontier."""
    return np.array([goal.at(best) for goal in (*goals, *map(Goal, SWEPT))])


def folds_of(queries: Sequence[Query], folds: int, seed: int) -> Ints:
    """(n_queries,) the fold that tests each query: even sizes, by a hash of id and seed.

    Raises:
        ConfigError: Fewer than two folds, or fewer than two queries for each.
    """
    if not 2 <= folds <= len(queries) // 2:
        raise ConfigError(f"{folds} folds of {len(queries)} queries; expected 2 folds at least, with 2 queries each.")
    digests = [blake2b(f"{seed}-{query.id}".encode(), digest_size=8).digest() for query in queries]
    fold = np.empty(len(queries), dtype=np.int64)
    fold[sorted(range(len(queries)), key=lambda i: (digests[i], queries[i].id))] = np.arange(len(queries)) % folds
    return fold
