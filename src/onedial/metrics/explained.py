"""How much of the variance of cells each of several factors explains: R squared in sequence, and its Shapley values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import factorial

import numpy as np

from onedial.core.outcome import Floats


def r_squared(y: Floats, blocks: Sequence[Floats]) -> float:
    """Share of the variance of `y` that least squares on the columns of all blocks, and a constant, explains; 0 where `y` is constant.

    Args:
        y: (n,).
        blocks: Each (n, k).

    >>> r_squared(np.array([1.0, 2.0, 3.0]), [np.array([[2.0], [4.0], [6.0]])])
    1.0
    """
    centred = y - y.mean()
    total = float(centred @ centred)
    if total <= 0 or not blocks:
        return 0.0
    x = np.column_stack(blocks)
    x = x - x.mean(axis=0)
    left = centred - x @ np.linalg.lstsq(x, centred, rcond=None)[0]
    return max(0.0, round(1.0 - float(left @ left) / total, 12))


def sequential_r_squared(y: Floats, factors: Mapping[str, Floats]) -> dict[str, float]:
    """What each factor adds to R squared, in the order given."""
    names, added, before = list(factors), {}, 0.0
    for k, name in enumerate(names):
        after = r_squared(y, [factors[one] for one in names[: k + 1]])
        added[name], before = after - before, after
    return added


def shapley_r_squared(y: Floats, factors: Mapping[str, Floats]) -> dict[str, float]:
    """What each factor adds to R squared, averaged over all orders; the values sum to the R squared of all.

    Source: Shapley regression, Lipovetsky and Conklin 2001.
    """
    names = list(factors)
    known = {
        chosen: r_squared(y, [factors[name] for name in chosen]) for size in range(len(names) + 1) for chosen in combinations(names, size)
    }
    values = {}
    for name in names:
        rest, value = [one for one in names if one != name], 0.0
        for size in range(len(rest) + 1):
            weight = factorial(size) * factorial(len(rest) - size) / factorial(len(names))
            for chosen in combinations(rest, size):
                joined = tuple(one for one in names if one in chosen or one == name)
                value += weight * (known[joined] - known[chosen])
        values[name] = value
    return values


def dummies(codes: Sequence[str]) -> Floats:
    """One column of zeros and ones per distinct code but the first.

    >>> dummies(["a", "b", "a"]).tolist()
    [[0.0], [1.0], [0.0]]
    """
    distinct = list(dict.fromkeys(codes))[1:]
    return np.array([[float(code == one) for one in distinct] for code in codes]).reshape(len(codes), len(distinct))
