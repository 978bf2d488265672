"""Forecasts from the text of a query, for the baselines that see answers: an embedding, then ridge regression.

Training queries have out-of-fold forecasts, on which judges of answers are fitted.
Only slopes are left out, never a query from the mean: it would give itself away,
upside down, to whatever is fitted on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from onedial.core.outcome import Floats, Ints, known_mean
from onedial.core.query import Query
from onedial.forecasts.features import features
from onedial.forecasts.logit import folds_of
from onedial.policies.baselines.contract import Lesson
from onedial.policies.baselines.embedding import Embedding
from onedial.policies.baselines.ridge import Basis, Ridge


@dataclass(frozen=True, slots=True)
class TextRidge:
    """A linear map from an embedding of text to outputs."""

    embedding: Embedding
    ridge: Ridge

    def of(self, query: Query) -> Floats:
        """(outputs,) of one query."""
        return np.asarray(self.ridge.predict(self.embedding.rows(described(query)))[0])

    def outputs(self, kept: slice) -> TextRidge:
        """The same with some of the outputs."""
        return TextRidge(self.embedding, Ridge(self.ridge.weights[:, kept], self.ridge.offset[kept]))


@lru_cache(maxsize=4096)
def described(query: Query) -> Floats:
    """(1, d) features of a query; kept, since the rungs of a ladder ask for the same ones."""
    return features([query])


@dataclass(frozen=True, slots=True)
class Ground:
    """The training queries, decomposed as a whole and without each fold, so that many outputs can be fitted.

    Attributes:
        embedding: Of all of them; it sees no outcome.
        x: (n, r) coordinates.
        fold: (n,) fold of each.
        whole: Of all.
        without: Per fold, of the others.
    """

    embedding: Embedding
    x: Floats
    fold: Ints
    whole: Basis
    without: tuple[Basis, ...]

    @classmethod
    def of(cls, lesson: Lesson) -> Ground:
        """Decompose the training split; folds are those of `logit.folds_of`."""
        embedding = Embedding.of(lesson.features)
        x, fold = embedding.rows(lesson.features), folds_of(np.arange(len(lesson.queries)), lesson.seed)
        parts = tuple(Basis.of(x[fold != k], scaled=False) for k in np.unique(fold))
        return cls(embedding, x, fold, Basis.of(x, scaled=False), parts)

    def fit(self, y: Floats) -> tuple[TextRidge, Floats]:
        """Fit (n, outputs) at the strength of the least out-of-fold error; return the map and (n, outputs) out-of-fold forecasts."""
        mean = y.mean(axis=0)
        strengths = self.whole.strengths()
        held = np.zeros((len(strengths), *y.shape))
        for k, basis in zip(np.unique(self.fold), self.without, strict=True):
            out = self.fold == k
            for number, strength in enumerate(strengths):
                held[number, out] = mean + (self.x[out] - basis.centre) @ basis.weights(y[~out] - mean, float(strength))
        best = int(np.argmin(((held - y) ** 2).sum(axis=(1, 2))))
        weights = self.whole.weights(y - mean, float(strengths[best]))
        return TextRidge(self.embedding, Ridge(weights, mean - self.whole.centre @ weights)), held[best]


def forecast_scores(lesson: Lesson, sources: Ints) -> tuple[TextRidge, Floats]:
    """Forecast the mean score of each source from the query's text.

    Args:
        lesson: Training split.
        sources: (k,) columns of the panel.

    Returns:
        The map, and (n_queries, k) out-of-fold forecasts of the training queries.
    """
    return Ground.of(lesson).fit(known_mean(lesson.panel.score[:, sources]))
