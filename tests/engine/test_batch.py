"""Running a plan on a world played by a scripted client: hard budget, resumption, and nothing lost or paid twice."""

import asyncio
import json
from collections import Counter
from dataclasses import replace

import pytest

from onedial.core.arm import Arm
from onedial.core.ask import Failure
from onedial.core.errors import ConfigError, ModelError, QueryError, TableError
from onedial.core.usage import Usage
from onedial.engine.batch import run_plan
from onedial.engine.dial import Dial
from onedial.engine.plan import make_plan
from onedial.engine.settings import Settings
from onedial.runtime.pool import Pool
from onedial.runtime.scripted import ScriptedClient
from worlds import MODELS, RIGHT, SOURCES

SHORT = [replace(model, max_output_tokens=40) for model in MODELS.values()]


@pytest.fixture
def queries(world):
    return world.queries(40, "batch")


@pytest.fixture
def opened(tmp_path, fitting, reading, script):
    """A function that opens a dial with the fit in force, and its client."""

    def make(script=script, delay_s=0.0):
        client = ScriptedClient(SHORT, script, delay_s)
        dial = Dial(Pool([client]), tmp_path / "data", Settings(reading, lambda query, answer: float(answer == RIGHT)))
        dial.use(fitting.fit)
        return dial, client

    return make


@pytest.fixture
def plan(opened, queries):
    return make_plan(opened()[0], queries, budget_usd=2e-3)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "answers.jsonl"


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_every_query_is_asked_for_what_was_planned_and_its_answer_is_on_disk(opened, plan, out):
    dial, client = opened()
    report = await run_plan(plan, dial, out, budget_usd=1.0)
    assert Counter((ask.query_id, ask.source, ask.n) for ask in client.asked) == Counter(
        (entry.query.id, entry.arm.source, entry.arm.n) for entry in plan.entries
    )
    found = lines(out)
    assert {line["id"]: line["arm"] for line in found} == {entry.query.id: str(entry.arm) for entry in plan.entries}
    assert (report.answered, report.missing, report.failed, report.refused) == (40, 0, {}, ())
    assert report.spent_usd == pytest.approx(dial.grant.spent.usd) == pytest.approx(sum(line["cost_usd"] for line in found))
    assert report.scores == (pytest.approx(sum(line["answer"] == RIGHT for line in found) / 40), 40)
    assert report.scores[0] == pytest.approx(plan.quality, abs=0.2) and report.spent_usd == pytest.approx(report.planned_usd, rel=0.3)


async def test_run_again_it_asks_for_nothing_more(opened, plan, out):
    first = await run_plan(plan, opened()[0], out, budget_usd=1.0)
    dial, client = opened()
    report = await run_plan(plan, dial, out, budget_usd=1.0)
    assert client.asked == [] and (report.present, report.answered, report.spent_usd) == (40, 0, pytest.approx(first.spent_usd))


@pytest.mark.parametrize("adaptive", [False, True])
async def test_interrupted_it_goes_on_where_it_was_and_what_was_under_way_is_counted(opened, plan, out, adaptive):
    dial, client = opened(delay_s=0.002)
    seen = []
    task = asyncio.create_task(run_plan(plan, dial, out, budget_usd=1.0, concurrency=4, adaptive=adaptive, progress=seen.append))
    while len(seen) < 9:  # noqa: ASYNC110 - progress is a plain function
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    before = lines(out)
    done = {line["id"] for line in before if "failed" not in line}
    broken = [line for line in before if "failed" in line]
    assert 9 <= len(done) < 40 and len(broken) <= 4 and all("interrupted" in line["failed"] for line in broken)
    assert sum(line["cost_usd"] for line in before) == pytest.approx(dial.grant.spent.usd)
    dial, client = opened()
    report = await run_plan(plan, dial, out, budget_usd=1.0, adaptive=adaptive)
    assert done.isdisjoint(ask.query_id for ask in client.asked)
    assert (report.present, report.answered, report.missing) == (len(done), 40 - len(done), 0)
    assert Counter(line["id"] for line in lines(out) if "failed" not in line) == Counter(entry.query.id for entry in plan.entries)
    assert report.spent_usd == pytest.approx(sum(line["cost_usd"] for line in before) + dial.grant.spent.usd)


async def test_progress_tells_only_of_what_is_on_disk(opened, plan, out):
    def check(report):
        assert len(lines(out)) >= report.present + report.answered

    await run_plan(plan, opened()[0], out, budget_usd=1.0, progress=check)


@pytest.mark.parametrize("concurrency", [1, 8])
async def test_a_budget_too_small_is_never_exceeded_and_what_it_refused_is_named(opened, plan, out, concurrency):
    budget = 0.5 * plan.cost_usd
    report = await run_plan(plan, opened()[0], out, budget_usd=budget, concurrency=concurrency)
    answered = {line["id"] for line in lines(out)}
    assert 0 < report.answered == len(answered) < 40 and report.spent_usd <= budget
    assert set(report.refused) == {entry.query.id for entry in plan.entries} - answered and report.missing == len(report.refused)
    cheapest = min(entry.worst_usd for entry in plan.entries if entry.query.id in report.refused)
    assert budget - report.spent_usd < cheapest
    report = await run_plan(plan, opened()[0], out, budget_usd=1.0)
    assert report.missing == 0 and set(report.refused) == set()


