"""Forecasts that judges are fitted on must not know the outcomes of their own queries."""

import numpy as np
from scipy.stats import spearmanr

from lessons import skill_case, token_case
from onedial.forecasts.logit import cross_fitted, folds_of
from onedial.policies.baselines.text_ridge import forecast_scores


def test_where_text_tells_nothing_nothing_can_be_learned_from_a_forecast_about_the_outcome_it_left_out():
    gains = []
    for seed in range(6):
        lesson = token_case(n=120, samples=1, seed=seed).lesson
        cheap = np.array([[s.model for s in lesson.panel.sources].index("cheap")])
        _, held = forecast_scores(lesson, cheap)
        right = lesson.panel.score[:, cheap[0], 0]
        _, p = cross_fitted(held, right, folds_of(np.arange(len(right)), 0))
        gains.append(((right - right.mean()) ** 2).mean() - ((right - p) ** 2).mean())
    assert np.mean(gains) < 0.01  # leave-one-out means would tell every outcome: a gain of 0.25


def test_where_text_tells_the_difficulty_a_forecast_knows_it_for_queries_seen_and_new():
    case = skill_case(n=240)
    forecast, held = forecast_scores(case.lesson, np.arange(len(case.lesson.panel.sources)))
    new = np.stack([forecast.of(query) for query in case.test.queries])
    for panel, guess in ((case.train.panel, held), (case.test.panel, new)):
        assert spearmanr(guess.mean(axis=1), panel.score.mean(axis=(1, 2))).statistic > 0.6
