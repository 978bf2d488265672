"""A model behind an OpenAI-compatible endpoint: where it is, how it is addressed, how patient to be. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from onedial.core.model import Model
from onedial.runtime.families import Family

CONCURRENCY = 64
CACHE_FROM_TOKENS = 1024
"""What hosted models ask for."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How to reach one model.

    Attributes:
        model: The model as the rest of onedial knows it.
        url: Base address; `/chat/completions` is added.
        upstream: The model's name there.
        api_key_env: Environment variable that holds the key; None sends no key.
        effort_bodies: Per effort label, fields merged into the request.
        effort_prompts: Per effort label, words added to the last user turn.
        thinking_end: Text that ends the thought and begins the answer, such as `</think>`; None if thought is not marked.
        thinking_start: Text that begins the thought; None is `<think>` and a line break before `</think>`, and else none.
        family: What can be told it about thinking; None if that is not known.
        concurrency: Requests under way at a time; further ones wait for their turn.
        cache_from_tokens: Tokens that a prompt needs for the endpoint to cache it, where the model has the capability `cache`.
        timeout_s: Seconds for one attempt.
        retries: Further attempts after one that may be repeated.
        usage_counts_one_choice: Whether its usage counts one choice only where `n` were asked for; None: not known.
    """

    model: Model
    url: str
    upstream: str
    api_key_env: str | None = None
    effort_bodies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    effort_prompts: Mapping[str, str] = field(default_factory=dict)
    thinking_end: str | None = None
    timeout_s: float = 300.0
    retries: int = 3
    usage_counts_one_choice: bool | None = None
    thinking_start: str | None = None
    family: Family | None = None
    concurrency: int = CONCURRENCY
    cache_from_tokens: int = CACHE_FROM_TOKENS

    @property
    def closing(self) -> str:
        """The mark that ends a thought; '' if none is known."""
        return self.thinking_end or (self.family.closing if self.family else "")

    @property
    def opening(self) -> str:
        """The text that begins a thought; '' if there is none."""
        return ("<think>\n" if self.closing == "</think>" else "") if self.thinking_start is None else self.thinking_start
