"""What has been seen of one query, as counts. Order does not matter to what is believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.outcome import Floats, Ints


@dataclass(frozen=True, slots=True)
class Evidence:
    """Samples drawn so far.

    Attributes:
        answers: Distinct answers, in order of first appearance.
        votes: (S, A) samples of each source that gave each answer.
        draws: (S,) samples drawn, those without an answer included.
        scores: (A,) verifier score of each answer in [0, 1], the latest one; NaN for none.
    """

    answers: tuple[str, ...]
    votes: Ints
    draws: Ints
    scores: Floats

    @classmethod
    def of(cls, tried: Sequence[Candidate], sources: Sequence[Source]) -> Evidence:
        """Count candidates; those of sources not listed are left out."""
        column = {source: j for j, source in enumerate(sources)}
        known = [c for c in tried if c.source in column]
        codes: dict[str, int] = {}
        for c in known:
            if c.answer is not None:
                codes.setdefault(c.answer, len(codes))
        votes = np.zeros((len(sources), len(codes)), dtype=np.int64)
        draws = np.zeros(len(sources), dtype=np.int64)
        scores = np.full(len(codes), np.nan)
        for c in known:
            draws[column[c.source]] += 1
            if c.answer is not None:
                votes[column[c.source], codes[c.answer]] += 1
                if c.score is not None:
                    scores[codes[c.answer]] = c.score
        return cls(tuple(codes), votes, draws, scores)

    @property
    def judged(self) -> bool | None:
        """Whether the verifier has an opinion on this query; None while nothing has been put to it."""
        return bool(np.isfinite(self.scores).any()) if self.answers else None
