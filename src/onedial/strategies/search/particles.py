"""Particle filtering: texts are drawn anew by their scores, and only when few of them carry the weight.

A step score is taken as the likelihood that the text is right so far, as an emission of a state-space model: a text's weight is the
product of its scores since texts were last drawn anew. Chance stands in for certainty, so that a scorer that errs does not rule alone.

Source: Puri 2502.01618; drawing anew when the effective sample size falls below a half, Liu & Chen 1995, systematically, Carpenter 1999.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import fsum
from random import Random

from onedial.core.answer import Answer
from onedial.core.arm import Source
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Reading
from onedial.strategies.search.climb import round_size
from onedial.strategies.search.growth import ROOT, Growth, Text, best_answer

LEAST = 1e-6
"""A text of a lower score keeps this much weight."""
Weighted = tuple[Text, float]


def particle_filter(query: Query, source: Source, n: int, reading: Reading, fewest: float = 0.5) -> Steps[Answer]:
    """Move about the root of `n` texts on by a step each, again and again, at most `n` completions in all; the highest-scored answers vote.

    They are drawn anew when the effective number of them falls below the part `fewest`; 1 does it in every round. The
    chance in it is that of the query's id.
    """
    growth, size, rng = Growth(query, source, n, reading), round_size(n), Random(f"particles {query.id}")
    particles: list[Weighted] = [(ROOT, 1.0)] * size
    while growth.left and any(not text.ended for text, _ in particles):
        last = growth.left < 2 * size
        particles = sorted((yield from _moved(growth, particles, last)), key=lambda particle: -particle[1])
        weights = [weight for _, weight in particles]
        if last:
            break
        if particles and effective(weights) < fewest * size:
            particles = [(particles[i][0], 1.0) for i in systematic(weights, size, rng.random())]
    return (yield from growth.conclude(best_answer, f"{size} particles moving on"))


def _moved(growth: Growth, particles: Sequence[Weighted], last: bool) -> Steps[list[Weighted]]:
    """Every particle one step on, or to its end; those at the same text in one ask, and those that have ended as they are."""
    moved = [one for one in particles if one[0].ended]
    groups: dict[Text, list[float]] = {}
    for text, weight in particles:
        if not text.ended:
            groups.setdefault(text, []).append(weight)
    for text, weights in groups.items():
        grown = yield from growth.finish(text, len(weights)) if last else growth.step(text, len(weights))
        moved += [(each, weight * max(each.value, LEAST)) for each, weight in zip(grown, weights, strict=False)]
    return moved


def effective(weights: Sequence[float]) -> float:
    """The effective sample size: the square of the sum over the sum of squares.

    >>> effective([1.0, 1.0]), effective([1.0, 0.0])
    (2.0, 1.0)
    """
    top = max(weights)
    return fsum(weight / top for weight in weights) ** 2 / fsum((weight / top) ** 2 for weight in weights)


def systematic(weights: Sequence[float], count: int, uniform: float) -> list[int]:
    """Draw `count` indices in proportion to the weights, at even distances from one uniform number in [0, 1).

    >>> systematic([0.5, 0.0, 0.5], 4, 0.5)
    [0, 0, 2, 2]
    """
    ends, drawn, i = [*accumulate(weights)], list[int](), 0
    for k in range(count):
        while i < len(ends) - 1 and ends[i] <= (k + uniform) / count * ends[-1]:
            i += 1
        drawn.append(i)
    return drawn
