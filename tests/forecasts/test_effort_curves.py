import numpy as np
import pytest
from scipy.special import expit

from onedial.core.arm import Source
from onedial.core.errors import TableError
from onedial.forecasts.effort_curves import fit_effort_curves
from onedial.forecasts.effort_levels import rung

LEVELS = {"low": 500.0, "medium": 2_000.0, "high": 8_000.0, "xhigh": 20_000.0}


def _planted(seed=0, models=8, gamma=0.5):
    """Sources, their success and tokens, and each model's A and B, with u0 the geometric mean of all tokens."""
    rng = np.random.default_rng(seed)
    asymptote, drop = 1.5 + 0.6 * rng.standard_normal(models), 1.0 + 0.25 * rng.standard_normal(models)
    sources = [Source(f"m{m}", label) for m in range(models) for label in LEVELS]
    wordy = np.exp(0.3 * rng.standard_normal(models))
    tokens = np.array([wordy[m] * u for m in range(models) for u in LEVELS.values()])
    middle = np.exp(np.log(tokens).mean())
    theta = np.repeat(asymptote, 4) - np.repeat(drop, 4) * (tokens / middle) ** -gamma
    return sources, expit(theta), tokens, asymptote, drop


def _fit(sources, success, tokens, keep):
    return fit_effort_curves([sources[i] for i in keep], success[keep], np.full(len(keep), 1e-5), tokens[keep])


def test_planted_curves_are_found_again():
    sources, success, tokens, asymptote, drop = _planted()
    curves = _fit(sources, success, tokens, np.arange(len(sources)))
    found = np.array([curves.curve(f"m{m}") for m in range(8)])
    assert curves.gamma == 0.5
    assert np.abs(found[:, 0] - asymptote).max() < 0.15
    assert np.abs(found[:, 1] - drop).max() < 0.15


def test_a_level_left_out_is_nearer_to_the_curve_than_to_the_nearest_level():
    sources, success, tokens, *_ = _planted(seed=3)
    ours, nearest = [], []
    for left_out in range(0, len(sources), 5):
        keep = np.array([i for i in range(len(sources)) if i != left_out])
        curves = _fit(sources, success, tokens, keep)
        theta, _ = curves.theta(sources[left_out], curves.tokens_at(sources[left_out]))
        siblings = [i for i in keep if sources[i].model == sources[left_out].model]
        near = min(siblings, key=lambda i: abs(np.log(tokens[i] / tokens[left_out])))
        ours.append(expit(theta) - success[left_out])
        nearest.append(success[near] - success[left_out])
    assert np.sqrt(np.mean(np.square(ours))) < 0.5 * np.sqrt(np.mean(np.square(nearest)))


def test_a_model_seen_at_one_level_borrows_the_curve_of_the_others():
    sources, success, tokens, *_ = _planted()
    keep = np.array([i for i in range(len(sources)) if sources[i].model != "m0" or sources[i].effort == "low"])
    curves = _fit(sources, success, tokens, keep)
    at = sources.index(Source("m0", "high"))
    theta, deviation = curves.theta(sources[at], curves.tokens_at(sources[at]))
    assert abs(expit(theta) - success[at]) < 0.5 * abs(success[0] - success[at])
    assert deviation > 0


def test_tokens_of_a_level_are_learned_from_models_that_were_asked_for_it():
    sources, success, tokens, *_ = _planted(seed=5)
    left_out = sources.index(Source("m2", "high"))
    curves = _fit(sources, success, tokens, np.array([i for i in range(len(sources)) if i != left_out]))
    assert curves.tokens_at(sources[left_out]) == pytest.approx(tokens[left_out], rel=0.2)


def test_labels_that_say_nothing_are_learned_from_those_who_share_them_without_any_tokens():
    rng = np.random.default_rng(2)
    skill = rng.standard_normal(10)
    sources = [Source(f"m{m}", label) for m in range(10) for label in ("direct", "cot")]
    theta = np.stack((skill, skill + 1.0), axis=1).ravel()
    unknown = np.full(len(sources), np.nan)
    curves = _fit(sources, expit(theta), unknown, np.array([i for i in range(len(sources)) if i != 7]))
    assert np.isnan(curves.tokens_at(sources[7]))
    assert expit(curves.theta(sources[7], np.nan)[0]) == pytest.approx(expit(theta[7]), abs=0.05)


def test_noisy_levels_are_held_to_their_curve():
    sources, success, tokens, *_ = _planted(models=12)
    rng = np.random.default_rng(9)
    noise = np.full(len(sources), 0.03**2)
    seen = np.clip(success + 0.03 * rng.standard_normal(len(sources)), 0.01, 0.99)
    smoothed = fit_effort_curves(sources, seen, noise, tokens).smoothed(sources, noise, tokens)
    assert np.square(smoothed - success).mean() < 0.8 * np.square(seen - success).mean()


def test_too_few_levels_are_refused():
    with pytest.raises(TableError, match="2 recorded levels"):
        fit_effort_curves([Source("a", "low"), Source("a", "high")], np.array([0.5, 0.6]), np.zeros(2), np.array([1.0, 2.0]))


def test_a_model_that_was_not_fitted_has_no_curve():
    sources, success, tokens, *_ = _planted(models=2)
    with pytest.raises(TableError, match="no level of model 'new'"):
        _fit(sources, success, tokens, np.arange(len(sources))).curve("new")


def test_budgets_stand_on_the_ladder_in_their_order():
    assert rung("thinking-1000") < rung("thinking-16k") < rung("thinking-64000")
    assert np.isnan(rung("tools"))
