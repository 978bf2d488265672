"""An arm: one (model, effort, strategy, settings) that may be chosen."""

from __future__ import annotations

import re
from dataclasses import dataclass

from onedial.core.errors import ConfigError

EFFORT_KEY = "think"
_METHOD = re.compile(r"\+([a-z_]+)(\d+)$")
"""The end of the name of a model that is a strategy run over another model, as in `small+revise3`."""


def split_method(model: str) -> tuple[str, str]:
    """A model's name without the strategy that is run over it, and that strategy with its count; '' for a plain model.

    >>> split_method("small+revise3"), split_method("small")
    (('small', 'revise3'), ('small', ''))
    """
    found = _METHOD.search(model)
    return (model[: found.start()], found[0][1:]) if found else (model, "")


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Where a sample comes from: a model at an effort. The unit of forecasting."""

    model: str
    effort: str | None = None

    @property
    def base(self) -> str:
        """The model that does the work: of a strategy run over a model that model, else the model itself."""
        return split_method(self.model)[0]

    def __str__(self) -> str:
        return self.model if self.effort is None else f"{self.model}/{EFFORT_KEY}={self.effort}"


@dataclass(frozen=True, slots=True, order=True)
class Arm:
    """A way to answer, with a readable id.

    Attributes:
        source: Model and effort.
        strategy: Registered strategy name.
        n: Samples the strategy draws at most, for `usc` without the one that chooses; for `cap`, tokens of thought at most.
        settings: Further settings as sorted (key, value) pairs.

    >>> str(Arm(Source("small", "2"), "vote", 8))
    'small/think=2/vote=8'
    """

    source: Source
    strategy: str = "direct"
    n: int = 1
    settings: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ConfigError(f"arm {self} asks for n={self.n} samples; expected at least 1.")

    def __str__(self) -> str:
        tail = "" if self.strategy == "direct" and self.n == 1 else f"/{self.strategy}={self.n}"
        return f"{self.source}{tail}" + "".join(f"/{key}={value}" for key, value in self.settings)

    @classmethod
    def parse(cls, text: str) -> Arm:
        """Read an arm id back. A model's own name may have slashes, as in `org/small`: it goes up to the first `key=value`.

        Raises:
            ConfigError: There is no model, a segment is not `key=value`, or a count is not an integer.

        >>> Arm.parse("small/think=2/vote=8").n
        8
        """
        parts = text.split("/")
        named = next((i for i, part in enumerate(parts) if i and "=" in part), len(parts))
        model, segments = "/".join(parts[:named]), parts[named:]
        if not all(parts[:named]):
            raise ConfigError(f"arm {text!r} names no model; expected one first, as in 'small/think=2/vote=8'.")
        effort, strategy, n, settings = None, "direct", 1, []
        for segment in segments:
            key, equals, value = segment.partition("=")
            if not equals or not key or not value:
                raise ConfigError(f"arm {text!r}: segment {segment!r} is not key=value, as in 'small/think=2/vote=8'.")
            if key == EFFORT_KEY:
                effort = value
            elif strategy == "direct" and value.isdigit():
                strategy, n = key, int(value)
            else:
                settings.append((key, value))
        return cls(Source(model, effort), strategy, n, tuple(sorted(settings)))
