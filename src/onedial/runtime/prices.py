"""List prices of hosted models, from the data that ships with genai-prices. Nothing is fetched."""

from __future__ import annotations

from typing import Any

from onedial.core.usage import Price


def list_price(model: str, url: str, context_tokens: int) -> Price | None:
    """The list price of a model at the provider that this address belongs to; None if it is not known.

    A price that rises with the length of the prompt is taken at the highest step
    that `context_tokens` can reach, so that no bill is forecast too low.
    """
    from genai_prices import Usage, calc_price

    try:
        price = calc_price(Usage(input_tokens=1, output_tokens=1), model, provider_api_url=url).model_price
    except LookupError:
        return None
    steps = [_step(value, context_tokens) for value in (price.input_mtok, price.output_mtok, price.cache_read_mtok)]
    if steps[0] is None or steps[1] is None:
        return None
    return Price(steps[0], steps[1], steps[2])


def _step(price: Any, context_tokens: int) -> float | None:
    if price is None:
        return None
    reached = [tier.price for tier in getattr(price, "tiers", ()) if tier.start < context_tokens]
    return float(max([getattr(price, "base", price), *reached]))
