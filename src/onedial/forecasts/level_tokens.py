"""From the level asked for to the tokens used: per source, how many a sample takes, and how many a level that was never asked would take.

A level is a word, and a prompted budget a wish: models use several times what they are asked for, or a fraction. So the map is
learned. Mean log tokens of a source follow a regression on what is asked, pooled over models and families, and are held to it as
firmly as they are few; the spread around them is pooled too, and its shape is that of all sources together. What success does with
the tokens is in `effort_curves`.

Source: THEORY.md section 2, "thinking budget"; the smearing estimate of the mean is Duan 1983.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from onedial.core.arm import Source
from onedial.core.cores import one_core
from onedial.core.outcome import Floats, Ints, known_mean
from onedial.forecasts.effort_design import Names, token_blocks
from onedial.forecasts.pooling import Pooled, fit_pooled

MIN_LEVELS = 3
"""Sources that a regression takes; of fewer each has its own numbers only."""
WEIGHT = 4.0
"""Queries' worth of trust in the pooled spread."""
SHAPE = 199
"""Quantiles that the shape of the spread is kept in."""
_LEVELS = (np.arange(SHAPE) + 0.5) / SHAPE


@dataclass(frozen=True, slots=True)
class Used:
    """Output tokens of one sample, thought included.

    Attributes:
        mean: Expected.
        half: Half of the samples stay within it.
        most: 95 of 100 do.
        queries: Queries that were recorded; 0 where it is all borrowed from other models and levels.
    """

    mean: float
    half: float
    most: float
    queries: int


@dataclass(frozen=True, slots=True)
class LevelTokens:
    """The fitted map.

    Attributes:
        seen: (mean log tokens, its standard deviation between samples, queries) of every source with recorded tokens.
        shape: (SHAPE,) quantiles of the standardised spread, from low to high.
        spread: Standard deviation of log tokens between samples, pooled.
        names: What the columns of the regression stand for.
        line: The regression; None where too few sources are recorded.
    """

    seen: dict[Source, tuple[float, float, int]]
    shape: Floats
    spread: float
    names: Names
    line: Pooled | None

    def used(self, source: Source) -> Used | None:
        """Tokens of a source at its level; None where nothing is recorded that it could be learned from.

        A model that was never seen, at any level, borrows nothing either.
        """
        if source in self.seen:
            middle, spread, queries = self.seen[source]
            doubt = 0.0
        elif self.line is not None and source.model in self.names.models:
            row = _design(self.names, [source])
            middle, spread, queries = float(self.line.at(row)[0]), self.spread, 0
            doubt = float(self.line.sd(row)[0])
        else:
            return None
        drawn = np.exp(middle + spread * self.shape[:, None] + doubt * ndtri(_LEVELS))
        return Used(float(drawn.mean()), float(np.quantile(drawn, 0.5)), float(np.quantile(drawn, 0.95)), queries)


def fit_level_tokens(sources: Sequence[Source], tokens: Floats) -> LevelTokens:
    """Fit the map to recorded samples.

    Args:
        sources: S of them.
        tokens: (queries, S, samples) output tokens, NaN where unknown.
    """
    logs = np.log(np.maximum(tokens, 1.0))
    per_query = known_mean(logs)
    told = np.flatnonzero(np.isfinite(per_query).any(axis=0))
    kept = [sources[int(j)] for j in told]
    names, middle = Names.of(kept), known_mean(per_query[:, told], axis=0)
    queries = np.isfinite(per_query[:, told]).sum(axis=0)
    spread, pooled = _spreads(logs[:, told], middle, queries)
    noise = spread**2 / np.maximum(queries, 1)
    line = _line(names, kept, middle, noise)
    if line is not None:
        own = float(line.variances[-1])
        expected = line.at(_design(names, kept))
        middle = expected + own / (own + noise) * (middle - expected)
    seen = {source: (float(m), float(s), int(n)) for source, m, s, n in zip(kept, middle, spread, queries, strict=True)}
    return LevelTokens(seen, _shape(logs[:, told], spread), pooled, names, line)


def _spreads(logs: Floats, middle: Floats, queries: Ints) -> tuple[Floats, float]:
    """(S,) standard deviation between samples, each held to the pooled one; and that."""
    variance = known_mean((logs - middle[None, :, None]) ** 2, axis=(0, 2))
    free = np.maximum(queries - 1, 0)
    pooled = float((free * variance).sum() / free.sum()) if free.sum() else 0.0
    return np.sqrt((free * variance + WEIGHT * pooled) / (free + WEIGHT)), float(np.sqrt(pooled))


def _shape(logs: Floats, spread: Floats) -> Floats:
    """Quantiles of what samples are away from their source's middle, in its standard deviations; around 0 where nothing varies."""
    away = (logs - known_mean(logs, axis=(0, 2))[None, :, None]) / np.where(spread > 0, spread, 1.0)[None, :, None]
    known = away[np.isfinite(away)]
    return np.quantile(known, _LEVELS) if known.size else np.zeros(SHAPE)


def _line(names: Names, sources: Sequence[Source], middle: Floats, noise: Floats) -> Pooled | None:
    if len(sources) < MIN_LEVELS:
        return None
    with one_core():
        return fit_pooled(token_blocks(names.columns(sources), sources), middle, noise)


def _design(names: Names, sources: Sequence[Source]) -> Floats:
    return np.concatenate(token_blocks(names.columns(sources), sources), axis=1)
