"""What Prometheus is told: requests, how long they took, and what has been spent. No prompt, and no key but by its name."""

from __future__ import annotations

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from onedial.apps.gateway.keys import Doorkeeper, Key
from onedial.runtime.ledger import Grant

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
SECONDS = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0)


class Watch:
    """Counts of one gateway, in a registry of its own."""

    def __init__(self, everything: Grant, door: Doorkeeper) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("onedial_requests", "Requests answered.", ("route", "status"), registry=self._registry)
        self._seconds = Histogram(
            "onedial_request_seconds", "Until the response began.", ("route",), buckets=SECONDS, registry=self._registry
        )
        self._overhead = Histogram(
            "onedial_overhead_seconds", "Of an answer, beside waiting for models.", buckets=SECONDS, registry=self._registry
        )
        spent = Gauge("onedial_spent_usd", "Spent by each key, or in all.", ("key",), registry=self._registry)
        spent.labels("").set_function(partial(_spent_usd, everything))
        for key in door.keys:
            spent.labels(key.name).set_function(partial(_spent_by, key))
        tokens = Gauge("onedial_tokens", "Tokens used, by kind.", ("kind",), registry=self._registry)
        for kind in ("input", "cached", "output", "thinking"):
            tokens.labels(kind).set_function(partial(_tokens, everything, f"{kind}_tokens"))
        calls = Gauge("onedial_model_calls", "Requests sent to models.", registry=self._registry)
        calls.set_function(lambda: everything.usage.calls)

    def responded(self, route: str, status: int, seconds: float) -> None:
        """Count a response."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def decided(self, overhead_s: float) -> None:
        """Count an answer's own time."""
        self._overhead.observe(overhead_s)

    def page(self) -> bytes:
        """Everything, in the text format."""
        return generate_latest(self._registry)


def _spent_usd(grant: Grant) -> float:
    return grant.spent.usd


def _spent_by(key: Key) -> float:
    return key.grant.spent.usd


def _tokens(grant: Grant, kind: str) -> float:
    return float(getattr(grant.usage, kind))
