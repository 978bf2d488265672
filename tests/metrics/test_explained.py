import numpy as np
import pytest

from onedial.metrics.explained import dummies, r_squared, sequential_r_squared, shapley_r_squared


def grid():
    """Two factors that do not overlap: y = 3 a + b over every combination."""
    a, b = np.repeat([0.0, 1.0], 4), np.tile([0.0, 1.0, 2.0, 3.0], 2)
    return 3 * a + b, {"a": a[:, None], "b": b[:, None]}


def test_factors_that_do_not_overlap_explain_the_same_in_any_order():
    y, factors = grid()
    first, value = sequential_r_squared(y, factors), shapley_r_squared(y, factors)
    assert first == pytest.approx(value) and sum(value.values()) == pytest.approx(1)
    assert value["a"] == pytest.approx((9 * 0.25) / (9 * 0.25 + 1.25))


def test_what_two_factors_share_is_halved_between_them_and_given_to_the_first_in_sequence():
    y = np.arange(6.0)
    twins = {"a": y[:, None], "b": 2 * y[:, None]}
    assert shapley_r_squared(y, twins) == pytest.approx({"a": 0.5, "b": 0.5})
    assert sequential_r_squared(y, twins) == pytest.approx({"a": 1.0, "b": 0.0})


def test_a_factor_of_one_level_and_a_constant_outcome_explain_nothing():
    assert r_squared(np.ones(3), [np.arange(3.0)[:, None]]) == 0
    assert r_squared(np.arange(3.0), [dummies(["a", "a", "a"])]) == 0
