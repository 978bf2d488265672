import math

import numpy as np
import pytest

from onedial.metrics.exchange import exchange_by_group, exchange_rate
from onedial.metrics.regret import best_fixed_by_group, best_net, cheapest_best, gap_closed, half_sample_oracle, regret_usd


def test_the_cheapest_of_the_best_arms_is_chosen_and_missing_arms_never():
    quality = np.array([[0.9, 0.9, 0.2], [0.1, np.nan, 0.1]])
    cost = np.array([[3.0, 2.0, 1.0], [2.0, 0.1, 1.0]])
    assert cheapest_best(quality, cost).tolist() == [1, 2]


def test_an_infinite_worth_is_the_definition_and_a_worth_of_zero_buys_the_cheapest():
    rng = np.random.default_rng(0)
    quality, cost = rng.random((20, 4)), rng.random((20, 4))
    assert (best_net(quality, cost, math.inf) == cheapest_best(quality, cost)).all()
    assert (best_net(quality, cost, 0.0) == cost.argmin(axis=1)).all()


def test_half_samples_remove_the_luck_of_hindsight_between_equal_arms():
    rng = np.random.default_rng(1)
    quality_a, quality_b = ((rng.random((4000, 8)) < 0.5).astype(float) for _ in range(2))
    cost = np.ones((4000, 8))
    first, second = half_sample_oracle(quality_a, cost, quality_b, cost)
    rows = np.arange(4000)
    lucky = quality_a[rows, cheapest_best(quality_a, cost)].mean()
    assert lucky > 0.95
    assert (first.quality.mean() + second.quality.mean()) / 2 == pytest.approx(0.5, abs=0.03)


def test_the_gap_is_closed_in_proportion_and_undefined_where_the_oracle_saves_nothing():
    assert gap_closed(4, 2, 2) == 1 and gap_closed(4, 4, 2) == 0 and gap_closed(4, 5, 2) < 0
    assert math.isnan(gap_closed(4, 3, 4))


def test_regret_is_zero_against_oneself_and_counts_quality_at_its_worth():
    quality, cost = np.array([0.5, 1.0]), np.array([1.0, 3.0])
    assert regret_usd(quality, cost, quality, cost, 10.0) == 0
    assert regret_usd(quality, cost, quality + 0.1, cost + 1, 10.0) == pytest.approx(0.0)


def test_the_best_fixed_arm_may_differ_between_data_sets():
    quality = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    chosen = best_fixed_by_group(quality, np.zeros((3, 2)), np.array([0, 0, 1]), 1.0)
    assert chosen.tolist() == [0, 0, 1]


def test_the_exchange_rate_is_finite_only_where_the_small_model_gets_there():
    quality = np.array([[0.5, 0.9, 0.8], [0.0, 0.0, 0.6]])
    cost = np.array([[1.0, 4.0, 10.0]] * 2)
    easy, hard = exchange_by_group(quality, cost, [0, 1], 2, np.array([0, 1]))
    assert easy.reached and easy.multiple == pytest.approx(3.25) and easy.relative_cost == pytest.approx(0.325)
    assert not hard.reached and hard.best_quality == 0.0


def test_a_large_model_no_better_than_one_small_sample_costs_one_small_sample():
    assert exchange_rate(np.array([0.5, 0.6]), np.array([1.0, 2.0]), 0.4, 5.0).multiple == 1.0
