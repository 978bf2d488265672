import numpy as np
import pytest

from onedial.metrics.debiased import group_error, query_error, root


def _noisy(rng, n, samples):
    """Truths, their estimates from a few coin flips, and the unbiased variances of these."""
    truth = rng.beta(2, 2, n)
    flips = rng.random((n, samples)) < truth[:, None]
    return truth, flips.mean(axis=1), flips.var(axis=1, ddof=1) / samples


def test_error_per_query_is_that_against_the_truth_on_average():
    rng = np.random.default_rng(0)
    found, true = [], []
    for _ in range(300):
        truth, estimate, noise = _noisy(rng, 40, 3)
        guess = np.full(40, 0.6)
        weights = np.full((1, 40), 1 / 40)
        found.append(query_error((guess - estimate)[:, None], noise[:, None], weights)[0])
        true.append(((guess - truth) ** 2).mean())
    assert np.mean(found) == pytest.approx(np.mean(true), abs=3 * np.std(found) / np.sqrt(300))


def test_error_of_means_is_free_of_noise_also_when_queries_are_resampled():
    rng = np.random.default_rng(1)
    found, true, resampled, raw = [], [], [], []
    for _ in range(400):
        truth, estimate, noise = _noisy(rng, 30, 3)
        guess = truth + 0.05
        weights = np.concatenate((np.full((1, 30), 1 / 30), rng.multinomial(30, np.full(30, 1 / 30), 20) / 30))
        squared = group_error((guess - estimate)[:, None], noise[:, None], weights, np.zeros(30, dtype=np.int64))
        found.append(squared[0])
        resampled.append(squared[1:].mean())
        true.append(0.05**2)
        raw.append((guess - estimate).mean() ** 2)
    margin = 3 * np.std(found) / np.sqrt(400)
    assert np.mean(found) == pytest.approx(np.mean(true), abs=margin)
    assert np.mean(resampled) == pytest.approx(np.mean(true), abs=2 * margin)
    assert np.mean(raw) > np.mean(true) + margin


def test_groups_are_judged_each_by_its_own_mean():
    error = np.array([[0.1], [0.1], [-0.1], [-0.1]])
    none = np.zeros_like(error)
    weights = np.full((1, 4), 0.25)
    assert group_error(error, none, weights, np.zeros(4, dtype=np.int64))[0] == pytest.approx(0.0)
    assert group_error(error, none, weights, np.array([0, 0, 1, 1]))[0] == pytest.approx(0.01)


def test_cells_without_an_estimate_do_not_count():
    error = np.array([[0.2, np.nan], [0.2, np.nan]])
    weights = np.full((1, 2), 0.5)
    assert query_error(error, np.zeros_like(error), weights)[0] == pytest.approx(0.04)
    assert np.isnan(query_error(np.full((2, 1), np.nan), np.zeros((2, 1)), weights)[0])


def test_a_negative_squared_error_has_root_zero():
    assert root(-0.01) == 0.0
