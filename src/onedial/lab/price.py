"""What the embedded models cost: the arithmetic of one rented processor core.

Price per token = 2 x parameters / `FLOP_PER_S` x `USD_PER_HOUR` / 3600, prompt
and output alike. The two constants stand for one core of a rented machine:
50 GFLOP/s is what such a core sustains in single precision, 0.04 USD an hour
what it costs. They set the scale of every embedded cost and cancel out of
every ratio.
"""

from __future__ import annotations

from onedial.core.usage import TOKENS_PER_PRICE, Price
from onedial.lab.shape import Shape

FLOP_PER_S = 50e9
USD_PER_HOUR = 0.04
CACHED_SHARE = 0.1
"""Cached input as a share of the input price: a cached prefix is not computed again, and hosts usually charge a tenth."""


def price_of(shape: Shape) -> Price:
    """Price a model, in USD per million tokens.

    >>> from onedial.lab.shape import SHAPES
    >>> f"{price_of(SHAPES['tiny']).output_usd_per_mtok:.2e}"
    '5.66e-05'
    """
    seconds_per_token = 2 * shape.parameters / FLOP_PER_S
    usd = seconds_per_token * USD_PER_HOUR / 3600 * TOKENS_PER_PRICE
    return Price(usd, usd, CACHED_SHARE * usd)
