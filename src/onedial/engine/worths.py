"""Where to put the rungs of a ladder: close together where a change of worth changes what is done, nowhere twice where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from onedial.core.model import Model
from onedial.core.outcome import Floats
from onedial.engine.ladders import Climb, climb_once
from onedial.strategies.draw import Reading

RUNGS = 12
TRIED = 16
SAMPLE = 32
"""Worths tried, on so many queries, to find out where rungs belong."""


def worth_range(cheapest_usd: float, dearest_usd: float, rungs: int) -> Floats:
    """Worths from "being surely right is worth the cheapest block" to "three points are worth the dearest one", log-spaced."""
    return np.geomspace(cheapest_usd, 30.0 * dearest_usd, rungs)


def spaced_worths(one: Climb, models: Mapping[str, Model], reading: Reading, seed: int, rungs: int = RUNGS) -> Floats:
    """Worths that are evenly far apart in what is claimed and what is spent.

    Args:
        one: A ladder over the whole range, on training queries; a sample of them is climbed. No outcome is scored.
        models: Every model of its forecast.
        reading: How completions are read.
        seed: Of the sample.
        rungs: How many.
    """
    n = len(one.recorded.queries)
    rows = np.sort(np.random.default_rng([seed, 5]).permutation(n)[:SAMPLE])
    ladder = climb_once(replace(one, recorded=one.recorded.rows(rows), latents=one.latents.rows(rows)), models, reading)
    log = np.log(one.worths)
    steps = np.abs(np.diff([ladder.forecast.mean(axis=1), np.log(ladder.cost_usd.mean(axis=1))], axis=1))
    whole = np.maximum(steps.sum(axis=1, keepdims=True), 1e-12)
    far = np.concatenate(([0.0], np.cumsum((steps / whole).sum(axis=0))))
    far += np.linspace(0.0, 1e-6, len(far))  # where nothing changes a rung is as good as another
    return np.asarray(np.exp(np.interp(np.linspace(0.0, far[-1], rungs), far, log)))
