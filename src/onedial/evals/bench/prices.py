"""Prices found in recorded costs: tables say what a sample cost and what it used, seldom the price that joins the two.

A price that explains nearly every cost exactly is used as a price, so that an ask for n
samples bills its prompt once (the rest are samples whose prompt happened to be cached). Where none
does, recorded costs are charged as they stand, and the price made here only tells forecasts what a token is about worth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from onedial.core.outcome import Floats, Outcome
from onedial.core.usage import TOKENS_PER_PRICE, Price

EXACT = 1e-3
"""Largest error of a sample's cost, as a share of the mean cost, for a price to explain it."""
APART = 1e-3
"""Input and output tokens that vary together more closely than this, as a ratio of singular values, cannot be told apart."""
EXPLAINED = 0.95
"""Share of the samples that a price must explain to be billed by."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the recorded costs of a model say about its price.

    Attributes:
        price: Reproduces costs if `exact`, else total cost over total output tokens (or over samples, as if each were one token).
        exact: Whether it may be billed by.
        explained: Share of the samples whose cost it reproduces; 0 where tokens are not recorded.
    """

    price: Price
    exact: bool
    explained: float


def find_price(outcomes: Iterable[Outcome]) -> Found:
    """Solve one model's price from its recorded costs and tokens by least squares.

    Args:
        outcomes: Samples of one model, all efforts; those without a cost are left out.

    Raises:
        ValueError: None has a cost.
    """
    priced = [o for o in outcomes if o.cost_usd is not None]
    if not priced:
        raise ValueError("a price needs at least one recorded cost")
    cost = np.array([o.cost_usd for o in priced], dtype=float)
    used = np.array([[np.nan if t is None else t for t in (o.input_tokens, o.output_tokens)] for o in priced], dtype=float)
    rates, explained = _solved(used, cost)
    if explained >= EXPLAINED:
        return Found(Price(*(float(r) * TOKENS_PER_PRICE for r in rates)), True, explained)
    known = np.isfinite(used[:, 1]) & (used[:, 1] > 0)
    per_token = cost[known].sum() / used[known, 1].sum() if known.any() else cost.mean()
    return Found(Price(0.0, float(per_token) * TOKENS_PER_PRICE), False, explained)


def _solved(used: Floats, cost: Floats) -> tuple[Floats, float]:
    """(2,) USD per token, and the share of samples that it explains; samples that stand out are left out of a second and third try."""
    from scipy.optimize import nnls

    if not np.isfinite(used).all():
        return np.zeros(2), 0.0
    scale, tolerance = np.maximum(used.max(axis=0), 1.0), EXACT * max(float(cost.mean()), 1e-300)
    sizes = np.linalg.svd(used / scale, compute_uv=False)
    if len(sizes) < 2 or sizes[1] < APART * sizes[0]:
        return np.zeros(2), 0.0  # where tokens are averages of a run, say, any split between prompt and output explains all
    near = np.ones(len(cost), dtype=bool)
    for _ in range(3):
        rates = nnls(used[near] / scale, cost[near])[0] / scale
        error = np.abs(used @ rates - cost)
        near = error <= max(float(np.median(error)), tolerance)
    return rates, float((error <= tolerance).mean())
