"""Sample several, leave out those that the model was least sure of, and weigh the votes of the rest by how sure it was.

All samples are drawn first. The form that decides as they come in is `deepconf_online`.

Source: DeepConf offline, Fu 2508.15260, section 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from onedial.core.answer import Answer, Candidate
from onedial.core.arm import Source
from onedial.core.confidence import MEASURES, WINDOW
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.confident import TOP, draw_sure, sure
from onedial.strategies.draw import Reading, conclude
from onedial.strategies.weighted_vote import weightiest

KEEP = 0.9
"""Share of the samples that vote. The paper reports 0.9 and 0.1, of hundreds; of few the smaller one leaves a single vote."""


def deepconf(
    query: Query,
    source: Source,
    n: int,
    reading: Reading,
    keep: float = KEEP,
    measure: str = "bottom",
    window: int = WINDOW,
    top: int = TOP,
) -> Steps[Answer]:
    """Draw `n` samples in one ask and take the answer whose confidences sum to most among the surest share `keep` of them.

    Args:
        query: What to ask.
        source: Of whom.
        n: How many samples.
        reading: How they are read.
        keep: In (0, 1].
        measure: Key of `MEASURES`.
        window: Tokens in a group, at least 1.
        top: Likeliest tokens that a token's confidence rests on; 0 takes the chosen token's own probability.
    """
    came = yield from draw_sure(query, source, n, reading, top)
    [drawn], rests_on = sure([came], MEASURES[measure], window)
    candidates = drawn.candidates
    weights = votes(candidates, threshold([c.confidence for c in candidates if c.answer is not None], keep))
    kept = sum(weight > 0 for weight in weights)
    stopped = f"{len(candidates)} of {n} samples are in, {kept} of them sure enough to vote; {rests_on}"
    return conclude([drawn], weightiest(candidates, weights, reading.equal), stopped)


def threshold(confidences: Sequence[float | None], keep: float) -> float:
    """The confidence that a share `keep` of those known reaches, one of them at least; 0 where none is.

    >>> threshold([3.0, None, 1.0, 2.0], 0.5)
    2.0
    """
    known = sorted((one for one in confidences if one is not None), reverse=True)
    return known[ceil(keep * len(known)) - 1] if known else 0.0


def votes(candidates: Sequence[Candidate], least: float) -> list[float]:
    """What each candidate's vote weighs: its confidence, or nothing below `least`, without a confidence or without an answer."""
    return [c.confidence if c.confidence is not None and c.confidence >= least and c.answer is not None else 0.0 for c in candidates]
