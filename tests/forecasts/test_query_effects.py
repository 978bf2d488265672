import numpy as np
from scipy.special import expit

from onedial.core.arm import Source
from onedial.forecasts.query_effects import fit_query_effects

SOURCES = [Source(model, effort) for model in ("a", "b", "c") for effort in ("low", "high")]


def _rates(seed=0, n=200, samples=4):
    """Chances with a difficulty of the query and one of each model on it, and rates of a few samples."""
    rng = np.random.default_rng(seed)
    own = np.repeat(rng.standard_normal((n, 3)), 2, axis=1)
    chance = expit(0.5 + 1.2 * rng.standard_normal((n, 1)) + own + np.tile([0.0, 0.6], 3))
    return chance, rng.binomial(samples, chance) / samples, np.full(chance.shape, float(samples))


def test_what_others_show_is_nearer_to_the_truth_than_the_mean():
    chance, rate, draws = _rates()
    success = fit_query_effects(rate, draws, SOURCES).success
    assert ((success - chance) ** 2).mean() < 0.6 * ((chance.mean(axis=0) - chance) ** 2).mean()


def test_the_models_other_level_says_more_than_the_pool_alone():
    _, rate, draws = _rates()
    weights = fit_query_effects(rate, draws, SOURCES).weights
    assert weights[1] > 0.2


def test_a_hidden_source_is_not_looked_at():
    chance, rate, draws = _rates()
    draws[:, 3] = 0.0
    scrambled = rate.copy()
    scrambled[:, 3] = 1.0 - scrambled[:, 3]
    one, two = (fit_query_effects(r, draws, SOURCES) for r in (rate, scrambled))
    np.testing.assert_array_equal(one.success, two.success)
    assert np.isnan(one.intercepts[3])
    guess = one.at_mean(3, float(chance[:, 3].mean()))
    assert abs(guess.mean() - chance[:, 3].mean()) < 1e-6
    assert ((guess - chance[:, 3]) ** 2).mean() < 0.7 * chance[:, 3].var()


def test_a_sources_own_result_is_no_hint_about_itself():
    _, rate, draws = _rates()
    changed = rate.copy()
    changed[7, 0], changed[8, 0] = rate[8, 0], rate[7, 0]
    one, two = (fit_query_effects(r, draws, SOURCES).hints for r in (rate, changed))
    np.testing.assert_allclose(one[:, 0], two[:, 0], atol=1e-12)
    assert np.abs(one[7:9, 1] - two[7:9, 1]).max() > 0.1
