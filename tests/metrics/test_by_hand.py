"""One small table, three queries and three arms, on which every number is worked out by hand."""

import numpy as np
import pytest

from onedial.metrics.area import aiq, arena_score, cost_save, pareto_dist, perf_gain, qnc
from onedial.metrics.calibration import brier, ece
from onedial.metrics.exchange import exchange_rate
from onedial.metrics.frontier import cost_at_quality
from onedial.metrics.hull import hull_cost_at_quality, upper_hull
from onedial.metrics.regret import best_fixed_by_group, cheapest_best, gap_closed, regret_usd
from onedial.metrics.routing import apgr, cpt, decile_curve, pgr

# rows are queries, columns the small, middle and large model
QUALITY = np.array([[1.0, 1, 1], [0, 1, 1], [0, 0, 1]])
COST = np.array([[1.0, 2, 6]] * 3)
MEAN, PRICE = QUALITY.mean(axis=0), COST.mean(axis=0)  # 1/3, 2/3, 1 at 1, 2, 6
SWEEP = np.array([1.0, 3.0]), np.array([1 / 3, 1.0])
"""A router: everything to the small model, or every query to the cheapest that is right (1, 2 and 6)."""


def test_the_frontier_the_hull_and_the_area_under_it():
    assert upper_hull(PRICE, MEAN).point.tolist() == [0, 1, 2]  # slopes 1/3, then 1/12
    assert hull_cost_at_quality(PRICE, MEAN, 5 / 6) == pytest.approx(4.0)
    assert cost_at_quality(*SWEEP, 2 / 3) == pytest.approx(2.0)
    assert aiq(PRICE, MEAN, (1.0, 6.0)) == pytest.approx((0.5 * (1 / 3 + 2 / 3) + 4 * 0.5 * (2 / 3 + 1)) / 5)
    assert aiq(*SWEEP, (1.0, 6.0)) == pytest.approx((2 * 0.5 * (1 / 3 + 1) + 3) / 5)


def test_the_oracle_the_gap_and_the_regret():
    oracle = cheapest_best(QUALITY, COST)
    assert oracle.tolist() == [0, 1, 2]
    spent = COST[np.arange(3), oracle].mean()
    assert gap_closed(6.0, 4.5, spent) == pytest.approx(0.5)  # (6 - 4.5) / (6 - 3)
    assert regret_usd(QUALITY[:, 1], COST[:, 1], QUALITY[:, 2], COST[:, 2], 12.0) == pytest.approx(12 / 3 - 4)
    assert best_fixed_by_group(QUALITY, COST, np.array([0, 0, 1]), 12.0).tolist() == [1, 1, 2]  # net 6-1, 12-2, 12-6; then -1, -2, 6


def test_the_scores_of_llmrouterbench_and_the_quality_neutral_cost():
    assert qnc(*SWEEP, 6.0, 1.0) == pytest.approx(0.5) == pytest.approx(cost_save(*SWEEP, 6.0, 1.0))
    assert perf_gain(SWEEP[1], 2 / 3) == pytest.approx(0.5)
    # the large model lies 3 right of the front, in a range of 5; the small one on it
    assert pareto_dist([1.0, 6.0], [1 / 3, 1.0], *SWEEP, (1.0, 6.0), (1 / 3, 1.0)) == pytest.approx((0 + 0.6) / 2)


def test_routellm_between_the_small_and_the_large_model():
    curve = decile_curve(np.array([0.0, 1.0, 2.0]), QUALITY[:, 0], QUALITY[:, 2])
    assert curve.p_strong == pytest.approx([0, 1 / 3, 2 / 3, 1]) and curve.quality == pytest.approx([1 / 3, 2 / 3, 1, 1])
    assert pgr(2 / 3, 1 / 3, 1.0) == pytest.approx(0.5)
    assert apgr(curve, 1 / 3, 1.0) == pytest.approx(((0.5 + 5 / 6 + 1) / 3 - 1 / 3) / (2 / 3))
    assert cpt(curve, 1 / 3, 1.0, 0.5) == pytest.approx(1 / 3) and cpt(curve, 1 / 3, 1.0, 0.8) == pytest.approx(1 / 3 + 0.6 / 3)


def test_one_step_of_model_size_in_the_small_models_compute():
    rate = exchange_rate(np.array([1 / 3, 1.0]), np.array([1.0, 9.0]), 2 / 3, 2.0)
    assert rate.multiple == pytest.approx(5.0) and rate.relative_cost == pytest.approx(2.5)


def test_calibration_is_that_of_the_arm_chosen_which_is_worse_than_that_of_all():
    claimed = np.array([[0.9, 0.8, 0.7], [0.4, 0.9, 0.8], [0.6, 0.3, 0.5]])
    chosen = claimed.argmax(axis=1)
    said, was = claimed[np.arange(3), chosen], QUALITY[np.arange(3), chosen]
    assert brier(said, was) == pytest.approx((0.1**2 + 0.1**2 + 0.6**2) / 3)
    assert ece(said, was) == pytest.approx((2 * 0.1 + 0.6) / 3)
    rng = np.random.default_rng(0)
    truth = np.full((4000, 8), 0.5)
    noisy = np.clip(truth + 0.15 * rng.standard_normal(truth.shape), 0, 1)
    right = (rng.random(truth.shape) < truth).astype(float)
    best = noisy.argmax(axis=1)
    rows = np.arange(4000)
    assert ece(noisy[rows, best], right[rows, best]) > 0.15 > abs(noisy.mean() - right.mean()) + 0.1


def test_the_arena_score_of_a_published_row_step_by_step():
    thrift = (np.log2(200) - np.log2(0.27)) / (np.log2(200) - np.log2(0.0044))
    assert arena_score(0.7969, 0.27) == pytest.approx(100 * 1.1 * 0.7969 * thrift / (0.1 * 0.7969 + thrift))
    assert round(arena_score(0.7969, 0.27), 2) == 77.62
