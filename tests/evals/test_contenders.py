import numpy as np
import pytest

from onedial.core.arm import Arm, Source
from onedial.evals.bench.contenders import PLACES, REST, Contender, hull, of_frontier, serious_models, shown, with_fixed
from onedial.evals.sweeps import Rolled
from onedial.policies.grid import Grid

ARMS = (Arm(Source("a")), Arm(Source("b")), Arm(Source("b"), "vote", 4), Arm(Source("c")))


def grid(quality, cost, n=4):
    return Grid(ARMS, np.tile(quality, (n, 1)).astype(float), np.tile(cost, (n, 1)).astype(float))


TRAIN = grid([0.5, 0.7, 0.8, 0.6], [1, 2, 8, 9])
TEST = grid([0.4, 0.9, 0.7, 0.6], [1, 3, 9, 9], n=3)


def test_a_target_is_met_by_the_mixture_that_is_cheapest_in_training_and_shown_on_the_test_split():
    sweep = shown(hull(TRAIN, TEST), np.array([0.6, 0.75, 0.99]))
    assert sweep.quality.mean(axis=1)[:3] == pytest.approx([0.65, 0.8, 0.7])
    assert sweep.cost_usd.mean(axis=1)[:3] == pytest.approx([2.0, 6.0, 9.0])


def test_every_contender_has_as_many_points_so_that_folds_can_be_put_together():
    short = Contender(
        "one", "router", {"all": Rolled(np.full((1, 4), 0.5), np.ones((1, 4)))}, {"all": Rolled(np.zeros((1, 3)), np.ones((1, 3)))}
    )
    targets = np.array([0.6, 0.75])
    sizes = {shown(one, targets).quality.shape for one in (short, hull(TRAIN, TEST))}
    assert sizes == {(2 + PLACES + len(REST), 3)}


def test_fixed_arms_are_special_cases_of_the_policies_that_could_choose_them():
    alone = {"b": Rolled(np.full((1, 4), 0.75), np.full((1, 4), 5.0))}, {"b": Rolled(np.full((1, 3), 0.85), np.full((1, 3), 6.0))}
    train, test = with_fixed(alone, TRAIN, TEST, "model")
    assert set(train) == set(test) == {"a", "b", "c"}
    assert train["b"].cost_usd.mean(axis=1).tolist() == [2, 5, 8] and test["b"].cost_usd.mean(axis=1).tolist() == [3, 6, 9]
    settings, _ = with_fixed(({}, {}), TRAIN, TEST, "setting")
    assert {name: len(one.quality) for name, one in settings.items()} == {"direct": 3, "vote=4": 1}


def test_models_on_the_frontier_are_tried_first_and_no_more_than_asked_for():
    assert serious_models(TRAIN, 2) == ["b", "a"] and serious_models(TRAIN, 9) == ["b", "a", "c"]
    assert {arm.source.model for arm in of_frontier(TRAIN).arms} == {"a", "b"}
