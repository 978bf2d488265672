"""How thinking is asked for, by model family: one row each. Data alone; what is done with it is in `thinking`.

There are three kinds. A hard cap in tokens is kept by the endpoint and needs a field. A soft level is a word that the family knows;
how many tokens it comes to is learned from outcomes. A prompted effort is words in the prompt, which any family takes.
A row holds what one kind of endpoint does with one kind of model, because either may ignore a field: a chat template that has no
switch drops it in silence, and so does a server without its flag (`needs`).

Sources, read in 2026:
    OpenAI: `reasoning_effort` in the schema of chat completions (platform.openai.com/docs/guides/reasoning), with the levels that
        each generation takes.
    Anthropic: platform.claude.com/docs/en/build-with-claude/effort and /extended-thinking, docs.anthropic.com/en/api/openai-sdk.
        Its OpenAI-compatible endpoint names `thinking` and ignores `reasoning_effort`. `output_config` is of the Messages API; that
        the compatible endpoint honours it is not documented, so look at the tokens in `onedial arms`.
    Gemini: ai.google.dev/gemini-api/docs/openai and /thinking. A level and a budget exclude each other (400).
    Qwen: alibabacloud.com/help/en/model-studio/deep-thinking. Some open-weight models there think in streams only.
    vLLM: docs.vllm.ai, features/reasoning_outputs, "Thinking Budget Control" (#20859): a top-level field, ignored anywhere else.
    SGLang: docs.sglang.io/docs/advanced_features/thinking_budget: only strict thinking is a guarantee.
    llama.cpp: tools/server/README.md, and ggml-org/llama.cpp#20297 for the field of one request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Family:
    """What a model family can be told about thinking.

    Attributes:
        name: As `onedial.toml` calls it.
        levels: Per soft level, from least to most, the request fields that ask for it.
        cap: Where in a request the hard cap in tokens goes, key by key; empty if the family has none.
        beside_cap: Fields that a request with a cap needs besides.
        least_cap: Tokens of the smallest cap that is accepted.
        most_cap: Tokens of the largest; None if only the context bounds it.
        cap_or_level: Whether a request may hold one of the two only.
        closing: Mark behind a thought; '' where thought is never part of a text that can be continued.
        needs: What the server has to be started with for the cap to be kept.
        hosts: Ends of host names at which it is guessed.
        models: Regular expression that the model's name there must match from its start, to be guessed.
    """

    name: str
    levels: Mapping[str, Fields] = field(default_factory=dict)
    cap: tuple[str, ...] = ()
    beside_cap: Fields = field(default_factory=dict)
    least_cap: int = 1
    most_cap: int | None = None
    cap_or_level: bool = False
    closing: str = ""
    needs: str = ""
    hosts: tuple[str, ...] = ()
    models: str = ""


def _effort(*levels: str) -> dict[str, Fields]:
    return {level: {"reasoning_effort": level} for level in levels}


def _claude(*levels: str) -> dict[str, Fields]:
    return {level: {"thinking": {"type": "adaptive"}, "output_config": {"effort": level}} for level in levels}


def _gemini(*levels: str) -> dict[str, Fields]:
    return {level: {"extra_body": {"google": {"thinking_config": {"thinking_level": level}}}} for level in levels}


_OPENAI = ("api.openai.com",)
_ANTHROPIC = ("api.anthropic.com",)
_GOOGLE = ("generativelanguage.googleapis.com",)
_GOOGLE_BUDGET = ("extra_body", "google", "thinking_config", "thinking_budget")
_SWITCH: dict[str, Fields] = {
    "none": {"chat_template_kwargs": {"enable_thinking": False}},
    "full": {"chat_template_kwargs": {"enable_thinking": True}},
}

FAMILIES: tuple[Family, ...] = (
    Family("openai-o", _effort("low", "medium", "high"), hosts=_OPENAI, models=r"o(1|3|3-mini|4-mini)(-2|$)"),
    Family("gpt-5-pro", _effort("high"), hosts=_OPENAI, models=r"gpt-5-pro"),
    Family("gpt-5", _effort("minimal", "low", "medium", "high"), hosts=_OPENAI, models=r"gpt-5(-mini|-nano)?(-2|$)"),
    Family("gpt-5.1", _effort("none", "low", "medium", "high"), hosts=_OPENAI, models=r"gpt-5\.1(-2|$)"),
    Family("gpt-5.2", _effort("none", "low", "medium", "high", "xhigh"), hosts=_OPENAI, models=r"gpt-5\.2(-2|$)"),
    Family(
        "claude",
        {"none": {"thinking": {"type": "disabled"}}},
        ("thinking", "budget_tokens"),
        {"thinking": {"type": "enabled"}},
        least_cap=1024,
        hosts=_ANTHROPIC,
        models=r"claude-(3-7|(opus|sonnet)-4(-[015])?(-2|$)|haiku-4-5)",
    ),
    Family("claude-adaptive", _claude("low", "medium", "high"), hosts=_ANTHROPIC, models=r"claude-sonnet-4-6"),
    Family("claude-adaptive-max", _claude("low", "medium", "high", "max"), hosts=_ANTHROPIC, models=r"claude-opus-4-6"),
    Family("claude-adaptive-xhigh", _claude("low", "medium", "high", "xhigh", "max"), hosts=_ANTHROPIC, models=r"claude-opus-4-7"),
    Family(
        "gemini-2.5-pro",
        _effort("low", "medium", "high"),
        _GOOGLE_BUDGET,
        least_cap=128,
        most_cap=32768,
        cap_or_level=True,
        hosts=_GOOGLE,
        models=r"(models/)?gemini-2\.5-pro",
    ),
    Family(
        "gemini-2.5-flash",
        _effort("none", "low", "medium", "high"),
        _GOOGLE_BUDGET,
        least_cap=512,  # what Flash-Lite takes; Flash takes less
        most_cap=24576,
        cap_or_level=True,
        hosts=_GOOGLE,
        models=r"(models/)?gemini-2\.5-flash",
    ),
    Family("gemini-3-pro", _gemini("low", "high"), hosts=_GOOGLE, models=r"(models/)?gemini-3-pro"),
    Family("gemini-3-flash", _gemini("minimal", "low", "medium", "high"), hosts=_GOOGLE, models=r"(models/)?gemini-3-flash"),
    Family(
        "qwen",
        {"none": {"enable_thinking": False}, "full": {"enable_thinking": True}},
        ("thinking_budget",),
        {"enable_thinking": True},
        hosts=("aliyuncs.com",),
        models=r"qwen",
    ),
    Family(
        "vllm",
        _SWITCH,
        ("thinking_token_budget",),
        closing="</think>",
        needs="--reasoning-parser, and --reasoning-config with the marks of a thought",
    ),
    Family("vllm-gpt-oss", _effort("low", "medium", "high")),
    Family(
        "sglang",
        _SWITCH,
        ("custom_params", "thinking_budget"),
        closing="</think>",
        needs="--reasoning-parser and --enable-strict-thinking",
    ),
    Family(
        "llama.cpp",
        _SWITCH,
        ("thinking_budget_tokens",),
        closing="</think>",
        needs="a chat template whose marks of a thought it knows",
    ),
)
