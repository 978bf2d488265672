"""The dial on a world played by a scripted client, over a fit shared with the tests of the loops."""

from dataclasses import replace

import numpy as np
import pytest

from onedial.core.arm import Source
from onedial.core.ask import Failure
from onedial.core.errors import BudgetExhausted, ConfigError, ModelError, TableError, TargetUnreachable
from onedial.core.objective import Objective
from onedial.core.usage import Usage
from onedial.engine.dial import Dial
from onedial.engine.promise import policy_of
from onedial.engine.settings import Settings
from onedial.forecasts.onboard import Placed, Placement
from onedial.policies.grid import most_accurate
from onedial.runtime.ledger import Budget, Grant
from onedial.runtime.pool import Pool
from onedial.runtime.scripted import ScriptedClient
from worlds import MODELS, RIGHT, SOURCES

CAP = 6e-4


class Closing(ScriptedClient):
    """Notes that it was closed."""

    closed = 0

    async def aclose(self):
        self.closed += 1


@pytest.fixture
def queries(world):
    return world.queries(12, "live")


@pytest.fixture
def opened(tmp_path, fitting, reading, script):
    """A function that opens a dial with the fit in force, and its client."""

    def make(script=script, fit=True):
        client = Closing([replace(model, max_output_tokens=40) for model in MODELS.values()], script)
        settings = Settings(reading, lambda query, answer: float(answer == RIGHT))
        dial = Dial(Pool([client]), tmp_path / "data", settings)
        if fit:
            dial.use(fitting.fit)
        return dial, client

    return make


async def test_an_answer_holds_what_was_paid_for_and_why_it_stopped(opened, queries):
    dial, client = opened()
    async with dial:
        solved = await dial.solve(queries[0], budget_usd=1e-4)
    assert solved.query == queries[0] and solved.answer.answer in {c.answer for c in solved.answer.candidates}
    assert len(solved.answer.candidates) == sum(ask.n for ask in client.asked)
    assert solved.answer.spend.usage.calls == len(client.asked) and solved.answer.stopped
    assert dial.grant.spent.usd == pytest.approx(solved.answer.spend.cost_usd)


async def test_leaving_an_asynchronous_context_closes_the_models(opened):
    dial, client = opened()
    async with dial as same:
        assert same is dial and client.closed == 0
    assert client.closed == 1


def test_without_an_event_loop_it_answers_alike_and_closes(opened, queries):
    dial, client = opened()
    with dial:
        first, second = (dial.solve_blocking(query, budget_usd=1e-4) for query in queries[:2])
    assert (first.query, second.query, client.closed) == (queries[0], queries[1], 1)


async def test_a_larger_budget_buys_more(opened, queries):
    spent = []
    for budget in (3e-6, 3e-4):
        dial, _ = opened()
        async with dial:
            spent.append(sum([(await dial.solve(query, budget_usd=budget)).answer.spend.cost_usd for query in queries]))
    assert spent[1] > 5 * spent[0]


async def test_without_a_goal_it_stays_within_two_points_of_the_reference_arm(opened, queries):
    dial, _ = opened()
    async with dial:
        by_default, said = await dial.solve(queries[0]), await dial.solve(queries[0], within=0.02)
    assert by_default.decisions[0] == said.decisions[0]


async def test_where_nothing_is_certified_the_reference_arm_answers(opened, fitting, queries):
    dial, client = opened()
    goal = float(fitting.fit.train.quality.mean(axis=1).max())
    async with dial:
        solved = await dial.solve(queries[0], quality=goal)
    arm = fitting.train_grid.complete().arms[most_accurate(fitting.train_grid.complete())]
    assert [(ask.source, ask.n) for ask in client.asked] == [(arm.source, arm.n)]
    assert "nothing is certified" in solved.answer.stopped


