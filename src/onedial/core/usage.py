"""What was used (tokens), what it is priced at, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass

TOKENS_PER_PRICE = 1_000_000


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and calls spent, additive.

    Attributes:
        calls: Requests sent upstream.
        input_tokens: Prompt tokens billed, cached ones included.
        cached_tokens: The part of `input_tokens` billed at the cached price.
        output_tokens: Generated tokens billed, thinking included.
        thinking_tokens: The part of `output_tokens` spent on hidden or marked thought.
        bounded: True if any count is an upper bound because the upstream reported none.
    """

    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    thinking_tokens: int = 0
    bounded: bool = False

    def __post_init__(self) -> None:
        counts = (self.calls, self.input_tokens, self.cached_tokens, self.output_tokens, self.thinking_tokens)
        if min(counts) < 0:
            raise ValueError(f"usage counts cannot be negative, found {self}")
        if self.cached_tokens > self.input_tokens or self.thinking_tokens > self.output_tokens:
            raise ValueError(f"cached tokens are part of input, thinking tokens part of output, found {self}")

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.cached_tokens + other.cached_tokens,
            self.output_tokens + other.output_tokens,
            self.thinking_tokens + other.thinking_tokens,
            self.bounded or other.bounded,
        )

    @property
    def tokens(self) -> int:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens; cached input defaults to the full input price."""

    input_usd_per_mtok: float
    output_usd_per_mtok: float
    cached_usd_per_mtok: float | None = None

    def __post_init__(self) -> None:
        if self.input_usd_per_mtok < 0 or self.output_usd_per_mtok < 0 or (self.cached_usd_per_mtok or 0) < 0:
            raise ValueError(f"prices cannot be negative, found {self}")

    def cost_usd(self, usage: Usage) -> float:
        """Price a usage.

        >>> Price(1.0, 2.0).cost_usd(Usage(1, input_tokens=1_000_000, output_tokens=500_000))
        2.0
        """
        cached = self.input_usd_per_mtok if self.cached_usd_per_mtok is None else self.cached_usd_per_mtok
        fresh = usage.input_tokens - usage.cached_tokens
        total = fresh * self.input_usd_per_mtok + usage.cached_tokens * cached + usage.output_tokens * self.output_usd_per_mtok
        return total / TOKENS_PER_PRICE
