import math

import numpy as np
import pytest

from onedial.metrics.area import aiq, arena_score, cost_save, pareto_dist, perf_gain, qnc


@pytest.mark.parametrize(
    ("quality", "cost", "published"),
    [(0.7969, 0.27, 77.62), (0.7976, 0.70, 76.21), (0.7718, 0.30, 75.31), (0.7396, 10.02, 64.32)],
)
def test_the_arena_score_reproduces_published_rows(quality, cost, published):
    assert round(arena_score(quality, cost), 2) == published


def test_halving_the_cost_is_worth_less_than_one_point_of_accuracy_in_the_arena():
    worth = arena_score(0.75, 0.10) - arena_score(0.75, 0.20)
    assert 0.7 < worth / ((arena_score(0.76, 0.20) - arena_score(0.75, 0.20)) / 1) < 0.9


def test_a_free_query_has_no_arena_score():
    with pytest.raises(ValueError, match="positive cost"):
        arena_score(0.8, 0.0)


def test_the_area_of_a_constant_is_the_constant_whatever_the_range():
    assert aiq([1.0], [0.6], (2.0, 9.0)) == pytest.approx(0.6)
    assert aiq([1.0, 50.0], [0.6, 0.6], (1.0, 50.0)) == pytest.approx(0.6)


def test_a_router_that_starts_dear_is_averaged_from_the_cheapest_arm():
    assert math.isnan(aiq([2.0], [0.8], (1.0, 3.0)))
    assert aiq([2.0], [0.8], (1.0, 3.0), anchor=(1.0, 0.4)) == pytest.approx((0.6 + 0.8) / 2)


def test_the_left_end_of_the_range_is_read_off_the_hull_between_points():
    assert aiq([0.0, 2.0], [0.0, 1.0], (1.0, 2.0)) == pytest.approx(0.75)


def test_cost_save_counts_only_points_as_good_as_the_best_model():
    assert cost_save([1.0, 3.0], [0.7, 0.8], 4.0, 0.8) == 0.25
    assert math.isnan(cost_save([1.0], [0.7], 4.0, 0.8))
    assert qnc([1.0, 3.0], [0.7, 0.8], 4.0, 0.9) != qnc([1.0, 3.0], [0.7, 0.8], 4.0, 0.8) == 0.75
    assert perf_gain([0.5, 0.9], 0.75) == pytest.approx(0.2)


def test_points_of_the_front_are_at_distance_zero():
    front = np.array([1.0, 2.0]), np.array([0.5, 0.8])
    assert pareto_dist(*front, *front, (1.0, 2.0), (0.5, 0.8)) == 0
    assert pareto_dist([1.0], [0.2], *front, (1.0, 2.0), (0.5, 0.8)) == pytest.approx(1.0)
