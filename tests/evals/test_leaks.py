"""Nothing that fits, selects or calibrates may see the outcomes it is scored on: leaks are planted, and must show."""

from dataclasses import replace

import numpy as np
import pytest

from onedial.core.arm import Source
from onedial.core.errors import TableError
from onedial.core.objective import Objective
from onedial.engine.fit import fit_policies
from onedial.engine.promise import promise
from onedial.engine.recorded import Recorded
from onedial.evals.bench.fold import run_fold
from onedial.evals.bench.goals import Goal
from onedial.evals.bench.table import bench_table
from onedial.evals.experiment import run_experiment
from onedial.evals.leaks import leak_check, shuffled_scores
from onedial.evals.resplits import resplit_promise
from onedial.forecasts.fit import fit_forecast
from onedial.metrics.hull import upper_hull
from onedial.strategies.draw import Reading
from worlds import MODELS, World

SMALL, LARGE = Source("small", "0"), Source("large", "2")
POOL = {source.model: MODELS[source.model] for source in (SMALL, LARGE)}
SAMPLES = 3


def table(name, n, change=lambda queries, outcomes: (queries, outcomes)):
    """Queries and outcomes of two sources, without a verifier, changed in some way."""
    world = World(11)
    queries = world.queries(n, name)
    rows = [replace(o, verifier_score=None) for o in world.outcomes(queries, SAMPLES) if o.source in (SMALL, LARGE)]
    return change(queries, rows)


def shuffle(queries, outcomes):
    return queries, shuffled_scores(outcomes, 3)


def plant(queries, outcomes):
    """Write every score into the prompt."""
    said = {query.id: [] for query in queries}
    for o in outcomes:
        said[o.query_id].append(f"{o.model}{o.sample_index}is{int(o.score)}")
    return [replace(q, prompt=f"{q.prompt} {' '.join(said[q.id])}") for q in queries], outcomes


def plant_first(queries, outcomes):
    """Write the score of the first sample alone into the prompt: the one that is replayed first."""
    found, _ = plant(queries, [o for o in outcomes if o.sample_index == 0])
    return found, outcomes


def run(change=lambda queries, outcomes: (queries, outcomes)):
    train, proof, test = (Recorded.of(*table(name, n, change), POOL) for name, n in (("train", 80), ("proof", 60), ("test", 80)))
    fitting = fit_policies(train, proof, POOL, Reading(), seed=0)
    return fitting, run_experiment(fitting, train, test, POOL, Reading(), seed=0), test


@pytest.fixture(scope="module")
def honest():
    return run()


@pytest.fixture(scope="module")
def shuffled():
    return run(shuffle)


@pytest.fixture(scope="module")
def planted():
    return run(plant)


def lead_over(found, rival):
    _, experiment, _ = found
    return [m.lead_over for m in experiment.matched if m.policy == rival]


def above_hull(found):
    """Quality gained over mixing fixed arms at the same cost, on the test queries, averaged over the rungs that decide per query."""
    fitting, experiment, _ = found
    edge = upper_hull(*(values.mean(axis=0) for values in (experiment.test_grid.cost_usd, experiment.test_grid.quality)))
    rungs = slice(0, len(fitting.fit.worths))
    cost, quality = (values.mean(axis=1)[rungs] for values in (experiment.joint.cost_usd, experiment.joint.quality))
    return float((quality - np.interp(cost, edge.cost, edge.quality)).mean())


def check(found):
    fitting, _, test = found
    return leak_check(fitting.fit.forecast.latents(test.queries, test.panel.input_tokens).success, test.panel.score)


def test_from_shuffled_scores_nothing_is_gained_over_the_hull_of_fixed_arms(honest, shuffled):
    assert all(ratio.high >= 0.98 and ratio.estimate > 0.95 for ratio in lead_over(shuffled, "hull"))
    assert above_hull(honest) > above_hull(shuffled)  # where there is something to learn it shows


