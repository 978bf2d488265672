"""Several model clients as one: every model by its name."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType

from onedial.core.ask import Failure, Sample, Samples
from onedial.core.errors import ConfigError, unknown
from onedial.core.model import Model
from onedial.runtime.client import Client


class Pool:
    """Clients by the names of their models; itself a client.

    Raises:
        ConfigError: Two clients serve a model of the same name.
    """

    def __init__(self, clients: Iterable[Client]) -> None:
        self._clients = tuple(clients)
        self._by_model: dict[str, Client] = {}
        for client in self._clients:
            for name in client.models:
                if name in self._by_model:
                    raise ConfigError(f"two models are named {name!r}; names are used in arm ids, so give one of them another name.")
                self._by_model[name] = client

    @property
    def models(self) -> dict[str, Model]:
        """Every model by name, as its client describes it now."""
        return {name: client.models[name] for name, client in self._by_model.items()}

    def client(self, name: str) -> Client:
        """The client that serves this model.

        Raises:
            ConfigError: No client does.
        """
        if name not in self._by_model:
            raise ConfigError(unknown("model", name, self._by_model))
        return self._by_model[name]

    def model(self, name: str) -> Model:
        """The model of this name, as its client describes it now.

        Raises:
            ConfigError: There is none.
        """
        return self.client(name).models[name]

    def input_tokens(self, ask: Sample) -> int:
        """Prompt tokens of one sending, as the model's client counts them."""
        return self.client(ask.source.model).input_tokens(ask)

    async def sample(self, ask: Sample) -> Samples | Failure:
        """Hand the ask to the client of its model."""
        return await self.client(ask.source.model).sample(ask)

    async def aclose(self) -> None:
        """Close every client; twice does no harm."""
        for client in self._clients:
            await client.aclose()

    async def __aenter__(self) -> Pool:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()
