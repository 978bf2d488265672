"""A verifier of stated quality: the truth, told with errors that belong to the answer and not to the moment."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

from onedial.core.query import Query
from onedial.core.roc import Roc
from onedial.engine.collect import Grade
from onedial.verifiers.process import ProcessScorer
from onedial.verifiers.verifier import Verifier

_RANGE = 2.0**64


def noisy(grade: Grade, roc: Roc, seed: int = 0) -> Verifier:
    """Accept (1) or reject (0) an answer with the chances that the ROC gives to right and wrong ones; None where there is no grade.

    The same answer to the same query is always judged alike: drawing it again does not
    correct a mistake. An experiment's tool: it has seen the references.
    """

    def judge(query: Query, answer: str) -> float | None:
        truth = grade(query, answer)
        if truth is None:
            return None
        return float(dice(seed, query.id, answer) < (roc.p_accept_right if truth >= 0.5 else roc.p_accept_wrong))

    return judge


def noisy_steps(sound: Callable[[Query, str], str | None], roc: Roc, seed: int = 0) -> ProcessScorer:
    """The same for beginnings: accept or reject a text so far, which is right where no step of it is wrong."""

    def judge(query: Query, text: str) -> float | None:
        kept = sound(query, text)
        if kept is None:
            return None
        return float(dice(seed, query.id, text) < (roc.p_accept_right if kept == text else roc.p_accept_wrong))

    return judge


def dice(seed: int, *parts: str) -> float:
    """A number in [0, 1) that belongs to the seed and the parts."""
    text = "\x1f".join((str(seed), *parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) / _RANGE


def of_quality(quality: float) -> Roc:
    """The verifier that is right about any answer with this chance: 0.5 is chance, 1 is perfect.

    >>> of_quality(0.75)
    Roc(p_accept_right=0.75, p_accept_wrong=0.25)
    """
    return Roc(quality, 1.0 - quality)
