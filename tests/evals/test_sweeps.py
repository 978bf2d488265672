from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from onedial.core.arm import Arm, Source
from onedial.core.steps import drive
from onedial.engine.recorded import Recorded
from onedial.evals.sweeps import Rolled, choose, policy_sweep, routed, settings_of
from onedial.policies.grid import fixed_arms
from onedial.strategies.draw import Reading
from onedial.strategies.registry import steps_of
from worlds import MODELS, World

WORLD, SAMPLES = World(3), 4
QUERIES = WORLD.queries(10, "few")
OUTCOMES = list(WORLD.outcomes(QUERIES, SAMPLES))
STRATEGIES = ("direct", "vote", "best")


def flat(quality, cost, n=6):
    """Rungs that are the same on every query."""
    return Rolled(np.tile(np.array(quality, dtype=float)[:, None], n), np.tile(np.array(cost, dtype=float)[:, None], n))


TRAIN = {"thrifty": flat([0.2, 0.6], [1, 2]), "lavish": flat([0.5, 0.9], [4, 8])}
TEST = {"thrifty": flat([0.1, 0.3], [10, 20], 4), "lavish": flat([0.7, 1.0], [1, 2], 4)}


def test_the_option_and_the_mixture_are_those_that_are_cheapest_in_training():
    found = choose(TRAIN, 0.5)
    assert found.option == "thrifty" and (found.mixture.low, found.mixture.high) == (0, 1)
    assert found.mixture.p_high == pytest.approx(0.75) and found.cost_usd == pytest.approx(1.75)
    assert choose(TRAIN, 0.8).option == "lavish" and choose(TRAIN, 0.95) is None


def test_what_is_shown_was_chosen_in_training_however_bad_it_is_on_the_test_split():
    sweep = policy_sweep("compute-only", TRAIN, TEST, [0.5, 0.8])
    assert sweep.labels[:2] == ("thrifty", "lavish")
    np.testing.assert_allclose(sweep.quality[0], 0.25 * 0.1 + 0.75 * 0.3)
    np.testing.assert_allclose(sweep.cost_usd[0], 0.25 * 10 + 0.75 * 20)
    other = policy_sweep("compute-only", TRAIN, {name: flat([0.0, 0.0], [9, 9], 4) for name in TEST}, [0.5, 0.8])
    assert other.labels == sweep.labels and (other.targets == sweep.targets).all()


def test_targets_beyond_training_are_left_out_and_the_rest_of_the_dial_comes_last():
    train = TRAIN | {"lavish": flat([0.5, 0.9, 0.8], [4, 8, 16])}
    test = TEST | {"lavish": flat([0.7, 1.0, 0.9], [1, 2, 3], 4)}
    sweep = policy_sweep("joint", train, test, [0.6, 0.99])
    assert sweep.targets.tolist() == [0.6, 0.9, 0.9] and sweep.labels == ("thrifty", "lavish", "lavish")
    np.testing.assert_allclose(sweep.cost_usd.mean(axis=1), [20, 2, 3])


def test_settings_group_arms_that_differ_in_their_model_alone():
    arms = [Arm(Source(m, e), s, n) for m in ("a", "b") for e in ("0", "2") for s, n in (("direct", 1), ("vote", 4))]
    assert settings_of(arms) == {"think=0": [0, 4], "think=0/vote=4": [1, 5], "think=2": [2, 6], "think=2/vote=4": [3, 7]}


def test_models_whose_names_have_slashes_share_settings_too():
    arms = [Arm(Source(model, "2")) for model in ("org/small", "other/large")]
    assert settings_of(arms) == {"think=2": [0, 1]}
    assert settings_of([Arm(Source("org/small")), Arm(Source("large"))]) == {"direct": [0, 1]}
    assert settings_of([Arm(Source("a")), Arm(Source("b"))]) == {"direct": [0, 1]}


def run_really(query, arm):
    """(quality, cost) of the arm's own strategy on the recorded samples, the mean over every order they may have come in."""
    found = []
    mine = [o for o in OUTCOMES if (o.query_id, o.source) == (query.id, arm.source)]
    for order in permutations(range(SAMPLES)):
        recorded = Recorded.of([query], [replace(o, sample_index=i) for o, i in zip(mine, order, strict=True)], MODELS)
        answer = drive(steps_of(arm, query, Reading()), recorded.replay())
        chosen = next(c for c in answer.candidates if c.answer == answer.answer)
        found.append((recorded.grade(query, chosen), answer.spend.cost_usd))
    return np.mean(found, axis=0)


@pytest.mark.parametrize("setting", ["think=2", "think=0/vote=2", "think=0/vote=4", "think=2/best=4", "think=0/best=2"])
def test_routing_on_the_grid_is_routing_the_queries_and_running_the_arms(setting):
    recorded = Recorded.of(QUERIES, OUTCOMES, MODELS)
    grid = fixed_arms(recorded.panel, recorded.prices, np.random.default_rng(0), votes=(1, 2, 4), strategies=STRATEGIES)
    columns = settings_of(grid.arms)[setting]
    rng, worths = np.random.default_rng(1), np.array([1e-9, 3e-6, 1e-4, 1.0])
    forecast, cost = rng.random(grid.quality.shape), 1e-5 * rng.random(grid.cost_usd.shape)
    rolled, picked = routed(grid, forecast, cost, columns, worths), set()
    for rung, worth in enumerate(worths):
        for i, query in enumerate(recorded.queries):
            j = max(columns, key=lambda j: worth * forecast[i, j] - cost[i, j])
            picked.add(grid.arms[j].source.model)
            assert (rolled.quality[rung, i], rolled.cost_usd[rung, i]) == pytest.approx(run_really(query, grid.arms[j]))
    assert picked == set(MODELS), "every model serves somewhere, or this proves little"
