"""Best-of-n for a verifier that errs: the answer of the highest lower bound, so that a rare answer needs a score that is clearly higher.

The more samples best-of-n draws, the more chances a wrong answer has to fool the
verifier once, and quality falls in the end. Here an answer's score is lowered by a
penalty that shrinks with its votes: one that is given again and again is trusted more.

Source: Shi 2504.10337 (pessimistic verification); why pessimism, Huang 2503.21878.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, log

from onedial.core.answer import Answer, Candidate
from onedial.core.arm import Source
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Reading, alike, conclude, draw, judged, plurality
from onedial.verifiers.equal.registry import Equal

PESSIMISM = 0.1
"""Weight of the penalty, in score units; 0 is best-of-n. A default of ours, tuned on nothing."""


def pessimistic_best(query: Query, source: Source, n: int, reading: Reading, pessimism: float = PESSIMISM) -> Steps[Answer]:
    """Draw `n` samples in one ask and take the answer whose score has the highest lower bound."""
    first = yield from draw(query, source, n, reading)
    drawn = yield from judged(query, [first], reading)
    chosen = most_trusted(drawn[0].candidates, pessimism, reading.equal)
    return conclude(drawn, chosen, f"{len(first.candidates)} of {n} samples are in and scored, rare answers with doubt")


def most_trusted(candidates: Sequence[Candidate], pessimism: float, equal: Equal | None = None) -> Candidate | None:
    """The first candidate of the answer with the highest lower bound, the earliest on ties; without any score, the plurality."""
    scores: dict[str, list[float]] = {}
    voices = alike(candidates, equal)
    for c, voice in zip(candidates, voices, strict=True):
        if voice is not None and c.score is not None:
            scores.setdefault(voice, []).append(c.score)
    if not scores:
        return plurality(candidates, equal)
    n = sum(map(len, scores.values()))
    best = max(scores, key=lambda answer: lower_bound(scores[answer], n, pessimism))
    return candidates[voices.index(best)]


def lower_bound(scores: Sequence[float], n: int, pessimism: float) -> float:
    """Mean score of an answer, less `pessimism * ln(n) / (votes + 1)`, where `n` votes of all answers are scored.

    >>> round(lower_bound([0.8, 0.8, 0.8], 8, 0.1), 3), round(lower_bound([0.8], 8, 0.1), 3)
    (0.748, 0.696)
    """
    return fsum(scores) / len(scores) - pessimism * log(n) / (len(scores) + 1)
