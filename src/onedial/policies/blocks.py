"""Blocks of samples: their sizes, and all that one may bring to the answers already seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import gammaln

from onedial.core.outcome import Floats, Ints

BLOCKS = (1, 2, 4, 8)
"""Sizes that may be drawn at once."""
LOOKS = (1, 2)
"""Sizes after which a further step is looked ahead."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """All outcomes of one block; arrays are (outcomes,), and the counts of one outcome add up to `size`.

    Attributes:
        size: Samples in the block.
        first: Samples that join the leading answer.
        second: Samples that join the second.
        rest: Samples that join any other answer seen.
        new: Samples that agree on a new answer; 0 or at least 2.
        other: Samples that agree on another new answer, no more than `new`; 0 or at least 2.
        single: Samples that agree with none.
        log_ways: Log of the number of sequences of samples that come to this.
    """

    size: int
    first: Ints
    second: Ints
    rest: Ints
    new: Ints
    other: Ints
    single: Ints
    log_ways: Floats


@lru_cache
def outcomes_of(size: int, seen: int, more: bool) -> Outcomes:
    """Enumerate them where `seen` of the two leading answers exist, and `more` beside them.

    Three new answers of several samples each are left out. Only a block of 8 can bring
    them: about a sixth of the time if it is the first one, all of it is wrong and the
    answers scatter, else hardly ever; sums over outcomes must allow for it. What joins
    the others joins them all alike, as the urn of a Chinese restaurant allows.
    """
    rows = [
        (first, second, rest, new, other, size - first - second - rest - new - other)
        for first in range(size + 1 if seen > 0 else 1)
        for second in range(size + 1 - first if seen > 1 else 1)
        for rest in range(size + 1 - first - second if more else 1)
        for new in (0, *range(2, size - first - second - rest + 1))
        for other in (0, *range(2, min(new, size - first - second - rest - new) + 1))
    ]
    parts = np.array(rows, dtype=np.int64).T
    ways = gammaln(size + 1) - gammaln(parts + 1).sum(axis=0) - np.log(2.0) * ((parts[3] == parts[4]) & (parts[4] > 0))
    first, second, rest, new, other, single = parts
    return Outcomes(size, first, second, rest, new, other, single, ways)
