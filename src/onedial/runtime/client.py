"""The contract of a model client: it carries asks to models and brings priced replies.

Clients of one kind live in a file each: `openai.py` for HTTP endpoints here,
`onedial.lab.client` for the embedded models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from onedial.core.ask import Failure, Sample, Samples
from onedial.core.model import Model


class Client(Protocol):
    """Serves some models."""

    @property
    def models(self) -> Mapping[str, Model]:
        """Every model it can ask, by name."""
        ...

    def input_tokens(self, ask: Sample) -> int:
        """Prompt tokens of one sending of `ask`: exact where the tokenizer is known, else an upper bound."""
        ...

    async def sample(self, ask: Sample) -> Samples | Failure:
        """Carry out one ask; an upstream that fails after all retries is a `Failure` with what was used.

        Raises:
            QueryError: The prompt does not fit the model's context, or is empty for it.
            ConfigError: The model or its effort is not known, or a wanted capability is missing.
        """
        ...

    async def aclose(self) -> None:
        """Release connections and threads; calling it twice does no harm."""
        ...
