"""FrugalGPT's cascade: ask models in order of cost; a learned scorer of (query, answer) decides whether to go on.

The scorer, a fine-tuned DistilBERT in the paper, is a logistic on the forecast of
the source for this query and on what its one answer shows (tokens, blank,
verdict). As published, the list of at most three models and all thresholds are searched
jointly on the training split, here with held-out scores, over up to 8 probes in order of cost and
6 thresholds each: at most 2,200 settings.

Source: Chen 2305.05176, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from onedial.core.decision import Policy
from onedial.core.outcome import Floats
from onedial.forecasts.logit import Logit, cross_fitted, folds_of
from onedial.policies.baselines.contract import Lesson, StepperRecipe
from onedial.policies.baselines.pool import Pool, ladder, pool_of, thinned
from onedial.policies.baselines.staged import Stage, Staged, warm
from onedial.policies.baselines.text_ridge import TextRidge, forecast_scores
from onedial.policies.baselines.two_arm import levels
from onedial.policies.baselines.votes import Seen, signals

MODELS = 8
THRESHOLDS = 6


@dataclass(frozen=True, slots=True)
class AnswerScorer:
    """Chance that an answer is right, by the query and by what the answer shows."""

    logit: Logit

    def __call__(self, seen: Seen, ante: Floats) -> Floats:
        """(rows,) in [0, 1]."""
        return self.logit(described(seen, ante))


def described(seen: Seen, ante: Floats) -> Floats:
    """(rows, 5) the forecast before the answer, then its signals."""
    return np.column_stack((ante, signals(seen)))


@dataclass(frozen=True, slots=True)
class _Model:
    """One model on the training rows: its grade, cost, held-out score and fitted scorer."""

    column: int
    value: Floats
    usd: Floats
    held: Floats
    scorer: AnswerScorer


def fit(lesson: Lesson) -> Sequence[Policy]:
    """Search lists and thresholds; the training hull is the ladder."""
    pool = pool_of(lesson)
    forecast, ante = forecast_scores(lesson, pool.sources)
    models = [_model(pool, j, ante[:, j], lesson.seed) for j in thinned(np.array(pool.probes), MODELS)]
    lists = [list(chosen) for length in (1, 2, 3) for chosen in combinations(models, length)]
    found = [(chosen, *row) for chosen in lists for row in _settings(pool, chosen)]
    rungs = ladder([cost for *_, cost in found], [quality for *_, quality, _ in found])
    return [_policy(pool, found[k][0], found[k][1], found[k][2], forecast) for k in rungs]


def _model(pool: Pool, column: int, ante: Floats, seed: int) -> _Model:
    tape = pool.tape
    seen, value = tape.seen(column, 1), tape.value(column, np.zeros(len(tape.row), dtype=np.int64))
    logit, held = cross_fitted(described(seen, ante[tape.row]), value, folds_of(tape.row, seed), 1.0 / tape.copies)
    return _Model(int(column), value, tape.ask_usd(column, 1), held, AnswerScorer(logit))


def _settings(pool: Pool, chosen: Sequence[_Model]) -> list[tuple[tuple[float, ...], float, float]]:
    """(thresholds, mean quality, mean cost) of every choice of thresholds for one list."""
    usd = [_asked(pool, chosen, k) for k in range(len(chosen))]
    if len(chosen) == 1:
        return [((), float(chosen[0].value.mean()), float(usd[0].mean()))]
    first, tail = chosen[0], chosen[1:]
    tops = levels(first.held, THRESHOLDS)
    on = (first.held < tops[:, None]).astype(float) if len(tops) else np.zeros((0, len(first.held)))
    rest = _rest(tail, usd[1:])
    return [
        (
            (float(t), *then),
            float((first.value * (1.0 - on[i])).mean() + on[i] @ value / len(value)),
            float(usd[0].mean() + on[i] @ paid / len(paid)),
        )
        for i, t in enumerate(tops)
        for then, value, paid in rest
    ]


def _rest(tail: Sequence[_Model], usd: Sequence[Floats]) -> list[tuple[tuple[float, ...], Floats, Floats]]:
    """(thresholds, (rows,) quality, (rows,) cost) of the list after its first model."""
    if len(tail) == 1:
        return [((), tail[0].value, usd[0])]
    found: list[tuple[tuple[float, ...], Floats, Floats]] = []
    for t in levels(tail[0].held, THRESHOLDS):
        on = tail[0].held < t
        found.append(((float(t),), np.where(on, tail[1].value, tail[0].value), usd[0] + np.where(on, usd[1], 0.0)))
    return found


def _asked(pool: Pool, chosen: Sequence[_Model], k: int) -> Floats:
    asked, column = [m.column for m in chosen[:k]], chosen[k].column
    return pool.tape.ask_usd(column, 1, warm=True) if warm(pool.tape, asked, column) else chosen[k].usd


def _policy(pool: Pool, chosen: Sequence[_Model], thresholds: tuple[float, ...], quality: float, forecast: TextRidge) -> Staged:
    stages = [
        Stage(
            pool.block(m.column, 1), m.scorer if k < len(thresholds) else None, thresholds[k] if k < len(thresholds) else -np.inf, m.column
        )
        for k, m in enumerate(chosen)
    ]
    return Staged(tuple(stages), quality, forecast)


FRUGAL_GPT = StepperRecipe("frugal-gpt", "Chen 2305.05176", fit)
