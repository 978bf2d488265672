"""What serves a forecast: one learner or a weighted few, with the space that they read queries in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from onedial.core.outcome import Floats
from onedial.forecasts.learners.contract import Arrays, Learner, Sees
from onedial.forecasts.learners.registry import restore
from onedial.forecasts.learners.space import Space
from onedial.forecasts.learners.views import view
from onedial.forecasts.sketch import Sketch


@dataclass(frozen=True, slots=True)
class Reader:
    """From sketches to outputs.

    Attributes:
        space: None if no member looks at it.
        members: Fitted learners.
        sees: What each looks at; see `views`.
        weights: (n_members, K), each column summing to one.
    """

    space: Space | None
    members: tuple[Learner, ...]
    sees: tuple[Sees, ...]
    weights: Floats

    def predict(self, x: Sketch) -> Floats:
        """(n, K) outputs of n sketched queries."""
        seen = {sees: view(sees, x, self.space) for sees in set(self.sees)}
        out = np.zeros((len(x), self.weights.shape[1]))
        for member, sees, weight in zip(self.members, self.sees, self.weights, strict=True):
            out += weight * member.predict(seen[sees])
        return out

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything there is to store: plain arrays, none of them of objects."""
        out: dict[str, npt.NDArray[Any]] = {
            "weights": self.weights,
            "sees": np.array(self.sees),
            "kinds": np.array([member.kind for member in self.members]),
        }
        out |= {f"space.{name}": value for name, value in (self.space.arrays() if self.space else {}).items()}
        for i, member in enumerate(self.members):
            out |= {f"{i}.{name}": value for name, value in member.arrays().items()}
        return out

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Reader:
        """Read what `arrays` gave."""

        def part(prefix: str) -> dict[str, npt.NDArray[Any]]:
            return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}

        members = tuple(restore(str(kind), part(f"{i}.")) for i, kind in enumerate(arrays["kinds"]))
        space = part("space.")
        return cls(Space(**space) if space else None, members, tuple(cast(Sees, str(sees)) for sees in arrays["sees"]), arrays["weights"])
