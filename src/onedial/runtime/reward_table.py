"""One entry of `[[rewards]]` in `onedial.toml`, read and checked, to a reward endpoint. The rest of the file is in `config`."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from onedial.core.model import SCORES, Model
from onedial.core.usage import Price
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.model_table import NotNegative, Word, refuse_unfit_name, refuse_unfit_url
from onedial.runtime.reward_wire import TURNS, Form, RewardEndpoint


class RewardTable(msgspec.Struct):
    """One entry of `[[rewards]]`; the price is in USD per million prompt tokens."""

    name: Word
    url: Word
    price: NotNegative
    model: Word | None = None
    form: Form = "pooling"
    right: int = -1
    raw: bool = False
    step_mark: str = ""
    turns: Word = TURNS
    api_key_env: Word | None = None
    timeout_s: Annotated[float, Meta(gt=0)] = 300.0
    retries: Annotated[int, Meta(ge=0)] = 3


def reward_of(table: RewardTable, at: str) -> RewardEndpoint:
    """Check an entry and make its endpoint.

    Args:
        table: The entry.
        at: Its key in the file, for errors.

    Raises:
        Wrong: A value is out of place.
    """
    refuse_unfit_name(f"{at}.name", table.name)
    refuse_unfit_url(f"{at}.url", table.url)
    model = Model(table.name, Price(table.price, 0.0), max_output_tokens=0, capabilities=frozenset({SCORES}))
    endpoint = Endpoint(
        model, table.url, table.model or table.name, api_key_env=table.api_key_env, timeout_s=table.timeout_s, retries=table.retries
    )
    return RewardEndpoint(endpoint, table.form, table.right, table.raw, table.step_mark, table.turns)
