"""The formats of reward endpoints: from a conversation to a request, from a reply to rewards. Pure.

Form `pooling`: vLLM `POST /pooling`. Of a model with one output per response, or, for a process reward model, a list per step.
Form `classify`: vLLM `POST /classify`, class probabilities or, where the server is told so, one raw reward.
Form `score`: vLLM `POST /score`, a pair of texts: the request and the response.
Form `sglang`: SGLang `POST /classify`, one text per conversation, so that the chat template is the caller's: turns are joined by `turns`.

vLLM puts a softmax over what a classifier returns unless it is started otherwise; over a single output that is always 1.
Serve a reward model of one output with its activation off, and set `raw`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Any, Literal

import msgspec

from onedial.core.ask import Sample
from onedial.core.errors import ConfigError
from onedial.core.model import SCORES, Model
from onedial.core.query import Message
from onedial.core.usage import Price
from onedial.runtime.endpoint import Endpoint

TURNS = "<|im_start|>{role}\n{content}<|im_end|>\n"
"""ChatML, which many models were trained with."""
Form = Literal["pooling", "classify", "score", "sglang"]


@dataclass(frozen=True, slots=True)
class RewardEndpoint:
    """How to ask one reward model.

    Attributes:
        endpoint: Where it is; `url` is the server's own address, mostly without /v1. Its model generates nothing: `max_output_tokens` is 0.
        form: Which of the formats above.
        right: Which output is the chance of being right where there are several; the last by default.
        raw: Rewards are any numbers, and a sigmoid takes them to [0, 1]. If not, one outside of [0, 1] is an error.
        step_mark: Text put after every step, as a process reward model was trained with (`<extra_0>` for Qwen2.5-Math-PRM).
        turns: For `sglang`, how one turn is written, with {role} and {content}.
    """

    endpoint: Endpoint
    form: Form = "pooling"
    right: int = -1
    raw: bool = False
    step_mark: str = ""
    turns: str = TURNS

    @classmethod
    def at(cls, name: str, url: str, usd_per_mtok: float, upstream: str | None = None, **fields: Any) -> RewardEndpoint:
        """The reward model of a server.

        Args:
            name: What it is called in a judge's source.
            url: The server's address.
            usd_per_mtok: Price of its prompt tokens.
            upstream: Its name at the server, if it is another.
            fields: Those above.
        """
        model = Model(name, Price(usd_per_mtok, 0.0), max_output_tokens=0, capabilities=frozenset({SCORES}))
        return cls(Endpoint(model, url, upstream or name), **fields)


class _Item(msgspec.Struct):
    """One result, whichever form it has."""

    data: Any = None
    probs: list[float] | None = None
    score: float | None = None


class _Counts(msgspec.Struct):
    prompt_tokens: int | None = None


class _Listed(msgspec.Struct):
    """A reply of vLLM's."""

    data: list[_Item]
    usage: _Counts | None = None


class _Embedded(msgspec.Struct):
    """One result of SGLang's."""

    embedding: list[float]
    meta_info: _Counts | None = None


def request_of(ask: Sample, form: RewardEndpoint) -> tuple[str, dict[str, Any]]:
    """The path and the body that ask for the rewards of the response at the end of a conversation.

    Raises:
        ConfigError: The conversation does not end with a response, or several verdicts are wanted: a reward model has one.
    """
    told, steps = _parted(ask.messages)
    if not steps or ask.n != 1:
        raise ConfigError(f"model {ask.source.model!r} is a reward model: it gives one verdict on a response, and answers no queries.")
    response = "".join(step + form.step_mark for step in steps) if form.step_mark else "\n\n".join(steps)
    model = {"model": form.endpoint.upstream}
    turns = [{"role": m.role, "content": m.content} for m in (*told, Message("assistant", response))]
    if form.form == "score":
        return "/score", model | {"text_1": "\n\n".join(m.content for m in told), "text_2": response}
    if form.form == "sglang":
        return "/classify", model | {"text": ["".join(form.turns.format(**turn) for turn in turns)]}
    return f"/{form.form}", model | {"messages": turns}


def rewards_of(data: bytes, form: RewardEndpoint) -> tuple[list[float], int | None]:
    """The rewards in a reply, in [0, 1], one per step; and the prompt tokens it reports, None if it reports none.

    Raises:
        ValueError: It holds no rewards.
        ConfigError: Rewards are not in [0, 1], and the model is not said to be `raw`.
    """
    found, counts = _outputs(data, form)
    scores = [_in_range(row[form.right], form) for row in found]
    return scores, counts.prompt_tokens if counts else None


def _outputs(data: bytes, form: RewardEndpoint) -> tuple[list[list[float]], _Counts | None]:
    """The model's outputs, a row per step."""
    if form.form == "sglang":
        one = msgspec.json.decode(data, type=list[_Embedded])
        return _rows(one[0].embedding if one else None), one[0].meta_info if one else None
    reply = msgspec.json.decode(data, type=_Listed)
    item = reply.data[0] if reply.data else _Item()
    whole = {"pooling": item.data, "classify": item.probs, "score": None if item.score is None else [item.score]}[form.form]
    return _rows(whole), reply.usage


def _rows(whole: Any) -> list[list[float]]:
    """Rows as they are; a flat list is one row."""
    rows = whole if isinstance(whole, list) and whole and isinstance(whole[0], list) else [whole]
    if not all(isinstance(row, list) and row and all(isinstance(x, int | float) for x in row) for row in rows):
        raise ValueError("the reply holds no rewards")
    return [[float(x) for x in row] for row in rows]


def _in_range(reward: float, form: RewardEndpoint) -> float:
    if form.raw:
        return 1.0 / (1.0 + exp(-reward)) if reward > -700 else 0.0
    if not 0.0 <= reward <= 1.0:
        name = form.endpoint.model.name
        raise ConfigError(f"model {name!r}: a reward of {reward:g} was found; expected one in [0, 1]. Set `raw`, for any number.")
    return reward


def _parted(messages: Sequence[Message]) -> tuple[list[Message], list[str]]:
    """The conversation, and the turns of the assistant's at its end."""
    cut = next((i for i in range(len(messages), 0, -1) if messages[i - 1].role != "assistant"), 0)
    return [*messages[:cut]], [message.content for message in messages[cut:]]
