import math

import numpy as np
import pytest

from onedial.metrics.routing import Curve, apgr, cpt, decile_curve, pgr


def world(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    hard = rng.random(n)
    weak, strong = (rng.random(n) < 1 - hard).astype(float), (rng.random(n) < 1 - 0.3 * hard).astype(float)
    return rng, hard, weak, strong


def test_a_random_router_recovers_half_of_the_gap_on_average():
    rng, _, weak, strong = world()
    values = [apgr(decile_curve(rng.random(weak.size), weak, strong), weak.mean(), strong.mean()) for _ in range(40)]
    assert np.mean(values) == pytest.approx(0.5, abs=0.02)


def test_an_informed_router_beats_a_random_one_and_hindsight_on_the_gain_beats_both():
    rng, hard, weak, strong = world()
    noise = rng.random(hard.size)
    scores = (noise, hard, strong - weak + 1e-3 * noise)
    random, informed, hindsight = (apgr(decile_curve(score, weak, strong), weak.mean(), strong.mean()) for score in scores)
    assert random < informed < hindsight


def test_the_decile_curve_runs_from_no_strong_calls_to_all_of_them_through_the_published_points():
    score = np.arange(100) / 100
    curve = decile_curve(score, np.zeros(100), np.ones(100))
    assert curve.p_strong[0] == 0 and curve.p_strong[-1] == 1 and len(curve.p_strong) == 11
    assert np.allclose(curve.quality, curve.p_strong)


def test_equal_scores_leave_only_the_two_ends():
    assert decile_curve(np.ones(10), np.zeros(10), np.ones(10)).p_strong.tolist() == [0.0, 1.0]


def test_harmful_queries_let_the_area_exceed_one():
    weak, strong = np.array([1.0, 0, 0, 0]), np.array([0.0, 1, 1, 0])
    assert apgr(decile_curve(strong - weak, weak, strong), weak.mean(), strong.mean()) > 1


def test_the_call_threshold_reads_the_running_maximum_where_the_curve_dips():
    dipping = Curve(np.array([0.0, 0.3, 0.6, 1.0]), np.array([0.5, 0.8, 0.6, 1.0]))
    assert cpt(dipping, 0.5, 1.0, 0.2) == pytest.approx(0.1)
    assert cpt(dipping, 0.5, 1.0, 1.0) == pytest.approx(1.0)


def test_a_share_never_recovered_and_equal_models_have_no_value():
    assert math.isnan(cpt(Curve(np.array([0.0, 1.0]), np.array([0.5, 0.8])), 0.5, 1.0, 0.8))
    assert math.isnan(pgr(0.5, 0.5, 0.5))
