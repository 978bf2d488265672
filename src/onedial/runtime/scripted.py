"""A client that answers from a function, so that everything runs offline: tests, simulations, recordings played live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from onedial.core.ask import Completion, Failure, Sample, Samples
from onedial.core.errors import ConfigError, unknown
from onedial.core.model import Model
from onedial.core.usage import Usage
from onedial.runtime.bound import calls_of, prompt_bound

Script = Callable[[Sample, Model], Samples | Failure]


class ScriptedClient:
    """Serves models from a script.

    Attributes:
        models: Every model it can ask, by name.
        asked: Every ask it was given, in order.
    """

    def __init__(self, models: Iterable[Model], script: Script, delay_s: float = 0.0) -> None:
        self.models = {model.name: model for model in models}
        self.asked: list[Sample] = []
        self._script, self._delay_s = script, delay_s

    def input_tokens(self, ask: Sample) -> int:
        """An upper bound from the length of the text."""
        return prompt_bound(ask)

    async def sample(self, ask: Sample) -> Samples | Failure:
        """Answer from the script, after the delay."""
        if ask.source.model not in self.models:
            raise ConfigError(unknown("model", ask.source.model, self.models))
        model = self.models[ask.source.model]
        model.effort(ask.source.effort)
        self.asked.append(ask)
        await asyncio.sleep(self._delay_s)
        return self._script(ask, model)

    async def aclose(self) -> None:
        """Nothing is open."""


def samples_of(ask: Sample, model: Model, completions: Iterable[Completion], latency_s: float = 0.0) -> Samples:
    """Bill completions as an endpoint would: words of the prompt per request, output tokens as each completion states them."""
    listed = tuple(completions)
    calls = calls_of(ask, model)
    prompt = sum(len(text.split()) for text in (ask.continue_from, *(message.content for message in ask.messages)))
    thought = sum(c.thinking_tokens or 0 for c in listed)
    usage = Usage(calls, calls * prompt, 0, sum(c.output_tokens or 0 for c in listed), thought)
    return Samples(listed, usage, model.price.cost_usd(usage), latency_s, ask.source.effort)
