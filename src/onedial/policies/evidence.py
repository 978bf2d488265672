"""What has been seen of one query, as counts. Order does not matter to what is believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        timed: (S,) samples whose tokens are known.
        length: (S,) mean log tokens of those, less the forecast; 0 without any.
    """

    answers: tuple[str, ...]
    votes: Ints
    draws: Ints
    scores: Floats
    timed: Ints
    length: Floats

    @classmethod
    def of(cls, tried: Sequence[Candidate], sources: Sequence[Source], output_tokens: Floats | None = None) -> Evidence:
        """Count candidates; those of sources not listed are left out.

        Args:
            tried: In any order.
            sources: Rows of the counts.
            output_tokens: (S,) tokens forecast per sample, in the light of which those used are seen; None: they are not looked at.
        """
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
        timed, length = lengths(known, column, output_tokens)
        return cls(tuple(codes), votes, draws, scores, timed, length)

    @property
    def judged(self) -> bool | None:
        """Whether the verifier has an opinion on this query; None while nothing has been put to it."""
        return bool(np.isfinite(self.scores).any()) if self.answers else None


def lengths(tried: Sequence[Candidate], column: Mapping[Source, int], output_tokens: Floats | None) -> tuple[Ints, Floats]:
    """How many samples of each source have known tokens, (S,), and their mean log tokens less the forecast's, (S,)."""
    timed, total = np.zeros(len(column), dtype=np.int64), np.zeros(len(column))
    for c in tried:
        if c.output_tokens is not None and output_tokens is not None:
            timed[column[c.source]] += 1
            total[column[c.source]] += surprise(c.output_tokens, float(output_tokens[column[c.source]]))
    return timed, total / np.maximum(timed, 1)


def surprise(tokens: float, forecast: float) -> float:
    """Log of the tokens used over those forecast; at least one of each."""
    return float(np.log(max(tokens, 1.0) / max(forecast, 1.0)))
