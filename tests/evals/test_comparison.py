import math

import numpy as np
import pytest

from onedial.core.arm import Arm, Source
from onedial.evals.comparison import kept_promises, matched_quality
from onedial.evals.selection import Sweep, fixed_sweep, hull_sweep
from onedial.policies.grid import Grid, best_fixed

ARMS = tuple(Arm(Source(name)) for name in ("cheap", "fair", "dear"))


def grid_of(quality, cost, n=10):
    return Grid(ARMS, np.tile(quality, (n, 1)), np.tile(cost, (n, 1)))


def sweep_of(name, quality, cost, n=10):
    quality, cost = np.asarray(quality, float), np.asarray(cost, float)
    return Sweep(name, quality, np.tile(quality[:, None], (1, n)), np.tile(cost[:, None], (1, n)))


def test_the_best_fixed_arm_is_the_cheapest_that_meets_the_target_in_training():
    train = grid_of([0.5, 0.8, 0.9], [1.0, 2.0, 5.0])
    assert [best_fixed(train, t) for t in (0.4, 0.7, 0.8, 0.95)] == [0, 1, 1, None]


def test_what_is_chosen_in_training_is_shown_on_the_test_split_even_if_it_disappoints():
    train, test = grid_of([0.5, 0.8, 0.9], [1.0, 2.0, 5.0]), grid_of([0.5, 0.3, 0.9], [1.0, 2.5, 5.0])
    shown = fixed_sweep(train, test, [0.8, 0.95])
    assert shown.quality.mean(axis=1).tolist() == pytest.approx([0.3, 0.9])
    assert shown.cost_usd.mean(axis=1).tolist() == pytest.approx([2.5, 5.0]) and shown.labels == ("fair", "dear")


def test_the_hull_mixes_two_arms_to_meet_the_target_exactly():
    train = grid_of([0.5, 0.5, 0.9], [1.0, 2.0, 5.0])
    shown = hull_sweep(train, train, [0.7])
    assert shown.quality.mean() == pytest.approx(0.7) and shown.cost_usd.mean() == pytest.approx(3.0)


def test_costs_are_matched_at_the_quality_that_the_fixed_arm_reaches():
    fixed = sweep_of("best fixed", [0.8], [4.0])
    joint, oracle = sweep_of("joint", [0.7, 0.9], [1.0, 3.0]), sweep_of("hindsight", [0.95], [1.0])
    short = sweep_of("model-only", [0.7], [0.5])
    rows = {r.policy: r for r in matched_quality(fixed, [joint, short, oracle], np.random.default_rng(0), n_resamples=20)}
    assert rows["joint"].cost_usd.estimate == pytest.approx(2.0) and rows["joint"].over_fixed.high == pytest.approx(0.5)
    assert rows["joint"].gap_closed == pytest.approx(2 / 3) and rows["hindsight"].lead_over.estimate == pytest.approx(2.0)
    assert math.isnan(rows["model-only"].cost_usd.estimate) and rows["model-only"].cost_usd.unreached == 1.0
    assert rows["best fixed"].over_fixed.estimate == 1.0 and rows["best fixed"].lead_over.estimate == pytest.approx(0.5)


def test_on_a_generated_world_the_oracle_is_cheaper_than_joint_and_joint_than_the_best_fixed_arm(sweeps):
    made, _ = sweeps
    others = [made[k] for k in ("joint", "hull", "oracle", "hindsight")]
    rows = {
        r.policy: r
        for r in matched_quality(made["best fixed"], others, np.random.default_rng(0), n_resamples=50)
        if r.target == made["best fixed"].targets[1]
    }
    assert rows["oracle"].cost_usd.estimate < rows["joint"].cost_usd.estimate < rows["best fixed"].cost_usd.estimate
    assert 0 < rows["joint"].gap_closed < 1


def test_an_oracle_of_infinite_worth_is_the_best_in_quality(sweeps):
    means = sweeps[0]["oracle"].quality.mean(axis=1)
    assert means[-1] >= means.max() - 0.02 and means[0] < means[-1]


def test_a_promise_is_kept_missed_or_within_noise():
    rng = np.random.default_rng(0)
    quality = (np.arange(100) < 90).astype(float)
    policy = Sweep("joint", np.array([0.85, 0.92, 0.99]), np.tile(quality, (3, 1)), np.ones((3, 100)))
    assert [row.verdict for row in kept_promises(policy, rng, 500)] == ["kept", "within noise", "missed"]


def test_a_sweep_of_mismatched_shape_is_refused():
    with pytest.raises(ValueError, match="expected quality and cost"):
        Sweep("joint", np.zeros(2), np.zeros((3, 5)), np.zeros((3, 5)))
