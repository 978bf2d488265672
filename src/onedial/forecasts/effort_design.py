"""The columns on which effort curves are regressed: models, their families, powers of tokens, and the words of labels."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from onedial.core.arm import Source
from onedial.core.outcome import Floats
from onedial.forecasts.effort_levels import family, kinship, parts, rung


@dataclass(frozen=True, slots=True)
class Names:
    """What columns stand for: models, words that the names of several models share, and words of labels."""

    models: tuple[str, ...]
    families: tuple[str, ...]
    labels: tuple[str, ...]

    @classmethod
    def of(cls, sources: Sequence[Source]) -> Names:
        """Those of some sources."""
        models = tuple(sorted({s.model for s in sources}))
        return cls(models, kinship(models), tuple(sorted({word for s in sources for word in parts(s.effort)})))

    def columns(self, sources: Sequence[Source]) -> tuple[Floats, Floats, Floats]:
        """(n, models), (n, families) and (n, labels) indicators; what is not known is 0 throughout."""
        who = _hot([{s.model} for s in sources], self.models)
        return who, _hot([family(s.model) for s in sources], self.families), _hot([parts(s.effort) for s in sources], self.labels)


def success_blocks(columns: tuple[Floats, Floats, Floats], power: Floats) -> list[Floats]:
    """Blocks for mean success in logits, the free intercept first.

    Args:
        columns: As `Names.columns`.
        power: (n, 1) of tokens, as it is multiplied by B.
    """
    who, kin, what = columns
    bend = [power, who * power, kin * power]
    return [np.ones_like(power), who, kin, *bend, what, crossed(who, what), crossed(kin, what)]


def token_blocks(columns: tuple[Floats, Floats, Floats], sources: Sequence[Source]) -> list[Floats]:
    """Blocks for log tokens, the free intercept first: the rung, and whether the model thinks at all, also by model."""
    who, kin, what = columns
    rungs = np.nan_to_num(np.array([[rung(s.effort)] for s in sources]), nan=1.0)
    thinks = (rungs > 0).astype(float)
    asked = [np.hstack((rungs, thinks)), who * rungs, who * thinks]
    return [np.ones_like(rungs), who, kin, *asked, what, crossed(who, what), crossed(kin, what)]


def powers(ratio: Floats, gamma: float) -> Floats:
    """(n, 1) of -(u / u0)^-gamma; 0 where tokens are unknown."""
    known = np.isfinite(ratio)
    return np.where(known, -(np.maximum(np.where(known, ratio, 1.0), 1e-3) ** -gamma), 0.0)[:, None]


def crossed(one: Floats, two: Floats) -> Floats:
    """(n, a b) products of every column of one with every column of the other."""
    return np.asarray(one[:, :, None] * two[:, None, :]).reshape(len(one), -1)


def _hot(values: Sequence[AbstractSet[str]], known: tuple[str, ...]) -> Floats:
    return np.array([[float(name in value) for name in known] for value in values]).reshape(len(values), len(known))
