"""Published stop rules, every setting of each, on the queries of a frozen set. Which settings are compared is in `stopping`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from stopping_set import MOST, FrozenSet

from onedial.core.outcome import Floats, Ints
from onedial.policies.baselines.adaptive_consistency import beta_tail, dirichlet_tail
from onedial.policies.baselines.best_of_infinity import bayes_factor

CAPS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, MOST)
CHANCES = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999)
FACTORS = (3.0, 6.0, 10.0, 20.0, 30.0, 60.0, 100.0, 300.0, 1000.0)
WINDOWS = (2, 3, 4, 5, 6, 8, 10, 12, 16)
SHARES = (0.51, 0.6, 0.7, 0.75, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class Played:
    """Every setting of one rule on every query: samples drawn and whether the answer was right, (n, settings)."""

    samples: Floats
    right: Floats


class Votes:
    """All queries' tallies after every sample."""

    def __init__(self, frozen: FrozenSet) -> None:
        """Count."""
        n = len(frozen.code)
        self.tally: list[list[tuple[int, ...]]] = []
        self.first, self.second = np.zeros((n, MOST), dtype=np.int64), np.zeros((n, MOST), dtype=np.int64)
        self.right = np.zeros((n, MOST))
        for i, (code, right) in enumerate(zip(frozen.code.tolist(), frozen.right.tolist(), strict=True)):
            rows = list(tallies(code))
            good = dict(zip(code, right, strict=True))
            self.tally.append([counts for counts, _, _ in rows])
            self.right[i] = [good[names[0]] if names else 0.0 for _, _, names in rows]
        for k in range(MOST):
            padded = [(*row[k], 0, 0)[:2] for row in self.tally]
            self.first[:, k], self.second[:, k] = np.array(padded).T

    def until(self, statistic: Callable[[tuple[int, ...]], float], most: float) -> Floats:
        """(n, MOST) a statistic of the tally; from where it first reaches `most` on it is left as it is there."""
        found = np.zeros((len(self.tally), MOST))
        for i, row in enumerate(self.tally):
            for k, counts in enumerate(row):
                found[i, k] = statistic(counts)
                if found[i, k] >= most:
                    found[i, k:] = found[i, k]
                    break
        return found

    def played(self, stops: Sequence[Ints]) -> Played:
        """What stopping after so many samples brings."""
        n = np.stack(stops, axis=1)
        return Played(n.astype(float), np.take_along_axis(self.right, n - 1, axis=1))


def tallies(code: Sequence[int]) -> Iterator[tuple[tuple[int, ...], int, tuple[int, ...]]]:
    """Votes, most first, samples without an answer, and the answers in that order; the earliest first among equals."""
    counts: dict[int, int] = {}
    for k, answer in enumerate(code, 1):
        if answer >= 0:
            counts[answer] = counts.get(answer, 0) + 1
        names = tuple(sorted(counts, key=lambda a: -counts[a]))
        votes = tuple(counts[a] for a in names)
        yield votes, k - sum(votes), names


def stops(enough: np.ndarray, caps: Sequence[int] = CAPS) -> list[Ints]:
    """Samples drawn, per cap."""
    found = []
    for cap in caps:
        ends = enough.copy()
        ends[:, cap - 1] = True
        found.append(ends.argmax(axis=1) + 1)
    return found


def rivals(frozen: FrozenSet, votes: Votes) -> dict[str, Played]:
    """Every published rule with every setting."""
    n, at = len(frozen.code), np.arange(1, MOST + 1)
    beta = beta_tail(votes.first, votes.second)
    dirichlet, factor = votes.until(dirichlet_tail, CHANCES[-1]), votes.until(lambda c: bayes_factor(c) if c else 0.0, FACTORS[-1])
    voting = np.cumsum(frozen.code >= 0, axis=1)
    share = np.where(voting > 0, votes.first / np.maximum(voting, 1), 0.0)
    doubling = (at >= 2) & ((at & (at - 1)) == 0)
    return {
        "fixed votes": votes.played([np.full(n, k) for k in at]),
        "Adaptive-Consistency, Beta": votes.played([s for c in CHANCES for s in stops(beta >= c)]),
        "Adaptive-Consistency, Dirichlet": votes.played([s for c in CHANCES for s in stops(dirichlet >= c)]),
        "Beta self-consistency (its_hub)": votes.played([s for c in CHANCES for s in stops(beta >= c, [MOST])]),
        "adaptive self-consistency (its_hub)": votes.played([s for c in SHARES for s in stops((share >= c - 1e-9) & doubling)]),
        "ESC": votes.played([s for w in WINDOWS for s in stops(of_one_mind(frozen.code, w), [c for c in CAPS if c >= w])]),
        "Best-of-infinity": votes.played([s for c in FACTORS for s in stops(factor >= c)]),
    }


def of_one_mind(code: Ints, window: int) -> np.ndarray:
    """(n, MOST) whether a window ends here, all of it one answer."""
    found = np.zeros(code.shape, dtype=bool)
    for k in range(window, MOST + 1, window):
        last = code[:, k - window : k]
        found[:, k - 1] = (last == last[:, :1]).all(axis=1) & (last[:, 0] >= 0)
    return found
