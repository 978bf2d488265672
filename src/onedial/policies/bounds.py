"""P-values and confidence bounds for the mean of values in [0, 1], by any of the registered tests.

Adding a test is adding an entry to `TESTS`: a function from (values, null mean, delta) to p-values.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, rel_entr

from onedial.core.errors import ConfigError, unknown
from onedial.core.outcome import Floats
from onedial.policies.betting import betting_p_value

Test = Callable[[Floats, npt.ArrayLike, float], Floats]
GRID = 256


def hoeffding_bentkus_p_value(values: Floats, null_mean: npt.ArrayLike, delta: float = 0.1) -> Floats:
    """P-value of "the mean is at most `null_mean`" by the smaller of Hoeffding's and Bentkus's inequality.

    Knows nothing of the variance, so it is far weaker than betting where most
    differences are zero; it does not depend on the order of the outcomes, or on `delta`.

    Args:
        values: (..., n) in [0, 1], n >= 1.
        null_mean: In (0, 1], broadcasting.
        delta: Not used.

    Source: Bates 2101.02703, proposition 6, for the loss 1 - x.
    """
    n = values.shape[-1]
    risk = 1.0 - values.mean(axis=-1)
    limit = 1.0 - np.asarray(null_mean, dtype=float)
    low = np.minimum(risk, limit)
    hoeffding = np.exp(-n * (rel_entr(low, limit) + rel_entr(1.0 - low, 1.0 - limit)))
    bentkus = np.e * bdtr(np.ceil(n * risk - 1e-9), n, limit)
    return np.asarray(np.clip(np.minimum(hoeffding, bentkus), 0.0, 1.0))


TESTS: dict[str, Test] = {"betting": betting_p_value, "hoeffding-bentkus": hoeffding_bentkus_p_value}


def named_test(name: str) -> Test:
    """Look a test up.

    Raises:
        ConfigError: No test has this name.
    """
    if name not in TESTS:
        raise ConfigError(unknown("test", name, TESTS))
    return TESTS[name]


def lower_bound(values: Floats, delta: float, test: str = "betting") -> float:
    """Find the largest mean below which every mean is rejected: a lower confidence bound at level 1 - delta.

    Args:
        values: (n,) in [0, 1], shuffled beforehand where the test is sensitive to order.
        delta: In (0, 1).
        test: A key of `TESTS`.

    Returns:
        In [0, 1], to about 1/65,000; 0 if nothing can be excluded.
    """
    low, high = 0.0, 1.0
    for _ in range(2):
        grid = np.linspace(low, high, GRID + 1)[1:]
        kept = np.flatnonzero(named_test(test)(values, grid, delta) > delta)
        first = int(kept[0]) if kept.size else GRID - 1
        low, high = (low if first == 0 else float(grid[first - 1])), float(grid[first])
    return low
