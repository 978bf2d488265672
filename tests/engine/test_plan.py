"""Planning a batch with the fit shared with the tests of the loops."""

import re
from dataclasses import replace

import numpy as np
import pytest

from onedial.core.ask import Sample
from onedial.core.errors import ConfigError, TableError, TargetUnreachable
from onedial.engine.dial import Dial
from onedial.engine.offer import offered
from onedial.engine.plan import Plan, make_plan
from onedial.engine.settings import Settings
from onedial.policies.fixed_forecast import FixedForecast
from onedial.runtime.pool import Pool
from onedial.runtime.scripted import ScriptedClient
from worlds import MODELS, RIGHT


@pytest.fixture
def queries(world):
    return world.queries(60, "batch")


@pytest.fixture
def dial(tmp_path, fitting, reading):
    opened = Dial(Pool([ScriptedClient(MODELS.values(), None)]), tmp_path, Settings(reading, lambda query, answer: float(answer == RIGHT)))
    opened.use(fitting.fit)
    return opened


def grid_of(dial, queries):
    arms = [one.arm for one in offered(dial) if not one.absent]
    return FixedForecast.of(dial.fitted.forecast, MODELS, arms).grid(dial.fitted.forecast.latents(queries))


def test_a_plan_stays_within_its_budget_and_beats_every_single_arm_that_does(dial, queries):
    grid = grid_of(dial, queries)
    for budget in (6e-4, 3e-3, 2e-2):
        plan = make_plan(dial, queries, budget_usd=budget)
        assert [entry.query for entry in plan.entries] == queries and plan.cost_usd <= budget
        affordable = grid.cost_usd.sum(axis=0) <= budget
        assert plan.quality > grid.quality[:, affordable].mean(axis=0).max() - 0.5 / len(queries)
        assert plan.quality == pytest.approx(np.mean([e.quality for e in plan.entries])) and sum(plan.arms().values()) == len(queries)


def test_what_is_held_for_a_query_is_the_longest_that_its_arm_can_come_to(dial, queries):
    for entry in make_plan(dial, queries, budget_usd=3e-3).entries:
        model = MODELS[entry.arm.source.model]
        prompt = dial.pool.input_tokens(Sample(entry.query.id, entry.arm.source, entry.query.messages))
        tokens = prompt + entry.arm.n * model.max_output_tokens
        assert entry.worst_usd == pytest.approx(tokens * model.price.output_usd_per_mtok / 1e6) and entry.cost_usd < entry.worst_usd


def test_a_quality_is_reached_by_forecast_and_costs_more_the_higher_it_is(dial, queries):
    low, high = (make_plan(dial, queries, quality=target) for target in (0.6, 0.8))
    assert low.quality >= 0.6 and high.quality >= 0.8 and low.cost_usd < high.cost_usd and low.aim.worth < high.aim.worth


def test_within_of_the_reference_arm_means_of_its_forecast_on_these_queries(dial, queries):
    grid, reference = grid_of(dial, queries), dial.fitted.reference
    plan = make_plan(dial, queries, within=0.03)
    level = grid.quality[:, grid.arms.index(reference)].mean() - 0.03
    assert plan.aim.quality == pytest.approx(level) and plan.quality >= level - 1e-9
    assert plan.cost_usd < grid.cost_usd[:, grid.arms.index(reference)].sum()


def test_one_more_dollar_is_told_by_what_it_would_really_buy(dial, queries):
    plan = make_plan(dial, queries, budget_usd=3e-3)
    all_bought = make_plan(dial, queries, budget_usd=1.0)
    assert plan.aim.more_quality == pytest.approx(len(queries) * (all_bought.quality - plan.quality))
    assert all_bought.aim.worth == np.inf and all_bought.aim.more_quality == pytest.approx(0.0)


def test_a_plan_is_read_back_as_it_was_written_and_a_changed_arm_is_another_plan(dial, queries, tmp_path):
    for plan in (make_plan(dial, queries, budget_usd=3e-3), make_plan(dial, queries, budget_usd=1.0)):
        plan.save(tmp_path / "new" / "p.jsonl")
        assert Plan.load(tmp_path / "new" / "p.jsonl") == plan
    first, *rest = plan.entries
    other = replace(plan, entries=(replace(first, arm=replace(first.arm, strategy="vote", n=2)), *rest))
    assert other.digest != plan.digest


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda lines: [], "not JSON"),
        (lambda lines: lines[1:], "is not a plan"),
        (lambda lines: [lines[0].replace(b'"version":1', b'"version":9'), *lines[1:]], "of version 9; expected 1"),
        (lambda lines: [b'{"kind":"onedial plan","version":1}', *lines[1:]], "line 1: not the head of a plan"),
        (lambda lines: lines[:1], "plans no query"),
        (lambda lines: [*lines[:2], lines[2][:30], *lines[3:]], "line 3: not JSON"),
        (lambda lines: [*lines[:3], b'{"query":{"id":"a"},"arm":"x"}'], "line 4: not a query of a plan"),
        (lambda lines: [*lines[:2], re.sub(rb'"arm":"[^"]*"', b'"arm":""', lines[2])], "line 3"),
        (lambda lines: [*lines[:2], b"[]"], "line 3: expected an object"),
    ],
)
def test_a_spoiled_plan_is_refused_by_file_and_line(dial, queries, tmp_path, spoil, said):
    path = tmp_path / "p.jsonl"
    make_plan(dial, queries[:5], budget_usd=1e-2).save(path)
    path.write_bytes(b"\n".join(spoil(path.read_bytes().splitlines())))
    with pytest.raises(TableError, match=said) as found:
        Plan.load(path)
    assert str(path) in str(found.value)


@pytest.mark.parametrize(
    ("goal", "error", "said"),
    [
        ({}, ConfigError, "needs one goal, found 0"),
        ({"budget_usd": 1.0, "quality": 0.9}, ConfigError, "needs one goal, found 2"),
        ({"budget_usd": -1.0}, ConfigError, "expected a positive amount"),
        ({"quality": 92}, ConfigError, "0.92 means 92 % right"),
        ({"within": 2}, ConfigError, "1 point below"),
        ({"budget_usd": 1e-9}, TargetUnreachable, "less than the cheapest arm of every query costs, .* for 60 queries"),
        ({"quality": 1.0}, TargetUnreachable, "more than these arms are forecast to reach"),
    ],
)
def test_a_goal_that_cannot_be_planned_for_is_refused(dial, queries, goal, error, said):
    with pytest.raises(error, match=said):
        make_plan(dial, queries, **goal)


def test_no_query_and_one_twice_are_refused(dial, queries):
    for asked in ([], [queries[0], queries[0]]):
        with pytest.raises(TableError, match="each with an id of its own"):
            make_plan(dial, asked, budget_usd=1.0)
