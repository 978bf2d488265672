"""Learn from a few samples how sure is sure enough, then draw more until the sure ones agree.

As published, a sample is cut while it is written, as soon as it falls below the
threshold. No client here can cut inside a sample, so this form stops between samples
only: an unsure one is written and paid to its end, and then does not vote. What is
saved is the samples that are not drawn.

Source: DeepConf online, Fu 2508.15260, section 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

from onedial.core.answer import Answer
from onedial.core.arm import Source
from onedial.core.confidence import WINDOW, lowest
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.confident import TOP, draw_sure, sure
from onedial.strategies.deepconf import KEEP, threshold, votes
from onedial.strategies.draw import Drawn, Reading, alike, conclude
from onedial.strategies.weighted_vote import weighed, weightiest
from onedial.verifiers.equal.registry import Equal

WARM_UP = 8
"""Samples that set the threshold. A default of ours: 16 as published, of hundreds."""
BLOCK = 4
"""Samples per ask after the warm-up: each ask bills the prompt again, and each block is paid whole."""
CONSENSUS = 0.95
"""Share of the weight that must be behind one answer, as published."""


def deepconf_online(
    query: Query,
    source: Source,
    n: int,
    reading: Reading,
    warm: int = WARM_UP,
    block: int = BLOCK,
    keep: float = KEEP,
    consensus: float = CONSENSUS,
    window: int = WINDOW,
    top: int = TOP,
) -> Steps[Answer]:
    """Draw `warm` samples, then `block` at a time up to `n`, until one answer has the share `consensus` of the weight.

    Args:
        query: What to ask.
        source: Of whom.
        n: Samples at most.
        reading: How they are read.
        warm: Samples of the warm-up, at least 1.
        block: Samples per ask after it, at least 1.
        keep: Share of the warm-up that is sure enough, in (0, 1]: 0.9 and 0.1 as published.
        consensus: In (0, 1].
        window: Tokens in a group; a sample is as sure as its least sure group.
        top: Likeliest tokens that a token's confidence rests on; 0 takes the chosen token's own probability.
    """
    came = [(yield from draw_sure(query, source, min(warm, n), reading, top))]
    weighing = _weigh(came, keep, window, reading.equal)
    asked = min(warm, n)
    while asked < n and not came[-1].trouble and weighing.agreement < consensus:
        came.append((yield from draw_sure(query, source, min(block, n - asked), reading, top, asked)))
        asked += min(block, n - asked)
        weighing = _weigh(came, keep, window, reading.equal)
    candidates = [c for d in weighing.drawn for c in d.candidates]
    chosen = weightiest(candidates, weighing.weights, reading.equal)
    return conclude(weighing.drawn, chosen, f"{len(candidates)} of {n} samples are in; {weighing}")


@dataclass(frozen=True, slots=True)
class _Weighing:
    """All samples so far: what their votes weigh, the share of that behind the weightiest answer, and what it rests on."""

    drawn: list[Drawn]
    weights: list[float]
    agreement: float
    rests_on: str

    def __str__(self) -> str:
        unsure = sum(weight == 0 for weight in self.weights)
        return f"{self.agreement:.0%} of the weight agrees, and {unsure} samples, written to their end, do not vote; {self.rests_on}"


def _weigh(came: Sequence[Drawn], keep: float, window: int, equal: Equal | None) -> _Weighing:
    """Weigh all samples by the threshold that the first ask sets."""
    drawn, rests_on = sure(came, lowest, window)
    candidates = [c for d in drawn for c in d.candidates]
    weights = votes(candidates, threshold([c.confidence for c in drawn[0].candidates if c.answer is not None], keep))
    sums = weighed(alike(candidates, equal), weights).values()
    total = fsum(sums)
    return _Weighing(drawn, weights, max(sums) / total if total else 0.0, rests_on)
