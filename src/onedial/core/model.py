"""A model: one priced endpoint, with the thinking efforts it offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from onedial.core.arm import split_method
from onedial.core.errors import ConfigError, unknown
from onedial.core.usage import Price

SCORES = "scores"
"""Capability of a model that gives scores to what others answer, and is asked no queries: a reward model, or a sandbox."""

EffortKind = Literal["level", "cap", "prompt"]


@dataclass(frozen=True, slots=True)
class Effort:
    """One setting of a model's thinking dial.

    Attributes:
        label: What the user and the arm id call it, such as `"2"` or `"high"`.
        kind: `level` (the provider's soft level), `cap` (a hard token cap) or `prompt` (asked for in words).
        max_thinking_tokens: The cap for kind `cap`, else None.
        native: Whether the endpoint keeps the cap itself; if not, its client cuts the thought and goes on with an answer.
    """

    label: str
    kind: EffortKind = "level"
    max_thinking_tokens: int | None = None
    native: bool = True


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be asked.

    Attributes:
        name: Unique name, used in arm ids.
        price: USD per million tokens.
        efforts: The dial, from least to most thinking; empty if the model has none.
        context_tokens: Prompt and output together may not exceed this.
        max_output_tokens: Upper bound of output tokens per sample, used to price an ask before paying.
        capabilities: Any of `n`, `logprobs`, `seed`, `continue`, `thinking_cap`, `cache` (a prompt sent a moment ago is billed as cached),
            and `scores`.
        asks: Requests that one completion takes at most; more than one where it is a run of a strategy over another model.
    """

    name: str
    price: Price
    efforts: tuple[Effort, ...] = ()
    context_tokens: int = 8192
    max_output_tokens: int = 1024
    capabilities: frozenset[str] = frozenset()
    asks: int = 1

    @property
    def composed(self) -> bool:
        """Whether one completion is a whole run of a strategy over another model."""
        return bool(split_method(self.name)[1])

    def effort(self, label: str | None) -> Effort | None:
        """The effort with this label; None for None.

        Raises:
            ConfigError: The model has no such effort. It is never dropped or remapped silently.
        """
        if label is None:
            return None
        for effort in self.efforts:
            if effort.label == label:
                return effort
        raise ConfigError(f"model {self.name!r}: {unknown('effort', label, (e.label for e in self.efforts))}")

    def labels(self) -> tuple[str | None, ...]:
        """Effort labels from least to most; `(None,)` for a model without a dial."""
        return tuple(e.label for e in self.efforts) or (None,)
