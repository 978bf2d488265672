"""A client for reward models behind HTTP: vLLM's /pooling, /classify and /score, and SGLang's /classify.

A reward model is asked with a conversation that ends with the assistant's response, in one turn per step, and its reply is
one completion whose text is its rewards in [0, 1], one number per step. Only prompt tokens are billed: nothing is generated.
Retries and what an error means are those of the client for chat. The formats are in `reward_wire`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from onedial.core.answer import Spend
from onedial.core.ask import Completion, Sample
from onedial.core.errors import ConfigError
from onedial.core.usage import Usage
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.faults import Again, fault, message_of
from onedial.runtime.openai import OpenAIClient
from onedial.runtime.owed import owe
from onedial.runtime.reward_wire import RewardEndpoint, request_of, rewards_of
from onedial.runtime.tally import Tally


class RewardClient(OpenAIClient):
    """Serves reward models; each has the capability `scores`, and is asked for nothing but scores.

    Attributes:
        models: Every reward model by name.
    """

    def __init__(self, endpoints: Iterable[RewardEndpoint], **options: Any) -> None:
        """Nothing is sent before the first ask.

        Args:
            endpoints: One per reward model.
            options: As for `OpenAIClient`.
        """
        self._forms = {one.endpoint.model.name: one for one in endpoints}
        super().__init__([one.endpoint for one in self._forms.values()], **options)

    async def _attempt(self, ask: Sample, endpoint: Endpoint) -> tuple[tuple[Completion, ...], Tally]:
        """Send a request once and read its rewards."""
        form = self._forms[endpoint.model.name]
        path, body = request_of(ask, form)
        status, headers, data = await self._post(endpoint, body, path)
        if status in (404, 405):
            await self._refuse_unknown(endpoint)
        if status != 200:
            raise fault(status, headers, data.replace(self._key(endpoint).encode() or b"\0", b"***"), endpoint)
        try:
            scores, prompt = rewards_of(data, form)
        except ConfigError as error:
            worst = self._worst(ask, endpoint)
            owe(error, Spend(worst, endpoint.model.price.cost_usd(worst)))
            raise
        except ValueError as error:  # also what msgspec raises
            said = f"{endpoint.url} sent a reply that cannot be read ({error}): {message_of(data)}"
            raise Again(f"model {endpoint.model.name!r}: {said}", charged=True) from error
        usage = Usage(1, self.input_tokens(ask) if prompt is None else prompt, bounded=prompt is None)
        said = " ".join(f"{score:.9g}" for score in scores)
        return (Completion(said, output_tokens=0),), Tally(usage, (0,), (0,))
