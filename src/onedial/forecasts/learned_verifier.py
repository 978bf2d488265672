"""A verifier learned from recorded outcomes: how likely an answer is right, by what can be seen of it beside the other answers.

Seen are how many of the others agree, its tokens and log-probability (also beside those of the others), and its shape in text
beside the question. A small ridge logistic joins them; it is fitted to the user's own outcomes, of whatever models.
Scores that are to be rated come from folds that have not seen the query.

Source: a learned verifier, Cobbe 2110.14168; agreement and length as its features, in place of a language model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log1p
from typing import NamedTuple

import numpy as np

from onedial.core.answer import Candidate
from onedial.core.errors import TableError
from onedial.core.outcome import Floats, Ints, known_mean
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.forecasts.answer_shape import ANSWER_SHAPE, answer_shapes
from onedial.forecasts.logit import Logit, cross_fitted, folds_of
from onedial.metrics.roc import ACCEPTED
from onedial.verifiers.judges.contract import Verdicts

BESIDE = ("agreement", "log tokens", "log tokens over the others'", "log-probability", "log-probability over the others'")
FEATURES = (*BESIDE, *ANSWER_SHAPE)
LEAST_QUERIES = 20
"""Graded queries without which nothing is learned."""


class Sampled(NamedTuple):
    """Answers to one query that were in the running together, with what became of each: a score in [0, 1], NaN if not graded."""

    query: Query
    candidates: Sequence[Candidate]
    scores: Sequence[float]


@dataclass(frozen=True, slots=True)
class LearnedVerifier:
    """Scores candidates by their features. A judge that asks nothing: `Reading(judge=learned.judge)`."""

    logit: Logit

    def scores(self, query: Query, candidates: Sequence[Candidate]) -> Floats:
        """(n,) chance that each candidate is right, in [0, 1]."""
        return self.logit(described(query, candidates))

    def judge(self, query: Query, candidates: Sequence[Candidate]) -> Steps[Verdicts]:
        """Score candidates without asking anybody."""
        yield from ()
        return Verdicts(tuple(map(float, self.scores(query, candidates))), read=len(candidates))


class Learned(NamedTuple):
    """A verifier, and what it is worth on queries that it has not seen.

    Attributes:
        verifier: Fitted to all outcomes.
        held: Per answer, in order, the score given by those fitted to other queries; NaN where it is not graded.
        labels: The grades, in the same order.
        row: Which query each answer belongs to.
    """

    verifier: LearnedVerifier
    held: Floats
    labels: Floats
    row: Ints


def fit_verifier(sampled: Sequence[Sampled], seed: int = 0) -> Learned:
    """Fit to graded answers, cross-fitted by query.

    Args:
        sampled: One entry per set of answers that were in the running together; several may be of one query.
        seed: Of the folds.

    Raises:
        TableError: Too few queries are graded, or all answers are right, or all wrong.
    """
    names = {one.query.id: i for i, one in reversed([*enumerate(sampled)])}
    kept = [one for one in sampled if len(one.candidates)]
    row = np.unique([names[one.query.id] for one in kept for _ in one.candidates], return_inverse=True)[1]
    x = np.concatenate([described(one.query, one.candidates) for one in kept]) if kept else np.zeros((0, len(FEATURES)))
    y = np.array([score for one in kept for score in one.scores], dtype=float)
    graded = np.isfinite(y)
    if len(np.unique(row[graded])) < LEAST_QUERIES or len(np.unique(y[graded] >= ACCEPTED)) < 2:
        raise TableError(
            f"{len(np.unique(row[graded]))} graded queries; a verifier is learned from at least {LEAST_QUERIES}, with right and wrong "
            "answers among them. Collect more."
        )
    held = np.full(len(y), np.nan)
    copies = graded.sum() / len(np.unique(row[graded]))
    logit, held[graded] = cross_fitted(x[graded], y[graded], folds_of(row, seed)[graded], 1.0 / copies)
    return Learned(LearnedVerifier(logit), held, y, row)


def described(query: Query, candidates: Sequence[Candidate]) -> Floats:
    """(n, len(FEATURES)) what can be seen of each candidate beside the others; NaN where it is not known."""
    votes, n = Counter(c.answer for c in candidates if c.answer is not None), len(candidates)
    agreement = [(votes[c.answer] - 1) / (n - 1) if n > 1 and c.answer is not None else np.nan for c in candidates]
    tokens = np.array([np.nan if c.output_tokens is None else log1p(c.output_tokens) for c in candidates], dtype=float)
    sure = np.array([np.nan if c.logprob is None else c.logprob for c in candidates], dtype=float)
    beside = np.column_stack((np.array(agreement, dtype=float), tokens, _over_others(tokens), sure, _over_others(sure)))
    return np.hstack((beside, answer_shapes([query.prompt] * n, [c.text or c.answer or "" for c in candidates])))


def _over_others(values: Floats) -> Floats:
    """Each value less the mean of all that are known; NaN where only one is."""
    return np.asarray(values - known_mean(values) if np.isfinite(values).sum() > 1 else np.full(len(values), np.nan))
