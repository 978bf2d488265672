import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from onedial.metrics.frontier import cost_at_quality, frontier, quality_at_cost
from onedial.metrics.hull import hull_cost_at_quality, hull_quality_at_cost, mix, mixture_for_quality, upper_hull

points = st.lists(st.tuples(st.integers(1, 999).map(lambda k: k / 8), st.integers(0, 64).map(lambda k: k / 64)), min_size=1, max_size=12)


def split(pairs):
    return np.array([c for c, _ in pairs]), np.array([q for _, q in pairs])


@given(points)
def test_a_frontier_rises_strictly_and_no_point_lies_above_it(pairs):
    cost, quality = split(pairs)
    edge = frontier(cost, quality)
    assert (np.diff(edge.cost) > 0).all() and (np.diff(edge.quality) > 0).all()
    for c, q in pairs:
        assert quality_at_cost(cost, quality, c) >= q - 1e-9


@given(points, st.floats(0, 1))
def test_cost_at_quality_is_unreached_only_above_the_best_point(pairs, level):
    cost, quality = split(pairs)
    assert math.isnan(cost_at_quality(cost, quality, level)) == (level > quality.max() + 1e-12)


def test_a_dearer_and_worse_setting_of_the_dial_does_not_change_the_cost_at_a_quality():
    assert cost_at_quality([1, 3], [0.5, 0.9], 0.8) == cost_at_quality([1, 2.9, 3, 9], [0.5, 0.3, 0.9, 0.1], 0.8)


def test_a_level_below_the_cheapest_point_costs_what_the_cheapest_point_costs():
    assert cost_at_quality([2, 3], [0.5, 0.9], 0.1) == 2


def test_of_two_points_of_equal_cost_the_better_one_counts():
    assert frontier([1, 1], [0.3, 0.6]).point.tolist() == [1]


def test_points_without_a_value_are_left_out_and_no_points_reach_nothing():
    assert frontier([np.nan, 1], [0.9, 0.5]).quality.tolist() == [0.5]
    assert math.isnan(cost_at_quality([], [], 0.5)) and math.isnan(hull_cost_at_quality([], [], 0.5))


@given(points)
def test_a_hull_is_concave_and_covers_every_point(pairs):
    cost, quality = split(pairs)
    edge = upper_hull(cost, quality)
    slopes = np.diff(edge.quality) / np.diff(edge.cost)
    assert (np.diff(slopes) <= 1e-9 + 1e-9 * np.abs(slopes[1:])).all()
    assert (hull_quality_at_cost(cost, quality, cost) >= quality - 1e-9).all()


@given(points, st.floats(0, 1))
def test_a_mixture_reaches_its_target_at_the_cost_of_the_hull(pairs, level):
    cost, quality = split(pairs)
    mixture = mixture_for_quality(cost, quality, level)
    if level > quality.max() + 1e-12:
        assert mixture is None
        return
    assert mix(quality[None], mixture)[0] >= level - 1e-9
    assert math.isclose(mix(cost[None], mixture)[0], hull_cost_at_quality(cost, quality, level), rel_tol=1e-6)
    assert hull_cost_at_quality(cost, quality, level) <= cost_at_quality(cost, quality, level) * (1 + 1e-9)
