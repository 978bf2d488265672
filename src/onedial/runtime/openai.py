"""A client for OpenAI-compatible endpoints, over aiohttp: vLLM, SGLang, llama.cpp, Ollama, and hosted ones.

Only what may help is repeated: refusals for load (429, with the wait the
endpoint asks for), its own errors (5xx), lost connections, timeouts, and
replies that cannot be read. What attempts are charged is in `attempts`, how several
are sent in `fan_out`, the format in `wire`, what a reply proves in `tally`, what an error means in `faults`.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from onedial.core.answer import Spend
from onedial.core.arm import Source
from onedial.core.ask import Completion, Failure, Sample, Samples
from onedial.core.errors import ConfigError, ModelError, unknown
from onedial.core.model import Model
from onedial.core.usage import Usage
from onedial.runtime.attempts import Attempts
from onedial.runtime.bound import TOKENS_PER_PROMPT, cut_at, output_bound, prompt_bound
from onedial.runtime.cutting import Part, as_cut, joined, rest_of, unmarked, without_empty
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.fan_out import Warmth, fan_out
from onedial.runtime.faults import Again, fault, key_advice, message_of, names_output_cap
from onedial.runtime.forwarded import forwarded_body
from onedial.runtime.listing import listed
from onedial.runtime.owed import owe, owing_too
from onedial.runtime.tally import Tally, tally
from onedial.runtime.thinking import binds
from onedial.runtime.unfit import refuse_unfit, refuse_unsent
from onedial.runtime.wire import Received, completion_of, drop_repeated, messages_of, received, request_body

if TYPE_CHECKING:
    import aiohttp

CHAT = "/chat/completions"
CONNECT_S = 10.0


class OpenAIClient:
    """Serves the models of some endpoints.

    Attributes:
        models: Every model by name. One found not to return, or not to count, several choices loses the capability `n`.
    """

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        *,
        rng: random.Random | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        env: Mapping[str, str] = os.environ,
    ) -> None:
        """Nothing is sent before the first ask.

        Args:
            endpoints: One per model.
            rng: Source of the jitter between attempts.
            sleep: Waits that many seconds.
            env: Where API keys are looked up.
        """
        self._endpoints = {endpoint.model.name: endpoint for endpoint in endpoints}
        self.models: dict[str, Model] = {}
        self._rng, self._sleep, self._env = rng or random.Random(), sleep, env
        self._cap_keys: dict[str, str] = {}
        self._sends_only_new: set[str] = set()
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._warmth = Warmth(time.monotonic)
        self._session: aiohttp.ClientSession | None = None
        for name, endpoint in self._endpoints.items():
            self.models[name] = endpoint.model
            if endpoint.usage_counts_one_choice and "logprobs" not in endpoint.model.capabilities:
                self._ask_singly(name)

    def input_tokens(self, ask: Sample) -> int:
        """An upper bound from the length of the text, the words of a prompted effort included, and a thought that may be sent back."""
        endpoint = self._endpoint(ask.source.model)
        own, cut = prompt_bound(replace(ask, messages=messages_of(ask, endpoint))), cut_at(ask, endpoint.model)
        return own if cut is None else own + cut + TOKENS_PER_PROMPT

    async def sample(self, ask: Sample) -> Samples | Failure:
        """Carry out one ask: in one request where the model can return `n` choices, else in one each, as `fan_out` says.

        What an error, or being cancelled, had cost by then is told by `owed`.

        Raises:
            QueryError: The endpoint says that the prompt is too long.
            ConfigError: A model, effort or capability that is not there, here or at the endpoint.
            ModelError: The endpoint refuses the key or the account.
        """
        endpoint = self._endpoint(ask.source.model)
        refuse_unfit(ask, endpoint)
        begun = asyncio.get_running_loop().time()
        parts = await self._parts(ask, endpoint)
        usage = sum((part.usage for part in parts), Usage())
        cost_usd, latency_s = endpoint.model.price.cost_usd(usage), asyncio.get_running_loop().time() - begun
        completions = tuple(completion for part in parts for completion in part.completions)
        if not completions:
            return Failure("; ".join(dict.fromkeys(part.trouble for part in parts)), usage, cost_usd, latency_s)
        return Samples(completions, usage, cost_usd, latency_s, ask.source.effort)

    def check_key(self, name: str) -> None:
        """See whether the key that a model needs is there; nothing is sent.

        Raises:
            ConfigError: It is not.
        """
        self._authorization(self._endpoint(name))

    async def aclose(self) -> None:
        """Close the connections; twice does no harm."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def forward(self, source: Source, body: Mapping[str, Any]) -> aiohttp.ClientResponse:
        """Send a request on as it came, but for the model's name and the fields of the effort; sent once.

        Returns:
            The response as soon as it begins, whatever its status; the caller reads and closes it.

        Raises:
            ConfigError: The model or its effort is not known or cannot be sent, or its key is missing.
            aiohttp.ClientError: The endpoint cannot be reached.
            TimeoutError: It did not begin to answer in time.
        """
        import aiohttp

        endpoint = self._endpoint(source.model)
        refuse_unsent(source, endpoint)
        data = msgspec.json.encode(forwarded_body(source, body, endpoint))
        headers = {"Content-Type": "application/json", **self._authorization(endpoint)}
        patience = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=endpoint.timeout_s)
        url = endpoint.url.rstrip("/") + CHAT
        return await self._connection().post(url, data=data, headers=headers, timeout=patience, allow_redirects=False)

    async def request(self, ask: Sample) -> Tally:
        """Send one ask in one request, once, and say what its reply proves; for probing.

        Raises:
            OnedialError: It failed, for any reason.
        """
        endpoint = self._endpoint(ask.source.model)
        try:
            return (await self._attempt(ask, endpoint))[1]
        except Again as trouble:
            error, worst = ModelError(f"{trouble} Look at the endpoint, or try again later."), self._worst(ask, endpoint)
            owe(error, Spend(worst, endpoint.model.price.cost_usd(worst)) if trouble.charged else Spend())
            raise error from trouble

    def sends_only_new(self, name: str) -> bool:
        """Whether, of a text it was to continue, a model has sent what is new and not the beginning as well."""
        return name in self._sends_only_new

    async def _parts(self, ask: Sample, endpoint: Endpoint) -> list[Part]:
        cut = cut_at(ask, endpoint.model)
        if ask.n == 1 or ("n" in endpoint.model.capabilities and cut is None):
            parts, alone = [await self._part(ask, endpoint, cut)], False
        else:
            alone = self._warmth.first_alone(ask, endpoint)
            singles = [replace(ask, n=1, first_index=ask.first_index + i) for i in range(ask.n)]
            price = endpoint.model.price
            parts = await fan_out(singles, lambda single: self._part(single, endpoint, cut), price, first_alone=alone)
        self._warmth.note(ask, parts, alone=alone)
        return parts

    async def _part(self, ask: Sample, endpoint: Endpoint, cut: int | None) -> Part:
        """Bring completions, their thought ended after `cut` tokens."""
        if cut is None:
            part = await self._persist(ask, endpoint)
            return self._capped(part, endpoint) if binds(ask, endpoint.model) else part
        first = await self._persist(replace(ask, max_tokens=cut, max_thinking_tokens=None), endpoint)
        rest = rest_of(ask, first.completions[0], cut, endpoint) if first.completions else None
        if rest is None:
            return as_cut(first, cut, endpoint)
        with owing_too(Spend(first.usage, endpoint.model.price.cost_usd(first.usage))):
            return joined(first, await self._persist(rest, unmarked(endpoint)), endpoint)

    def _capped(self, part: Part, endpoint: Endpoint) -> Part:
        """Leave out what was cut within its thought; from then on the client itself keeps caps of this endpoint."""
        whole = without_empty(part, endpoint)
        if whole is not part:
            model = self.models[endpoint.model.name]
            efforts = tuple(replace(effort, native=effort.kind != "cap") for effort in model.efforts)
            self._redescribe(replace(model, efforts=efforts, capabilities=model.capabilities - {"thinking_cap"}))
        return whole

    async def _persist(self, ask: Sample, endpoint: Endpoint) -> Part:
        """Attempt until it works or may not be repeated any more."""
        name = endpoint.model.name
        slots = self._slots.setdefault(name, asyncio.Semaphore(endpoint.concurrency))
        attempts = Attempts(endpoint, self._worst(ask, endpoint), slots, self._sleep, self._rng)
        part, counted = await attempts.persist(lambda: self._attempt(ask, endpoint))
        if counted is not None:
            self._learn(name, ask, counted)
        return part

    async def _attempt(self, ask: Sample, endpoint: Endpoint) -> tuple[tuple[Completion, ...], Tally]:
        """Send a request once and read its reply."""
        name = endpoint.model.name
        body = request_body(ask, endpoint, self._cap_keys.get(name, "max_tokens"))
        status, headers, data = await self._post(endpoint, body)
        if status == 400 and name not in self._cap_keys and names_output_cap(data):
            self._cap_keys[name] = "max_completion_tokens"
            return await self._attempt(ask, endpoint)
        if status in (404, 405):
            await self._refuse_unknown(endpoint)
        if status != 200:
            raise fault(status, headers, data.replace(self._key(endpoint).encode() or b"\0", b"***"), endpoint)
        try:
            reply = received(data)
            self._drop_repeated(reply, ask)
            known = bool(endpoint.usage_counts_one_choice)
            counted = tally(reply, output_bound(ask, endpoint.model), self.input_tokens(ask), one_choice=known)
        except ValueError as error:  # also what msgspec raises
            said = f"{endpoint.url} sent a reply that cannot be read ({error}): {message_of(data)}"
            raise Again(f"model {name!r}: {said}", charged=True) from error
        each = zip(reply.choices, counted.output_tokens, counted.thinking_tokens, strict=True)
        return tuple(completion_of(choice, ask, endpoint, *tokens) for choice, *tokens in each)[: ask.n], counted

    async def _post(self, endpoint: Endpoint, body: dict[str, Any], path: str = CHAT) -> tuple[int, Mapping[str, str], bytes]:
        import aiohttp

        url = endpoint.url.rstrip("/") + path
        where = f"model {endpoint.model.name!r}: {endpoint.url}"
        patience = aiohttp.ClientTimeout(total=endpoint.timeout_s, sock_connect=CONNECT_S)
        data, headers = msgspec.json.encode(body), {"Content-Type": "application/json", **self._authorization(endpoint)}
        try:
            async with self._connection().post(url, data=data, headers=headers, timeout=patience, allow_redirects=False) as response:
                return response.status, response.headers, await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Again(f"{where} cannot be reached: {error}.", charged=False) from error
        except aiohttp.InvalidURL as error:
            raise ConfigError(f"{where} is not an address; expected one like http://localhost:8000/v1.") from error
        except TimeoutError as error:
            raise Again(f"{where} did not answer within {endpoint.timeout_s:g} s.", charged=True) from error
        except aiohttp.ClientError as error:
            raise Again(f"{where} broke the connection: {str(error) or type(error).__name__}.", charged=True) from error

    async def _refuse_unknown(self, endpoint: Endpoint) -> None:
        """Raise if the endpoint lists its models and this one is not among them."""
        try:
            names = [one.name for one in await listed(self._connection(), endpoint.url, self._authorization(endpoint))]
        except ModelError:
            return
        if endpoint.upstream not in names:
            raise ConfigError(f"model {endpoint.model.name!r}: {endpoint.url} has {unknown('model', endpoint.upstream, names)}")

    def _drop_repeated(self, reply: Received, ask: Sample) -> None:
        """Keep of a continued text what is new: llama.cpp repeats the rest. An endpoint that once does not is taken at its word."""
        name = ask.source.model
        if ask.continue_from and name not in self._sends_only_new and not drop_repeated(reply, ask.continue_from):
            self._sends_only_new.add(name)

    def _learn(self, name: str, ask: Sample, counted: Tally) -> None:
        """Ask singly from now on where several choices were not returned, or could not be counted."""
        if ask.n > 1 and ((counted.counts_one_choice and counted.usage.bounded) or len(counted.output_tokens) < ask.n):
            self._ask_singly(name)

    def _ask_singly(self, name: str) -> None:
        model = self.models[name]
        self._redescribe(replace(model, capabilities=model.capabilities - {"n"}))

    def _redescribe(self, model: Model) -> None:
        self.models[model.name] = model
        self._endpoints[model.name] = replace(self._endpoints[model.name], model=model)

    def _worst(self, ask: Sample, endpoint: Endpoint) -> Usage:
        return Usage(1, self.input_tokens(ask), 0, ask.n * output_bound(ask, endpoint.model), bounded=True)

    def _endpoint(self, name: str) -> Endpoint:
        if name not in self._endpoints:
            raise ConfigError(unknown("model", name, self._endpoints))
        return self._endpoints[name]

    def _key(self, endpoint: Endpoint) -> str:
        return self._env.get(endpoint.api_key_env, "") if endpoint.api_key_env else ""

    def _authorization(self, endpoint: Endpoint) -> dict[str, str]:
        key = self._key(endpoint)
        if endpoint.api_key_env and not key:
            raise ConfigError(f"model {endpoint.model.name!r} needs a key and there is none. {key_advice(endpoint)}")
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _connection(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self._session
