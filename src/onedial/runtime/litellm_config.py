"""A LiteLLM proxy's configuration file, to entries of `onedial.toml`. What has no place there is told, never dropped in silence.

Only providers with an OpenAI-compatible address can be carried over. Keys that stand in the file are neither copied nor shown.

Source: docs.litellm.ai/docs/proxy/configs and docs.litellm.ai/docs/providers, read in 2026.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from onedial.core.errors import ConfigError
from onedial.core.usage import TOKENS_PER_PRICE, Price
from onedial.runtime.config_text import Entry, free_name
from onedial.runtime.model_table import Wrong, refuse_unfit_url

FROM_ENV = "os.environ/"
CHAT_MODES = (None, "chat", "completion", "responses")
CARRIED = {"model", "api_base", "base_url", "api_key", "timeout", "max_retries", "num_retries", "max_tokens", "custom_llm_provider"}
COSTS = ("input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost")
INFORMATION = {*COSTS, "mode", "max_tokens", "max_input_tokens", "max_output_tokens", "id"}


class Provider(NamedTuple):
    """Where a provider is: '' for a server of one's own, whose address must be given; `tail` is what LiteLLM adds to that address."""

    url: str
    key: str = ""
    tail: str = ""


PROVIDERS: Mapping[str, Provider] = {
    "openai": Provider("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "anthropic": Provider("https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
    "gemini": Provider("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    "groq": Provider("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "mistral": Provider("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "deepseek": Provider("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "openrouter": Provider("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "together_ai": Provider("https://api.together.xyz/v1", "TOGETHERAI_API_KEY"),
    "fireworks_ai": Provider("https://api.fireworks.ai/inference/v1", "FIREWORKS_AI_API_KEY"),
    "xai": Provider("https://api.x.ai/v1", "XAI_API_KEY"),
    "ollama": Provider("", tail="/v1"),
    "ollama_chat": Provider("", tail="/v1"),
    "hosted_vllm": Provider(""),
    "lm_studio": Provider(""),
    "custom_openai": Provider(""),
    "litellm_proxy": Provider(""),
}
BARE = ((r"gpt-|o\d|chatgpt-", "openai"), (r"claude-", "anthropic"))
"""Providers of models that are named without one."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of a file.

    Attributes:
        entries: One per deployment that could be carried over.
        left_out: A sentence per thing that could not, or was changed.
    """

    entries: tuple[Entry, ...]
    left_out: tuple[str, ...]


def read_litellm(path: Path, env: Mapping[str, str] = os.environ) -> Carried:
    """Read a LiteLLM proxy's configuration file.

    Args:
        path: A YAML file with `model_list`.
        env: Where addresses that the file takes from the environment are looked up; keys are not.

    Raises:
        ConfigError: It cannot be read, is no such file, or PyYAML is not installed.
    """
    found = _parsed(path)
    if not isinstance(found, dict) or not isinstance(found.get("model_list"), list):
        raise ConfigError(f"{path}: no `model_list`; expected the configuration file of a LiteLLM proxy.")
    said, entries = [f"{section}: not carried over." for section in found if section != "model_list"], list[Entry]()
    for i, deployment in enumerate(found["model_list"]):
        at = f"model_list[{i}]"
        try:
            entry = _entry(at, deployment, env, said)
        except Wrong as error:
            said.append(str(error))
            continue
        name = free_name(entry.name, [one.name for one in entries])
        if name != entry.name:
            said.append(f"{at}: {entry.name!r} is called {name!r}, since names are unique and part of arm ids.")
        entries.append(replace(entry, name=name))
    if not entries:
        raise ConfigError(f"{path}: none of its models can be carried over. {' '.join(said)}")
    return Carried(tuple(entries), tuple(said))


def _parsed(path: Path) -> Any:
    try:
        import yaml
    except ImportError:
        raise ConfigError(f"{path} is read with PyYAML, which is not installed. Run: pip install 'onedial[yaml]'") from None
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}. Expected the configuration file of a LiteLLM proxy.") from error
    except (yaml.YAMLError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)  # the error itself quotes lines, which may hold keys
        line = f", line {where.line + 1}" if where else ""
        raise ConfigError(f"{path}{line}: not YAML. Expected the configuration file of a LiteLLM proxy.") from None


def _entry(at: str, deployment: Any, env: Mapping[str, str], said: list[str]) -> Entry:
    """One deployment.

    Raises:
        Wrong: It cannot be carried over, and why.
    """
    params, info = _tables(at, deployment)
    name, model = str(deployment.get("model_name") or ""), str(params.get("model") or "")
    if info.get("mode") not in CHAT_MODES:
        raise Wrong(f"{at} ({name}): not carried over, since its mode is {info['mode']!r}; onedial asks chat models.")
    if not model or "*" in name + model:
        raise Wrong(f"{at} ({name}): not carried over, since it names no single model, found {model!r}.")
    provider, upstream = _provider(at, name, model, params)
    said += [f"{at}.litellm_params.{key}: not carried over." for key in params if key not in CARRIED and key not in COSTS]
    said += [f"{at}.model_info.{key}: not carried over." for key in info if key not in INFORMATION]
    return Entry(
        name=name or upstream,
        url=_url(at, name, provider, params, env),
        upstream=upstream,
        api_key_env=_key(at, provider, params, said),
        price=_price(at, {**info, **params}, said),
        context_tokens=_whole(info.get("max_input_tokens")),
        max_output_tokens=_whole(params.get("max_tokens")) or _whole(info.get("max_output_tokens")),
        timeout_s=_number(params.get("timeout")) or None,
        retries=_whole(params.get("max_retries", params.get("num_retries")), least=0),
        remarks=(f"LiteLLM: {name}, {model}",),
    )


def _tables(at: str, deployment: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    if not isinstance(deployment, dict) or not isinstance(deployment.get("litellm_params"), dict):
        raise Wrong(f"{at}: not carried over, since it has no table litellm_params.")
    info = deployment.get("model_info")
    return deployment["litellm_params"], info if isinstance(info, dict) else {}


def _provider(at: str, name: str, model: str, params: Mapping[str, Any]) -> tuple[Provider, str]:
    """The provider, and the model's name there."""
    before, slash, after = model.partition("/")
    named = params.get("custom_llm_provider") or (before if slash else "")
    if not named:
        named = next((provider for pattern, provider in BARE if re.match(pattern, model)), "")
    if named not in PROVIDERS:
        known = ", ".join(PROVIDERS)
        raise Wrong(
            f"{at} ({name}): not carried over, since no OpenAI-compatible address is known for {model!r}. Known providers: {known}."
        )
    return PROVIDERS[named], after if before == named else model


def _url(at: str, name: str, provider: Provider, params: Mapping[str, Any], env: Mapping[str, str]) -> str:
    given = str(params.get("api_base") or params.get("base_url") or "")
    if given.startswith(FROM_ENV):
        variable = given.removeprefix(FROM_ENV)
        given = env.get(variable, "")
        if not given:
            raise Wrong(f"{at} ({name}): not carried over, since its address is in the variable {variable}, which is not set here.")
    url = given.rstrip("/") or provider.url
    if given and not url.endswith(provider.tail):
        url += provider.tail
    try:
        refuse_unfit_url("api_base", url)
    except Wrong as error:
        raise Wrong(f"{at} ({name}): not carried over: {error}") from None
    return url


def _key(at: str, provider: Provider, params: Mapping[str, Any], said: list[str]) -> str | None:
    """The variable that holds the key; a key in the file itself is told of without showing it."""
    given = str(params.get("api_key") or "")
    if given.startswith(FROM_ENV):
        return given.removeprefix(FROM_ENV) or None
    own = None if params.get("api_base") or params.get("base_url") else provider.key or None
    if given:
        where = f"the variable {own}" if own else "a variable, and name it as api_key_env in the entry"
        said.append(f"{at}.litellm_params.api_key: a key that stands in the file is not copied. Put it into {where}.")
    return own


def _price(at: str, found: Mapping[str, Any], said: list[str]) -> Price | None:
    costs = [_number(found.get(key)) for key in COSTS]
    told = [None if cost is None else float(f"{cost * TOKENS_PER_PRICE:.12g}") for cost in costs]
    if told[0] is None or told[1] is None:
        if any(cost is not None for cost in told):
            said.append(f"{at}: its price is not carried over, since it has not both of {COSTS[0]} and {COSTS[1]}.")
        return None
    return Price(told[0], told[1], told[2])


def _number(value: Any) -> float | None:
    """A finite number that is not negative, also where YAML reads it as text, as 1e-6; else None."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number < float("inf") else None


def _whole(value: Any, least: int = 1) -> int | None:
    number = _number(value)
    return None if number is None or number < least else int(number)