async def test_what_was_spent_before_counts_towards_the_budget(opened, plan, out):
    spent = (await run_plan(plan, opened()[0], out, budget_usd=0.5 * plan.cost_usd)).spent_usd
    with pytest.raises(ConfigError, match="of it are spent"):
        await run_plan(plan, opened()[0], out, budget_usd=0.9 * spent)


async def test_a_plan_for_a_quality_may_cost_its_worst_case_and_one_for_a_budget_that(opened, queries, out, tmp_path):
    dial, _ = opened()
    by_quality = make_plan(dial, queries, quality=0.7)
    assert (await run_plan(by_quality, dial, out)).missing == 0
    by_budget = make_plan(dial, queries, budget_usd=2e-3)
    report = await run_plan(by_budget, dial, tmp_path / "other.jsonl")
    assert report.spent_usd <= 2e-3


@pytest.mark.parametrize("adaptive", [False, True])
async def test_failures_are_written_with_what_they_cost_named_and_tried_again(opened, plan, out, script, adaptive):
    ill = plan.entries[3].query.id, plan.entries[7].query.id

    def failing(ask, model):
        if ask.query_id == ill[0]:
            return Failure("timed out", Usage(2, 30, bounded=True), 1e-5)
        if ask.query_id == ill[1]:
            raise QueryError("too long")
        return script(ask, model)

    report = await run_plan(plan, opened(failing)[0], out, budget_usd=1.0, adaptive=adaptive)
    assert report.answered == 38 and "timed out" in report.failed[ill[0]] and report.failed[ill[1]] == "too long"
    written = {line["id"]: line for line in lines(out) if "failed" in line}
    assert report.bounded and [line["id"] for line in lines(out) if line["bounded"]] == [ill[0]]
    assert set(written) == set(ill) and written[ill[0]]["cost_usd"] == pytest.approx(1e-5) and "answer" not in written[ill[0]]
    dial, client = opened()
    report = await run_plan(plan, dial, out, budget_usd=1.0, adaptive=adaptive)
    assert report.bounded, "what was spent before is on the file, and so is that it is a bound"
    assert report.missing == 0 and {ask.query_id for ask in client.asked} == set(ill)


async def test_a_wrong_key_ends_it_and_what_came_before_is_kept(opened, plan, out, script):
    last = plan.entries[-1].query.id

    def refusing(ask, model):
        if ask.query_id == last:
            raise ModelError("wrong key")
        return script(ask, model)

    with pytest.raises(ModelError, match="wrong key"):
        await run_plan(plan, opened(refusing)[0], out, budget_usd=1.0, concurrency=2)
    assert 38 <= len([line for line in lines(out) if "failed" not in line]) < 40


async def test_a_line_that_was_cut_off_is_removed_and_asked_for_again(opened, plan, out):
    await run_plan(plan, opened()[0], out, budget_usd=1.0)
    whole = out.read_bytes()
    out.write_bytes(whole[:-20])
    dial, client = opened()
    report = await run_plan(plan, dial, out, budget_usd=1.0)
    assert (report.present, report.answered, len({ask.query_id for ask in client.asked})) == (39, 1, 1)
    assert len(lines(out)) == 40


async def test_answers_to_another_plan_and_other_files_are_refused_and_left_alone(opened, queries, plan, out):
    await run_plan(plan, opened()[0], out, budget_usd=1.0)
    before, dial = out.read_bytes(), opened()[0]
    with pytest.raises(ConfigError, match="line 1: answers another plan"):
        await run_plan(make_plan(dial, queries, budget_usd=1e-2), dial, out)
    assert out.read_bytes() == before
    for text in ("no JSON\n", "[1]\n", '{"plan": "x"}\n', json.dumps({"plan": plan.digest, "id": 3, "cost_usd": 1}) + "\n"):
        out.write_text(text)
        with pytest.raises((TableError, ConfigError), match=r"answers.jsonl, line 1"):
            await run_plan(plan, dial, out)
        assert out.read_text() == text


async def test_adaptively_every_query_is_answered_within_a_budget_on_which_the_plan_itself_runs_dry(opened, queries, out):
    dial, _ = opened()
    plan = make_plan(dial, queries, budget_usd=1.2e-3)
    report = await run_plan(plan, dial, out, adaptive=True)
    assert report.missing == 0 and report.spent_usd <= 1.2e-3
    assert report.spent_usd > 0.5 * 1.2e-3


async def test_adaptively_a_plan_for_a_quality_means_to_spend_what_was_forecast(opened, queries, out):
    dial, _ = opened()
    plan = make_plan(dial, queries, quality=0.75)
    report = await run_plan(plan, dial, out, adaptive=True)
    assert report.missing == 0 and report.spent_usd < 1.5 * plan.cost_usd < plan.worst_usd


async def test_adaptively_the_fit_must_be_that_of_the_plan(opened, plan, out, fitting):
    dial, client = opened()
    dial.use(replace(fitting.fit, reference=Arm(SOURCES[0])))
    with pytest.raises(ConfigError, match="made with another fit"):
        await run_plan(plan, dial, out, adaptive=True)
    assert client.asked == []


@pytest.mark.parametrize(("options", "said"), [({"concurrency": 0}, "expected at least 1"), ({"budget_usd": 0.0}, "Give more")])
async def test_what_cannot_be_run_is_refused(opened, plan, out, options, said):
    with pytest.raises(ConfigError, match=said):
        await run_plan(plan, opened()[0], out, **options)
