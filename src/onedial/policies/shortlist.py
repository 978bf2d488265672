"""Which sources and fixed arms are worth choosing among, and how far the best of many flatters itself.

A pool of dozens is narrowed before anything is learned about single queries.

Choosing among many sources on few outcomes is choosing by luck, and every one costs
time. What is kept is on, or not far above, the hull of fixed arms.

Source: THEORY.md section 2, "selection must be paid for".
"""

from __future__ import annotations

import numpy as np

from onedial.core.arm import Source
from onedial.metrics.bootstrap import resample_weights
from onedial.metrics.hull import hull_cost_at_quality, upper_hull
from onedial.policies.grid import Grid, most_accurate

FEW = 12
"""A pool of so many sources is not narrowed."""
MOST = 8
DEARER = 2.5
"""A source may cost so many times what the hull costs at its quality."""
BELOW = 0.3
"""Sources further than this below the best arm's quality are left out."""


def shortlist(train: Grid) -> tuple[Source, ...]:
    """Choose sources on the training split.

    Args:
        train: Complete fixed arms.

    Returns:
        In the order of the grid; the most accurate arm's source is always among them. Strategies run over models never
        crowd the models themselves out: those are narrowed as if there were no others.
    """
    sources = tuple(dict.fromkeys(arm.source for arm in train.arms))
    plain = train.columns([j for j, arm in enumerate(train.arms) if arm.source.model == arm.source.base])
    if len(sources) <= FEW:
        return sources
    if len(plain.arms) in (0, len(train.arms)):
        return _nearest(train, sources)
    kept = {*shortlist(plain), *(source for source in _nearest(train, sources) if source.model != source.base)}
    return tuple(source for source in sources if source in kept)


def _nearest(train: Grid, sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """Those on the hull of the fixed arms or nearest above it, the most accurate arm's among them."""
    quality, cost = train.quality.mean(axis=0), train.cost_usd.mean(axis=0)
    able = quality >= quality.max() - BELOW
    edge = [train.arms[int(j)].source for j in upper_hull(cost, quality).point[::-1] if able[j]]
    single = [j for j, arm in enumerate(train.arms) if arm.n == 1 and able[j]]
    excess = {train.arms[j].source: cost[j] / max(hull_cost_at_quality(cost, quality, float(quality[j])), 1e-300) for j in single}
    near = [source for source in sorted(excess, key=lambda s: excess[s]) if excess[source] <= DEARER]
    kept = dict.fromkeys((train.arms[most_accurate(train)].source, *edge, *near))
    chosen = set(list(kept)[:MOST])
    return tuple(source for source in sources if source in chosen)


def hull_arms(train: Grid, sources: tuple[Source, ...]) -> tuple[int, ...]:
    """Columns of the arms on the training hull that ask one of some sources, cheapest first."""
    points = upper_hull(np.asarray(train.cost_usd.mean(axis=0)), np.asarray(train.quality.mean(axis=0))).point
    return tuple(int(j) for j in points if train.arms[int(j)].source in sources)


def optimism(train: Grid, rng: np.random.Generator, resamples: int = 200) -> float:
    """How much better the best fixed arm looks in training than it is, for having been chosen there, in units of quality.

    Args:
        train: Complete fixed arms.
        rng: Source of the resamples.
        resamples: How many.

    Source: Efron 1983 (bootstrap estimate of optimism).
    """
    weights = resample_weights(train.quality.shape[0], resamples, rng)
    seen = weights @ train.quality
    best = seen.argmax(axis=1)
    flattery = seen[np.arange(resamples), best] - train.quality.mean(axis=0)[best]
    return max(float(flattery.mean()), 0.0)