def test_on_shuffled_scores_certificates_stay_valid(shuffled):
    fitting, experiment, _ = shuffled
    column = experiment.test_grid.arms.index(fitting.fit.reference)
    reference = experiment.test_grid.quality[:, column], experiment.test_grid.cost_usd[:, column]
    for epsilon in (0.05, 0.1):
        found = resplit_promise(experiment.joint.quality, experiment.joint.cost_usd, *reference, epsilon)
        assert found.violation_rate <= found.delta
        made = promise(fitting.fit, Objective(within=epsilon))
        if made.mixture is not None:  # scores are alike on all queries, so the truth is that of the sources drawn last
            drop = reference[0].mean() - experiment.joint.quality[made.mixture.low].mean()
            assert drop <= epsilon + 3 * np.sqrt(0.5 / len(reference[0]))


def test_scores_in_the_prompt_give_a_gain_that_no_forecast_can_have_and_the_guard_says_so(honest, planted):
    assert not check(honest).leaks and "No leak seen" in check(honest).sentence
    found = check(planted)
    assert found.leaks and "below what the noise" in found.sentence
    cost = {
        name: min(m.over_fixed.estimate for m in one[1].matched if m.policy == "joint") for name, one in (("h", honest), ("p", planted))
    }
    assert cost["p"] < 0.75 * cost["h"]


def test_one_sample_given_away_is_named():
    train, test = (Recorded.of(*table(name, 300, plant_first), POOL) for name in ("train", "test"))
    known = fit_forecast(train.panel, 0).forecast.latents(test.queries, test.panel.input_tokens).success
    found = leak_check(known, test.panel.score)
    assert found.leaks and found.sample == 0 and "closer to sample 0" in found.sentence


def test_the_truth_itself_is_no_leak_and_the_recorded_mean_is():
    rng = np.random.default_rng(0)
    for seed in range(40):
        p = np.random.default_rng(seed).beta(0.5, 0.5, (100, 3))
        score = (rng.random((100, 3, 5)) < p[:, :, None]).astype(float)
        assert not leak_check(p, score).leaks
        assert leak_check(score.mean(axis=2), score).leaks


def test_a_table_without_repeats_cannot_be_checked():
    with pytest.raises(TableError, match="0 queries have two samples"):
        leak_check(np.full((50, 2), 0.5), np.ones((50, 2, 1)))


def test_shuffling_keeps_everything_but_where_the_scores_are():
    _, rows = table("q", 50)
    found = shuffled_scores(rows, 0)
    assert [replace(a, score=None) for a in found] == [replace(b, score=None) for b in rows]
    for source in (SMALL, LARGE):
        before, after = ([o.score for o in one if o.source == source] for one in (rows, found))
        assert sorted(before) == sorted(after) and before != after


def test_no_policy_of_the_bench_does_anything_else_when_the_test_scores_are_others():
    queries, rows = table("bench", 90)
    fold = np.arange(90) % 3
    held = {q.id for q, f in zip(queries, fold, strict=True) if f == 0}
    unseen = [o for o in rows if o.query_id in held]
    swapped = {id(a): b for a, b in zip(unseen, shuffled_scores(unseen, 1), strict=True)}
    priced = [replace(o, cost_usd=MODELS[o.model].price.output_usd_per_mtok * (o.output_tokens + o.input_tokens) * 1e-6) for o in rows]
    other = [replace(p, score=swapped[id(o)].score) if id(o) in swapped else p for o, p in zip(rows, priced, strict=True)]
    first, second = (run_fold(bench_table("bench", queries, one), fold, 0, [Goal(0.0), Goal(0.05)]) for one in (priced, other))
    hindsight = {name for name, family in first.families.items() if family == "oracle"}
    assert len(first.cost) - len(hindsight) > 10
    for name in set(first.cost) - hindsight:
        np.testing.assert_array_equal(first.cost[name], second.cost[name], err_msg=name)
    np.testing.assert_array_equal(first.draws, second.draws)
    assert any(not np.array_equal(first.quality[name], second.quality[name]) for name in first.quality)
