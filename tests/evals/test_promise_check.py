import numpy as np
import pytest

from onedial.core.errors import ConfigError
from onedial.evals.promise_check import WORLDS, check_promise, power_curve, rate_bounds, spread_world, worst_world

EPSILONS = (0.01, 0.02, 0.05)


def test_the_truth_of_a_world_is_what_many_queries_show():
    world = spread_world(0.05, np.random.default_rng(3))
    drops = world.drops(200_000, np.random.default_rng(4))
    assert np.abs(drops.mean(axis=1) - world.true_drop).max() < 4 * np.sqrt(drops.var(axis=1).max() / 200_000)
    assert world.true_drop == pytest.approx(0.05 * np.geomspace(0.1, 3.0, 8), rel=0.01)
    assert (np.diff(world.true_cost) < 0).all() and 0.05 < world.true_cost[-1] < world.true_cost[0] < 1


def test_no_rung_of_the_worst_world_is_good():
    for seed in range(20):
        assert (worst_world(0.01, np.random.default_rng(seed)).true_drop > 0.01).all()


@pytest.mark.parametrize("epsilon", EPSILONS)
def test_promises_are_made_and_shown_to_be_kept(epsilon):
    found = check_promise("spread", epsilon, n=400, runs=300)
    assert found.rate_high <= found.delta
    assert found.issued_rate > 0.5 and found.saving_when_issued > 0.5 * found.saving_possible > 0


@pytest.mark.parametrize("world", ["narrow", "worst"])
@pytest.mark.parametrize("test", ["betting", "hoeffding-bentkus"])
def test_where_every_promise_is_a_close_call_the_level_is_not_refuted(world, test):
    found = check_promise(world, 0.05, n=300, runs=300, test=test)
    assert found.rate_low <= found.delta


def test_a_test_that_lets_everything_pass_is_caught(monkeypatch):
    monkeypatch.setattr("onedial.evals.promise_check.named_test", lambda name: lambda x, mean, delta: np.zeros(x.shape[:-1]))
    assert check_promise("worst", 0.02, n=50, runs=60).rate_low > 0.9


def test_more_outcomes_certify_more_often_and_a_larger_epsilon_needs_fewer():
    sizes = (100, 400, 1600)
    strict, lax = (power_curve(epsilon, sizes, runs=300) for epsilon in (0.02, 0.05))
    assert strict == sorted(strict) and lax[1] > 0.8 > strict[1] and strict[2] > 0.75
    assert power_curve(0.02, [1600], drop=0.02, runs=300)[0] <= 0.1 + 0.05


def test_bounds_of_a_rate_are_those_of_the_tables():
    assert rate_bounds(0, 500) == (0.0, pytest.approx(1 - 0.05 ** (1 / 500)))
    assert rate_bounds(500, 500) == (pytest.approx(0.05 ** (1 / 500)), 1.0)
    low, high = rate_bounds(50, 500)
    assert low == pytest.approx(0.0787, abs=1e-4) and high == pytest.approx(0.1249, abs=1e-3)


def test_unknown_worlds_and_no_runs_are_refused():
    for world, runs in (("flat", 10), (next(iter(WORLDS)), 0)):
        with pytest.raises(ConfigError, match="expected one of"):
            check_promise(world, 0.02, runs=runs)
