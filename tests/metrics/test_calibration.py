import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedial.metrics.calibration import brier, ece, reliability

pairs = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=60)


@given(pairs, st.booleans())
def test_every_query_is_in_exactly_one_bin(rows, equal_mass):
    forecast, outcome = np.array(rows, dtype=float).T
    bins = reliability(forecast, outcome, equal_mass=equal_mass)
    assert sum(b.n_queries for b in bins) == len(rows)
    assert math.isclose(sum(b.n_queries * b.outcome for b in bins), outcome.sum(), abs_tol=1e-9)


@given(pairs)
def test_the_calibration_error_lies_between_the_bias_and_the_mean_absolute_error(rows):
    forecast, outcome = np.array(rows, dtype=float).T
    bias, worst = abs(forecast.mean() - outcome.mean()), np.abs(forecast - outcome).mean()
    assert bias - 1e-9 <= ece(forecast, outcome) <= worst + 1e-9


def test_a_perfect_forecast_has_no_error_and_a_forecast_of_one_belongs_to_the_last_bin():
    assert ece([0, 1, 1], [0, 1, 1]) == 0 == brier([0, 1, 1], [0, 1, 1])
    assert reliability([1.0], [1.0])[0].n_queries == 1


def test_no_queries_have_no_calibration():
    assert math.isnan(ece([], [])) and math.isnan(brier([], [])) and reliability([], []) == ()


def test_vectors_of_different_length_are_refused():
    with pytest.raises(ValueError, match="one length"):
        brier([0.5], [1, 0])
