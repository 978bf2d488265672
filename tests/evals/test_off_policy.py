from dataclasses import replace

import numpy as np
import pytest

from onedial.core.errors import TableError
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.evals.off_policy import off_policy
from worlds import MODELS, SOURCES, World

CHANCE = np.array([0.3, 0.1, 0.2, 0.1, 0.2, 0.1])


def logged(world, n, seed):
    """Queries, one outcome each of a source chosen by chance, and the true success of every source."""
    rng, queries = np.random.default_rng(seed), world.queries(n)
    success = np.array([[world.success(q, s) for s in SOURCES] for q in queries])
    rows = []
    for i, query in enumerate(queries):
        j = rng.choice(len(SOURCES), p=CHANCE)
        source = SOURCES[j]
        cost = 1e-6 * MODELS[source.model].price.output_usd_per_mtok
        score = float(rng.random() < success[i, j])
        rows.append(Outcome(query.id, source.model, source.effort, 0, score, None, cost_usd=cost, propensity=float(CHANCE[j])))
    return queries, rows, success


def test_a_policy_that_never_ran_is_judged_from_the_log_of_another():
    queries, rows, success = logged(World(seed=4), 700, 1)
    target = np.zeros((700, len(SOURCES)))
    short = np.array([len(q.prompt) < 40 for q in queries])
    target[short, 0], target[~short, 5] = 1.0, 1.0
    truth = (target * success).sum(axis=1).mean()
    found = off_policy(queries, rows, SOURCES, target, success, np.ones_like(success))
    for estimate in (found.quality.inverse_propensity, found.quality.self_normalised, found.quality.doubly_robust):
        assert abs(estimate.mean - truth) < 4 * estimate.standard_error
    assert found.quality.doubly_robust.standard_error < found.quality.inverse_propensity.standard_error
    assert found.cost_usd.self_normalised.mean == pytest.approx(1e-7 * (short.mean() + 20 * (~short).mean()), rel=0.3)
    assert 0 < found.effective_n < found.n == 700


def test_a_log_without_costs_says_nothing_of_costs_and_without_a_forecast_nothing_is_doubly_robust():
    queries, rows, _ = logged(World(), 60, 2)
    found = off_policy(queries, [replace(row, cost_usd=None) for row in rows], SOURCES, np.tile(CHANCE, (60, 1)))
    assert found.cost_usd is None and found.quality.doubly_robust is None


def test_a_log_that_cannot_be_used_says_why():
    queries = [Query("a", "one"), Query("b", "two")]
    rows = [Outcome(q.id, "small", "0", 0, 1.0, None, propensity=0.5) for q in queries]
    target = np.eye(len(SOURCES))[[0, 0]]
    with pytest.raises(TableError, match="'b' has 0 logged outcomes"):
        off_policy(queries, rows[:1], SOURCES, target)
    with pytest.raises(TableError, match="'a' has 2 logged outcomes"):
        off_policy(queries, [rows[0], *rows], SOURCES, target)
    with pytest.raises(TableError, match="1 are absent"):
        off_policy(queries, [rows[0], replace(rows[1], propensity=None)], SOURCES, target)
    with pytest.raises(TableError, match="outcomes of small/think=0; give"):
        off_policy(queries, rows, SOURCES[1:], target[:, 1:])
    with pytest.raises(TableError, match="plays actions"):
        off_policy(queries, rows, SOURCES, np.eye(len(SOURCES))[[0, 3]])
