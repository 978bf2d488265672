"""A small world of recorded outcomes: three models, two thinking levels, six levels of difficulty, two topics."""

import numpy as np
import pytest

from onedial.core.arm import Source
from onedial.core.outcome import Panel
from onedial.core.query import Query
from onedial.core.usage import Price
from onedial.evals.comparison import kept_promises, matched_quality
from onedial.evals.report.findings import Findings
from onedial.evals.report.summary import arm_points, hull_line, line, matched_rows, promise_rows, reliability_of, shares
from onedial.evals.selection import Sweep, fixed_sweep, hindsight_sweep, hull_sweep, oracle_sweep
from onedial.policies.certificate import certify_quality
from onedial.policies.grid import fixed_arms

MODELS = ("small", "middle", "large")
EFFORTS = ("0", "4")
PRICES = {"small": Price(0.02, 0.02), "middle": Price(0.1, 0.1), "large": Price(0.3, 0.3)}
VOTES = (1, 2, 4, 8)


def make_panel(n_queries, n_samples, seed):
    """A panel, and the group of each of its queries: difficulty (0 to 5) + 6 x topic (on topic 1 the large model is weak)."""
    rng = np.random.default_rng(seed)
    difficulty, topic = rng.integers(0, 6, n_queries), rng.random(n_queries) < 0.35
    sources = tuple(Source(m, e) for m in MODELS for e in EFFORTS)
    ability = np.array([1.2 + 1.4 * MODELS.index(s.model) + 1.0 * EFFORTS.index(s.effort) for s in sources])
    weak = topic[:, None] * np.array([3.0 * (s.model == "large") for s in sources])
    logit = 1.5 * (ability[None] - weak - difficulty[:, None]) + 1.5 * rng.standard_normal((n_queries, len(sources)))
    p = 1 / (1 + np.exp(-logit))
    right = rng.random((n_queries, len(sources), n_samples)) < p[..., None]
    wrong = 1 + rng.integers(0, 4, right.shape)
    tokens = np.exp(
        np.log(np.array([6.0, 40.0])[[EFFORTS.index(s.effort) for s in sources]])[None, :, None] + 0.2 * difficulty[:, None, None]
    )
    tokens = np.broadcast_to(tokens, right.shape) * rng.uniform(0.8, 1.2, right.shape)
    panel = Panel(
        queries=tuple(Query(f"q{i}", "?") for i in range(n_queries)),
        sources=sources,
        score=right.astype(float),
        answer=np.where(right, 0, wrong),
        output_tokens=tokens,
        input_tokens=np.full((n_queries, len(sources)), 30.0),
        verdict=np.where(right, rng.normal(1, 1, right.shape), rng.normal(0, 1, right.shape)),
        cost_usd=np.full(right.shape, np.nan),
        latency_s=np.full(right.shape, np.nan),
        answers=tuple(("right", "a", "b", "c", "d") for _ in range(n_queries)),
    )
    return panel, difficulty + 6 * topic


def forecast_sweep(name, train, train_group, test, test_group, columns, worths):
    """A policy that knows the mean quality and cost of its arms in each group, and picks by net worth."""
    table = [
        np.stack([values[train_group == g][:, columns].mean(axis=0) for g in range(12)])[test_group]
        for values in (train.quality, train.cost_usd)
    ]
    rows, quality, cost, chosen = np.arange(test_group.size), [], [], []
    for worth in worths:
        pick = np.asarray(columns)[(worth * table[0] - table[1]).argmax(axis=1)]
        quality.append(test.quality[rows, pick])
        cost.append(test.cost_usd[rows, pick])
        chosen.append(pick)
    targets = np.array([q.mean() for q in quality])
    return Sweep(name, targets, np.stack(quality), np.stack(cost)), np.stack(chosen)


@pytest.fixture(scope="session")
def recorded():
    """(train panel, train group, test panel, test group)."""
    return (*make_panel(480, 32, 0), *make_panel(320, 32, 1))


@pytest.fixture(scope="session")
def grids(recorded):
    train, _, test, _ = recorded
    return tuple(fixed_arms(p, PRICES, np.random.default_rng(s), votes=VOTES, n_draws=32) for s, p in enumerate((train, test)))


@pytest.fixture(scope="session")
def sweeps(recorded, grids):
    """Sweeps by name, and the arms chosen by the joint one."""
    _, train_group, test_panel, test_group = recorded
    train, test = grids
    worths = np.geomspace(1e-7, 1e-2, 24)
    every = list(range(len(train.arms)))
    setting = [j for j, a in enumerate(train.arms) if a.source.effort == "4" and a.n == 1]
    single = [j for j, a in enumerate(train.arms) if a.source.model == "middle"]
    joint, chosen = forecast_sweep("joint", train, train_group, test, test_group, every, worths)
    model_only, _ = forecast_sweep("model-only", train, train_group, test, test_group, setting, worths)
    compute_only, _ = forecast_sweep("compute-only", train, train_group, test, test_group, single, worths)
    top = train.quality.mean(axis=0).max()
    made = {
        "joint": joint,
        "model-only": model_only,
        "compute-only": compute_only,
        "best fixed": fixed_sweep(train, test, top - np.array([0.0, 0.02, 0.05])),
        "hull": hull_sweep(train, test, np.linspace(0.3, top, 30)),
        "oracle": oracle_sweep(test_panel, PRICES, np.random.default_rng(3), votes=VOTES),
        "hindsight": hindsight_sweep(test),
    }
    return made, chosen


@pytest.fixture(scope="session")
def findings(recorded, grids, sweeps):
    """Findings of the whole comparison, as a demo would fill them."""
    _, _, _, group = recorded
    group = group % 6
    train, test = grids
    made, chosen = sweeps
    rng = np.random.default_rng(5)
    others = [made[k] for k in ("joint", "model-only", "compute-only", "hull", "oracle", "hindsight")]
    rows = matched_quality(made["best fixed"], others, rng, n_resamples=300)
    nearest = [int(np.abs(made["joint"].targets - t).argmin()) for t in made["best fixed"].targets]
    promised = Sweep("joint", made["best fixed"].targets, made["joint"].quality[nearest], made["joint"].cost_usd[nearest])
    certificates = [
        certify_quality(promised.quality[t][None], ["h"], target=float(promised.targets[t]) - 0.02).certificate for t in range(3)
    ]
    pick = [train.arms[j] for j in chosen[nearest[0]]]
    names = [f"level {g}" for g in range(1, 7)]
    sizes = [1, 2, 4, 8]
    return Findings(
        subtitle="3 models x 2 thinking levels x direct and vote up to 8, generated world",
        n_train=480,
        n_test=320,
        arms=arm_points(test),
        lines=(*(line(made[k], rng, 200) for k in ("joint", "model-only", "compute-only", "hindsight")), hull_line(test)),
        matched=matched_rows(rows),
        promises=promise_rows(["best fixed", "- 2 points", "- 5 points"], kept_promises(promised, rng, 300), certificates),
        shares=(
            shares("model", MODELS, np.array([MODELS.index(a.source.model) for a in pick]), group, names),
            shares("thinking", ("none", "4 steps"), np.array([EFFORTS.index(a.source.effort) for a in pick]), group, names),
            shares("samples", [str(s) for s in sizes], np.array([sizes.index(a.n) for a in pick]), group, names),
        ),
        reliability=reliability_of(np.clip(promised.quality[0] * 0.9 + 0.03, 0, 1), rng.random(320) < promised.quality[0]),
        notes=("The oracle chooses on one half of the samples and is scored on the other.",),
    )
