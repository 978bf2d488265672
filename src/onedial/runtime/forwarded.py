"""Another client's request, as the model that it is handed to gets it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onedial.core.arm import Source
from onedial.runtime.endpoint import Endpoint


def forwarded_body(source: Source, body: Mapping[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    """Another client's request as its model is to get it: its name there, and the fields and words of the effort."""
    sent = {**body, "model": endpoint.upstream} | dict(endpoint.effort_bodies.get(source.effort or "", {}))
    words = endpoint.effort_prompts.get(source.effort or "")
    return sent | ({"messages": [*body["messages"], {"role": "system", "content": words}]} if words else {})