async def test_a_model_that_joined_serves_budgets_and_promises_are_kept_without_it(opened, queries, fitting, monkeypatch):
    """It is said to be right nearly always, and to cost nothing more than others: a budget must be spent on it."""
    dial, client = opened()
    joined, last = Source(SOURCES[0].model, "new"), len(SOURCES) - 1
    sure = Placement(np.eye(len(SOURCES))[last], np.array([4.0, 1.0]), last, 0.01, 1.0, 8.0, 0.0, 0.9)
    monkeypatch.setattr("onedial.engine.dial.load_placed", lambda path, fit: (Placed(joined, sure, 20, 1),))
    dial.use(fitting.fit)
    certain = await dial.solve(queries[0], within=0.02)
    assert joined not in {ask.source for ask in client.asked}
    first = policy_of(fitting.fit, dial._wider, fitting.train.mixture(0.7), Objective(budget_usd=1e-4), placed=(1,)).choose(queries[0])
    assert first.arm.source == joined
    plain, _ = opened()
    assert (await plain.solve(queries[0], within=0.02)).decisions == certain.decisions


async def test_the_cap_holds_for_each_query(opened, queries):
    spent = {}
    for cap in (None, CAP):
        dial, _ = opened()
        async with dial:
            spent[cap] = [(await dial.solve(query, budget_usd=3e-4, cap_usd=cap)).answer.spend.cost_usd for query in queries]
    assert max(spent[None]) > CAP >= max(spent[CAP]) and min(spent[CAP]) > 0


async def test_the_calls_of_a_query_are_capped(opened, queries):
    dial, client = opened()
    async with dial:
        for query in queries:
            assert (await dial.solve(query, budget_usd=3e-4, max_calls=1)).answer.spend.usage.calls == 1
    assert len(client.asked) == len(queries)


async def test_a_cap_below_any_answer_is_told_apart_from_a_failing_model(opened, queries):
    dial, client = opened()
    async with dial:
        with pytest.raises(BudgetExhausted, match=rf"{queries[0].id}.* has no answer: no block fits .* the cap of \$1e-12"):
            await dial.solve(queries[0], budget_usd=1e-4, cap_usd=1e-12)
    assert client.asked == [] and dial.grant.spent.usd == 0


async def test_a_tight_cap_is_answered_by_what_fits_at_its_worst(opened, queries):
    dial, client = opened()
    async with dial:
        solved = await dial.solve(queries[0], budget_usd=3e-4, cap_usd=6e-5)
    assert solved.answer.candidates and 0 < solved.answer.spend.cost_usd <= 6e-5
    assert {ask.source.model for ask in client.asked} == {"small"}


async def test_the_dial_may_have_a_budget_of_its_own(opened, queries):
    dial, _ = opened()
    dial.grant = Grant(Budget(usd=5e-3))
    async with dial:
        with pytest.raises(BudgetExhausted, match="has no answer"):
            for query in queries * 20:
                await dial.solve(query, budget_usd=3e-4)
    assert 0 < dial.grant.spent.usd <= 5e-3


async def test_an_endpoint_that_only_fails_is_an_error_and_what_it_used_is_counted(opened, queries):
    dial, _ = opened(lambda ask, model: Failure("the endpoint is down", Usage(3, 30), 3e-6))
    async with dial:
        with pytest.raises(ModelError, match=r"has no answer: .*the endpoint is down"):
            await dial.solve(queries[0], budget_usd=1e-4)
    assert dial.grant.usage.calls == 3 and dial.grant.spent.usd == pytest.approx(3e-6)


async def test_decided_before_the_first_token_there_is_one_block(opened, queries):
    dial, client = opened()
    async with dial:
        for query in queries:
            await dial.solve(query, budget_usd=3e-4, commit="before")
    assert len(client.asked) == len(queries)


async def test_what_cannot_be_is_said_before_anything_is_asked(opened, queries):
    dial, client = opened()
    async with dial:
        with pytest.raises(TargetUnreachable, match="beyond this pool"):
            await dial.solve(queries[0], quality=1.0)
        with pytest.raises(ConfigError, match="one of quality, within or budget"):
            await dial.solve(queries[0], quality=0.5, within=0.1)
    unfitted, _ = opened(fit=False)
    async with unfitted:
        with pytest.raises(ConfigError, match="nothing has been fitted yet"):
            await unfitted.solve(queries[0])
        with pytest.raises(TableError, match="there are no outcomes yet"):
            unfitted.recorded()
    assert client.asked == []
