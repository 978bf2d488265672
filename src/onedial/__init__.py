"""onedial: one dial for model choice and test-time compute.

>>> import onedial
>>> onedial.Arm.parse("small/think=2/vote=8").n
8
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onedial.core.answer import Answer, Candidate
from onedial.core.arm import Arm, Source
from onedial.core.decision import Decision
from onedial.core.errors import (
    BudgetExhausted,
    ConfigError,
    ModelError,
    OnedialError,
    QueryError,
    TableError,
    TargetUnreachable,
)
from onedial.core.model import Model
from onedial.core.query import Query
from onedial.core.usage import Price, Usage
from onedial.core.version import __version__ as __version__

if TYPE_CHECKING:
    from onedial.apps.workspace import load
    from onedial.engine.dial import Dial
    from onedial.engine.solve import Solved

__all__ = [
    "Answer",
    "Arm",
    "BudgetExhausted",
    "Candidate",
    "ConfigError",
    "Decision",
    "Dial",
    "Model",
    "ModelError",
    "OnedialError",
    "Price",
    "Query",
    "QueryError",
    "Solved",
    "Source",
    "TableError",
    "TargetUnreachable",
    "Usage",
    "load",
]

_LAZY = {"load": "onedial.apps.workspace", "Dial": "onedial.engine.dial", "Solved": "onedial.engine.solve"}


def __getattr__(name: str) -> Any:
    """Import what is heavy when it is first asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module 'onedial' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
