"""Samples of one source as rows of codes: who leads, how far they agree, what else they show.

The same lines read recorded samples, many queries at once, and the candidates of
one query, so that what is tuned on arrays is what is served.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import gammainc, gammaincinv

from onedial.core.answer import Candidate
from onedial.core.outcome import Floats, Ints, known_mean

QUANTILES = 400


@dataclass(frozen=True, slots=True)
class Seen:
    """Samples, one query per row; NaN or -1 where there is none.

    Attributes:
        answer: (rows, n) a code per distinct answer of the row.
        tokens: (rows, n) output tokens.
        verdict: (rows, n) verifier scores.
    """

    answer: Ints
    tokens: Floats
    verdict: Floats

    @classmethod
    def of(cls, candidates: Sequence[Candidate]) -> Seen:
        """One row."""
        codes: dict[str, int] = {}
        answer = [-1 if c.answer is None else codes.setdefault(c.answer, len(codes)) for c in candidates]
        tokens = [np.nan if c.output_tokens is None else float(c.output_tokens) for c in candidates]
        verdict = [np.nan if c.score is None else c.score for c in candidates]
        return cls(np.array([answer], dtype=np.int64), np.array([tokens]), np.array([verdict], dtype=float))


def votes_of(answer: Ints) -> Ints:
    """(rows, n) votes that the answer of each sample has; 0 for a sample without one.

    >>> votes_of(np.array([[0, 1, 0, -1]])).tolist()
    [[2, 1, 2, 0]]
    """
    same = (answer[:, :, None] == answer[:, None, :]) & (answer >= 0)[:, None, :]
    return np.asarray(same.sum(axis=2), dtype=np.int64)


def tally(answer: Ints) -> Ints:
    """(rows, n) votes of each distinct answer, most first, filled up with zeros.

    >>> tally(np.array([[3, 1, 3, -1]])).tolist()
    [[2, 1, 0, 0]]
    """
    before = np.tril(np.ones((answer.shape[1], answer.shape[1]), dtype=bool), -1)
    repeated = ((answer[:, :, None] == answer[:, None, :]) & before).any(axis=2)
    return -np.sort(-np.where(repeated, 0, votes_of(answer)), axis=1)


def p_largest(first: float, others: Sequence[float]) -> float:
    """P(the first mass is the largest) under a Dirichlet distribution: masses are independent gammas over their sum.

    The first one's quantiles are the nodes; the same whenever it is asked.

    >>> round(p_largest(1.0, (1.0, 1.0)), 4)
    0.3333
    """
    return float(np.prod([_below(first, shape) for shape in others], axis=0).mean())


@lru_cache(maxsize=8192)
def _below(first: float, shape: float) -> Floats:
    """(QUANTILES,) chance that a gamma of this shape is below each quantile of the first one."""
    at = gammaincinv(first, (np.arange(QUANTILES) + 0.5) / QUANTILES)
    return np.asarray(gammainc(shape, at))


def leaders(seen: Seen, by_verdict: bool = False) -> Ints:
    """(rows,) the first sample of the most frequent answer, the earliest answer on ties, as `strategies.draw.plurality`.

    Args:
        seen: Samples.
        by_verdict: Count only those that the verifier scores highest, as `strategies.best_of_n`.
    """
    votes = votes_of(seen.answer)
    if by_verdict:
        level = np.where(np.isfinite(seen.verdict), seen.verdict, -1.0)
        top = level >= level.max(axis=1, keepdims=True)
        votes = np.where(top, votes_of(np.where(top, seen.answer, -1)), -1)
    return np.asarray(votes.argmax(axis=1), dtype=np.int64)


def agreement(answer: Ints) -> Floats:
    """(rows,) share of the samples that gave the most frequent answer; 0 without any.

    >>> agreement(np.array([[0, 0, 1, 2], [-1, -1, -1, -1]])).tolist()
    [0.5, 0.0]
    """
    return np.asarray(votes_of(answer).max(axis=1) / answer.shape[1])


def signals(seen: Seen) -> Floats:
    """(rows, 4) agreement, log mean tokens, share without an answer, best verdict; NaN where unknown."""
    tokens = known_mean(seen.tokens)
    verdict = np.where(np.isfinite(seen.verdict), seen.verdict, -1.0).max(axis=1)
    return np.column_stack(
        (
            agreement(seen.answer),
            np.log(np.maximum(tokens, 1.0)),
            (seen.answer < 0).mean(axis=1),
            np.where(verdict >= 0, verdict, np.nan),
        )
    )
