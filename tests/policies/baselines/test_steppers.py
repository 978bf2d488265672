"""One exam for every baseline that sees answers."""

from copy import deepcopy

import numpy as np
import pytest

from lessons import scatter_case, skill_case, token_case, uneven_case
from onedial.engine.rollout import roll_out
from onedial.metrics.hull import hull_cost_at_quality
from onedial.policies.baselines.agreement_cascade import AGREEMENT_CASCADE
from onedial.policies.baselines.pool import pool_of
from onedial.policies.baselines.steppers import STEPPERS
from onedial.policies.baselines.tape import depths, tape_of
from onedial.strategies.draw import Reading

CASES = {
    "skill": lambda: skill_case(n=100),
    "tokens": lambda: token_case(n=160),
    "tokens alone": lambda: token_case(n=120, samples=1, answers=False),
    "tokens, cached": lambda: token_case(n=80, caches=True),
    "scatter": lambda: scatter_case(n=80),
    "uneven": uneven_case,
}


@pytest.fixture(scope="module")
def cases():
    return {name: make() for name, make in CASES.items()}


@pytest.fixture(scope="module")
def ladders(cases):
    """Every recipe fitted to every case, once."""
    return {(name, which): STEPPERS[name].fit(case.lesson) for name in STEPPERS for which, case in cases.items()}


def fresh(policy):
    """The policy; a copy of one that keeps the state of a stream."""
    return policy if policy.__dataclass_params__.frozen else deepcopy(policy)


def replayed(policy, recorded):
    return roll_out(recorded, fresh(policy), Reading())


def billed(run, recorded):
    """What a run must cost: prompts once per ask, at the cached price where it applies, and what was recorded of each sample."""
    total, seen = 0.0, set()
    for block in run.drawn:
        source = block.candidates[0].source
        price = recorded.prices[source.model]
        rows = [recorded.recording.block(run.query.id, source, c.index, 1)[0] for c in block.candidates]
        if rows[0].input_tokens is None:
            total += sum(row.cost_usd for row in rows)
            continue
        cheap = recorded.caches and source.model in seen and price.cached_usd_per_mtok is not None
        seen.add(source.model)
        rate = price.cached_usd_per_mtok if cheap else price.input_usd_per_mtok
        total += (rows[0].input_tokens * rate + sum(row.output_tokens for row in rows) * price.output_usd_per_mtok) / 1e6
    return total


@pytest.mark.parametrize("which", CASES)
@pytest.mark.parametrize("name", STEPPERS)
def test_a_stepper_stops_asks_for_nothing_beyond_what_is_recorded_and_pays_what_is_billed(name, which, cases, ladders):
    case, ladder = cases[which], ladders[name, which]
    allowed = dict(zip(case.lesson.panel.sources, depths(case.lesson), strict=True))
    assert 1 <= len(ladder) <= 16
    for policy in ladder:
        for run in replayed(policy, case.test).solved:
            drawn = [c.source for c in run.answer.candidates]
            assert run.decisions[-1].arm is None and "brought nothing" not in run.answer.stopped and run.chosen is not None
            assert all(drawn.count(source) <= allowed[source] for source in drawn)
            assert len(run.answer.candidates) == sum(d.arm.n for d in run.decisions if d.arm is not None)
            assert run.answer.spend.cost_usd == pytest.approx(billed(run, case.test))


@pytest.mark.parametrize("name", STEPPERS)
def test_fitting_and_replaying_again_gives_the_same(name, cases, ladders):
    case, first = cases["skill"], ladders[name, "skill"]
    again = STEPPERS[name].fit(case.lesson)
    assert len(again) == len(first)
    for one, other in list(zip(first, again, strict=True))[::4]:
        a, b = replayed(one, case.test), replayed(other, case.test)
        assert np.array_equal(a.quality, b.quality) and np.array_equal(a.cost_usd, b.cost_usd)


@pytest.mark.parametrize("which", CASES)
@pytest.mark.parametrize(
    "name", [n for n in STEPPERS if n not in ("damani-offline", "lagrangian-imitation", "mess-plus", "port", "cascade-routing")]
)
def test_the_vectorised_path_equals_the_replay(name, which, cases, ladders):
    case = cases[which]
    for policy in ladders[name, which]:
        sources = [s.arm.source for s in policy.stages] if hasattr(policy, "stages") else [policy.source]
        tape = tape_of(case.lesson, np.array([case.lesson.panel.sources.index(s) for s in sources]), copies=0)
        quality, cost = fresh(policy).on(tape, range(len(sources)))
        run = replayed(policy, case.train)
        assert np.allclose(quality, run.quality) and np.allclose(cost, run.cost_usd, rtol=1e-9)


def test_what_the_search_over_two_arms_says_of_a_setting_is_what_the_policy_does_on_the_same_tape(cases):
    lesson = cases["skill"].lesson
    pool = pool_of(lesson)
    ladder = AGREEMENT_CASCADE.fit(lesson)
    assert any(len(policy.stages) == 2 for policy in ladder)
    for policy in ladder:
        quality, _ = policy.on(pool.tape, [pool.names.index(stage.arm.source) for stage in policy.stages])
        assert policy.quality == pytest.approx(quality.mean())


def ratio_to_hull(case, ladder, level):
    """Cost of a ladder at a quality, as a share of the hull of fixed arms, both on the test queries."""
    runs = [replayed(policy, case.test) for policy in ladder]
    own = hull_cost_at_quality([r.cost_usd.mean() for r in runs], [r.quality.mean() for r in runs], level)
    fixed = STEPPERS["self-consistency"].fit(case.lesson)
    arms = [replayed(policy, case.test) for policy in fixed]
    return own / hull_cost_at_quality([r.cost_usd.mean() for r in arms], [r.quality.mean() for r in arms], level)


@pytest.mark.parametrize("which", ["tokens", "tokens alone"])
@pytest.mark.parametrize("name", ["token-gate", "frugal-gpt", "cascade-routing"])
def test_a_gate_recovers_a_planted_token_signal_also_where_no_answer_is_recorded(name, which, cases, ladders):
    assert ratio_to_hull(cases[which], ladders[name, which], 0.97) < 0.7


def test_agreement_finds_nothing_where_wrong_answers_agree(cases, ladders):
    assert ratio_to_hull(cases["tokens"], ladders["agreement-cascade", "tokens"], 0.97) > 0.9


@pytest.mark.parametrize("name", ["agreement-cascade", "automix-threshold", "automix-pomdp", "token-gate"])
def test_a_tuned_cascade_beats_its_arms_where_wrong_answers_scatter(name, cases, ladders):
    assert ratio_to_hull(cases["scatter"], ladders[name, "scatter"], 0.97) < 0.7


def test_a_source_that_lacks_a_query_is_never_asked(cases, ladders):
    case = cases["uneven"]
    for name in STEPPERS:
        for policy in ladders[name, "uneven"]:
            drawn = {c.source.model for run in replayed(policy, case.test).solved for c in run.answer.candidates}
            assert "gone" not in drawn
