import math
from types import SimpleNamespace

import numpy as np
import pytest

from onedial.core.arm import Arm, Source
from onedial.core.errors import TableError
from onedial.evals.bench.fold import FoldResult
from onedial.evals.bench.goals import Goal
from onedial.evals.bench.pooled import pool
from onedial.evals.bench.verdict import verdict_of
from onedial.evals.comparison import Matched, matched_quality, ratio_interval
from onedial.evals.selection import Sweep
from onedial.metrics.bootstrap import Interval

ARMS = tuple(Arm(Source(name)) for name in ("a", "b"))
GOALS = (Goal(0.0),)


def fold(rows, fixed, joint, targets=(0.8, 0.7)):
    """A fold whose policies cost ten times what they reach; `fixed` and `joint` are (points, queries) of quality."""
    n = len(rows)
    fixed, joint = np.array(fixed, dtype=float), np.array(joint, dtype=float)
    return FoldResult(
        rows=np.array(rows),
        targets=np.array(targets),
        quality={"best fixed": fixed, "joint": joint},
        cost={"best fixed": 10 * fixed, "joint": 10 * joint},
        families={"best fixed": "fixed", "joint": "joint"},
        absent={},
        arms=ARMS,
        arm_quality=np.tile([0.2, 0.4], (n, 1)),
        arm_cost=np.ones((n, 2)),
        worth=np.array([2.0]),
        forecast=np.full((1, n), 0.5),
        reached=joint[:1],
        draws=np.ones((1, n, 2), dtype=np.int64),
        ease=np.array(rows, dtype=float),
    )


FIRST = fold([2, 0, 4], [[0.3, 0.1, 0.5], [0.2, 0.0, 0.4]], [[0.6, 0.4, 0.8], [0.2, 0.2, 0.2]])
SECOND = fold([1, 3], [[0.2, 0.4], [0.1, 0.3]], [[0.5, 0.7], [0.2, 0.2]], targets=(0.9, 0.75))


def test_pooling_puts_every_query_in_its_place_and_means_are_over_all_queries():
    pooled = pool([FIRST, SECOND], GOALS)
    assert pooled.fixed.quality.tolist() == [[0.1, 0.2, 0.3, 0.4, 0.5]] and pooled.ease.tolist() == [0, 1, 2, 3, 4]
    assert pooled.sweeps["joint"].quality[0].tolist() == [0.4, 0.5, 0.6, 0.7, 0.8]
    assert pooled.sweeps["joint"].cost_usd.mean(axis=1) == pytest.approx([6.0, 2.0])
    assert pooled.targets == pytest.approx([(3 * 0.8 + 2 * 0.9) / 5]) and pooled.fold.tolist() == [0, 1, 0, 1, 0]


def test_costs_are_matched_on_the_pooled_frontier():
    pooled = pool([FIRST, SECOND], GOALS)
    rows = matched_quality(pooled.fixed, list(pooled.sweeps.values()), np.random.default_rng(0), n_resamples=50)
    joint = next(row for row in rows if row.policy == "joint")
    assert joint.level == pytest.approx(0.3)
    assert joint.cost_usd.estimate == pytest.approx(2.0 + (0.3 - 0.2) / (0.6 - 0.2) * 4.0)
    assert joint.over_fixed.estimate == pytest.approx(1.0)


def test_folds_that_test_a_query_twice_are_refused():
    with pytest.raises(TableError, match="5 queries, 3 of them different"):
        pool([FIRST, fold([0, 2], [[0.2, 0.4]] * 2, [[0.5, 0.7]] * 2)], GOALS)


def test_a_policy_that_is_absent_from_one_fold_is_left_out_and_the_reason_kept():
    without = fold([1, 3], [[0.2, 0.4]] * 2, [[0.5, 0.7]] * 2)
    del without.quality["joint"]
    without.absent["joint"] = "too few"
    pooled = pool([FIRST, without], GOALS)
    assert "joint" not in pooled.sweeps and pooled.absent == {"joint": "too few"}


def test_what_a_fold_found_can_be_read_back(tmp_path):
    FIRST.save(tmp_path / "x" / "fold.npz")
    found = FoldResult.load(tmp_path / "x" / "fold.npz")
    assert found.arms == ARMS and found.families == FIRST.families
    np.testing.assert_array_equal(found.quality["joint"], FIRST.quality["joint"])
    (tmp_path / "broken.npz").write_bytes(b"half of a file")
    assert FoldResult.load(tmp_path / "broken.npz") is None and FoldResult.load(tmp_path / "none.npz") is None


def test_a_rival_that_does_not_get_there_is_infinitely_dearer_and_nothing_is_known_where_neither_does():
    nan = math.nan
    assert ratio_interval(np.array([2.0, 2.0, 2.0]), np.array([nan, nan, nan]))[:3] == (0.0, 0.0, 0.0)
    assert ratio_interval(np.array([nan, nan]), np.array([1.0, 1.0]))[:3] == (math.inf, math.inf, math.inf)
    neither = ratio_interval(np.array([nan, nan]), np.array([nan, nan]))
    assert math.isnan(neither.estimate) and (neither.low, neither.high) == (0.0, math.inf)


def verdict(*leads, rivals=("hull", "model-only")):
    """The verdict on two goals from (low, high) of joint's cost over each rival's, goal by goal."""
    goals, targets = (Goal(0.0), Goal(0.02)), np.array([0.9, 0.88])
    nothing = Interval(1.0, 1.0, 1.0)
    cells = [(float(target), name) for target in targets for name in rivals]
    rows = [Matched(t, t, name, nothing, nothing, Interval(1.0, *lead), 0.0) for (t, name), lead in zip(cells, leads, strict=True)]
    sweeps = {name: Sweep(name, targets, np.zeros((2, 1)), np.zeros((2, 1))) for name in rivals}
    return verdict_of(SimpleNamespace(pooled=SimpleNamespace(goals=goals, targets=targets), sweeps=sweeps, matched=tuple(rows)))


def test_joint_is_dearer_only_where_a_whole_interval_says_so():
    found = verdict((0.9, 1.5), (1.01, 1.2), (0.5, 0.9), (0.7, 0.99))
    assert found.non_inferior and found.cheaper_than_all == ("best − 2",)
    assert found.sentence == "Joint is nowhere dearer than model-only or hull, and cheaper than all of them at best − 2."
    found = verdict((1.03, 1.5), (0.5, 0.9), (0.5, 1.0), (0.7, 0.9))
    assert not found.non_inferior and found.dearer == (("best", "hull"),) and not found.cheaper_than_all
    assert found.sentence == "Joint is dearer than hull at best, and nowhere cheaper than all."
