import numpy as np

from onedial.core.arm import Arm
from onedial.engine.recorded import PASSES, ROWS, Recorded
from onedial.engine.rollout import roll_out
from onedial.policies.fixed_arm import FixedArm
from onedial.strategies.draw import Reading
from worlds import MODELS, SOURCES, World


def _recorded(n, samples):
    world = World(3)
    queries = world.queries(n, "q")
    return Recorded.of(queries, world.outcomes(queries, samples), MODELS)


def test_passes_hold_the_same_samples_in_other_orders():
    recorded = _recorded(20, 4)
    first, second, *others = recorded.passes(0)
    assert first is recorded and len(others) == PASSES - 2
    assert all(sorted(cell, key=id) == sorted(second.recording.samples[key], key=id) for key, cell in recorded.recording.samples.items())
    assert sum(cell != second.recording.samples[key] for key, cell in recorded.recording.samples.items()) > 50


def test_a_pass_grades_the_sample_that_its_own_replay_gave():
    recorded = _recorded(20, 4)
    for play in recorded.passes(0):
        run = roll_out(play, FixedArm(Arm(SOURCES[0]), 0.5, "always"), Reading())
        first = [play.recording.samples[query.id, SOURCES[0]][0] for query in recorded.queries]
        assert [candidate.answer for candidate in (solved.chosen for solved in run.solved)] == [o.answer for o in first]
        assert run.quality.tolist() == [o.score for o in first]


def test_many_queries_or_single_samples_need_one_pass():
    assert len(_recorded(ROWS, 2).passes(0)) == 1
    assert len(_recorded(20, 1).passes(0)) == 1


def test_passes_are_the_same_for_the_same_seed():
    recorded = _recorded(20, 3)
    orders = [[list(p.recording.samples.values()) for p in recorded.passes(seed)] for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


def test_rows_keep_the_queries_asked_for():
    recorded = _recorded(20, 2)
    assert recorded.rows(np.array([3, 7])).queries == (recorded.queries[3], recorded.queries[7])
