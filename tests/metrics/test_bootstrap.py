import math

import numpy as np
import pytest

from onedial.metrics.bootstrap import cost_ratio_at_quality, mean_interval, paired_bootstrap, percentile_interval, resample_weights


def test_the_interval_of_a_mean_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        found = mean_interval(rng.random(80) < 0.7, rng, n_resamples=200)
        hits += found.low <= 0.7 <= found.high
    assert 0.88 <= hits / 200 <= 0.99


def test_pairing_makes_the_ratio_of_a_policy_to_its_double_exact():
    rng = np.random.default_rng(1)
    cost, quality = rng.random((3, 50)) + 0.1, np.sort(rng.random((3, 50)), axis=0)
    found = cost_ratio_at_quality((cost, quality), (2 * cost, quality), 0.4, rng, 100)
    assert found.estimate == pytest.approx(0.5) and found.low == pytest.approx(0.5) and found.high == pytest.approx(0.5)


def test_the_same_generator_gives_the_same_interval():
    first, second = (mean_interval(np.arange(9.0), np.random.default_rng(3), 50) for _ in range(2))
    assert first == second


def test_resamples_that_do_not_reach_the_quality_push_the_upper_end_to_infinity():
    found = percentile_interval(1.0, [1.0] * 9 + [math.nan])
    assert found.high == math.inf and found.low == 1.0 and found.unreached == 0.1


def test_weights_are_means_over_queries():
    weights = resample_weights(7, 20, np.random.default_rng(0))
    assert weights.shape == (20, 7) and np.allclose(weights.sum(axis=1), 1)
    with pytest.raises(ValueError, match="at least 1 query"):
        resample_weights(0, 5, np.random.default_rng(0))


def test_a_statistic_of_several_arrays_is_computed_on_joint_resamples():
    rng = np.random.default_rng(2)
    x = rng.random(40)
    found = paired_bootstrap([x, x + 1], lambda a, b: b - a, rng, 64)
    assert found.low == pytest.approx(1) and found.high == pytest.approx(1)
