import asyncio
import os
import subprocess
import sys
import threading

import pytest

from onedial.core.arm import Source
from onedial.core.ask import Completion, Failure, Sample
from onedial.core.errors import ConfigError, ModelError, QueryError, TableError
from onedial.core.model import Effort, Model
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.core.steps import bring
from onedial.core.usage import Price, Usage
from onedial.engine.collect import collect
from onedial.runtime.ledger import Budget, Grant
from onedial.runtime.pool import Pool
from onedial.runtime.scripted import ScriptedClient, samples_of
from onedial.runtime.store import Held, Store
from onedial.strategies.draw import Reading
from onedial.verifiers.judges.contract import Verdicts

SMALL = Model("small", Price(1.0, 2.0, 0.1), (Effort("low"), Effort("high")), max_output_tokens=50, capabilities=frozenset({"n"}))
PLAIN = Model("plain", Price(3.0, 6.0), max_output_tokens=50)
SOURCES = [Source("small", "low"), Source("small", "high"), Source("plain")]
QUERIES = [Query(f"q{i}", f"what is {i} ?", reference=str(i)) for i in range(4)]


def script(ask, model):
    """Right on even samples; tokens tell which sample it was."""
    right = ask.query_id[1:]
    indices = range(ask.first_index, ask.first_index + ask.n)
    return samples_of(ask, model, [Completion(right if i % 2 == 0 else "no", output_tokens=10 + i) for i in indices], 0.5)


def grade(query, answer):
    return None if query.reference is None else float(answer == query.reference)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "o.db") as opened:
        yield opened


async def gather(store, script=script, queries=QUERIES, sources=SOURCES, samples=3, grant=None, **options):
    client = ScriptedClient([SMALL, PLAIN], script)
    reading = options.pop("reading", Reading())
    report = await collect(queries, sources, samples, Pool([client]), store, grade, reading, grant or Grant(), **options)
    return report, client.asked


async def test_every_query_and_source_gets_the_samples_wanted(store):
    report, asked = await gather(store)
    assert store.queries() == QUERIES
    assert store.counts() == {(q.id, s): Held(3, 3) for q in QUERIES for s in SOURCES}
    assert (report.wanted, report.present, report.stored, report.missing, report.failed) == (36, 0, 36, 0, 0)
    assert len(asked) == 12 and all(ask.n == 3 for ask in asked)


async def test_an_outcome_holds_what_was_observed_and_costs_as_if_asked_for_alone(store):
    await gather(store, queries=QUERIES[:1], sources=[SOURCES[0], SOURCES[2]], reading=Reading(verify=lambda q, a: 0.25))
    expected = [
        Outcome("q0", model.name, effort, i, float(i % 2 == 0), "0" if i % 2 == 0 else "no", 4, 10 + i,
                model.price.cost_usd(Usage(1, 4, 0, 10 + i)), 0.5, 0, None, 0.25, None, "reference")
        for model, effort in ((PLAIN, None), (SMALL, "low")) for i in range(3)
    ]  # fmt: skip
    assert store.outcomes() == expected


async def test_a_query_that_cannot_be_graded_has_no_score_rather_than_zero(store):
    await gather(store, queries=[Query("q9", "why ?")], sources=SOURCES[:1], samples=1)
    [outcome] = store.outcomes()
    assert outcome.score is None and outcome.label_kind is None


async def test_only_what_is_missing_is_asked_for_and_after_the_last_index(store):
    store.add_queries(QUERIES)
    store.add_outcomes([Outcome("q0", "small", "low", i, 1.0, "0") for i in (0, 5)])
    _, asked = await gather(store, sources=SOURCES[:1])
    assert [(a.query_id, a.n, a.first_index) for a in asked] == [("q0", 1, 6), ("q1", 3, 0), ("q2", 3, 0), ("q3", 3, 0)]
    report, asked = await gather(store, sources=SOURCES[:1])
    assert asked == [] and (report.present, report.stored, report.missing) == (12, 0, 0)
    report, asked = await gather(store, sources=SOURCES[:1], samples=5)
    assert {a.n for a in asked} == {2} and report.stored == 8


async def test_a_query_given_twice_is_asked_once(store):
    report, asked = await gather(store, queries=[QUERIES[0], QUERIES[0]], sources=[SOURCES[0]] * 2)
    assert len(asked) == 1 and report.wanted == 3


async def test_failures_are_counted_and_told_and_never_stored(store):
    def failing(ask, model):
        return Failure("timed out", Usage(1, 4, 0, 50, bounded=True), 1e-4) if ask.query_id == "q1" else script(ask, model)

    grant = Grant()
    report, _ = await gather(store, failing, sources=SOURCES[:1], grant=grant)
    assert (report.stored, report.failed, report.missing) == (9, 3, 3)
    assert report.troubles == {"small/think=low: timed out": 3}
    assert all(o.query_id != "q1" for o in store.outcomes())
    assert report.spent_usd == grant.spent.usd > 1e-4
    report, asked = await gather(store, sources=SOURCES[:1])
    assert report.missing == 0 and [a.query_id for a in asked] == ["q1"]


async def test_a_query_that_does_not_fit_one_model_does_not_stop_the_others(store):
    def narrow(ask, model):
        if ask.query_id == "q2" and model is PLAIN:
            raise QueryError("too long")
        return script(ask, model)

    report, _ = await gather(store, narrow)
    assert (report.stored, report.failed) == (33, 3) and report.troubles == {"plain: too long": 3}


async def test_fewer_samples_than_asked_for_and_broken_ones_are_missing_and_come_later(store):
    def short(ask, model):
        return samples_of(ask, model, [Completion("0", output_tokens=1), Completion("", finish="error", output_tokens=1)])

    report, _ = await gather(store, short, queries=QUERIES[:1], sources=SOURCES[:1])
    assert (report.stored, report.failed) == (1, 2) and store.counts() == {("q0", SOURCES[0]): Held(1, 1)}
    report, asked = await gather(store, queries=QUERIES[:1], sources=SOURCES[:1])
    assert report.missing == 0 and [(a.first_index, a.n) for a in asked] == [(1, 2)]


@pytest.mark.parametrize("concurrency", [1, 7])
async def test_a_budget_is_never_exceeded_and_what_it_refused_is_told(store, concurrency):
    grant = Grant(Budget(tokens=600))
    report, _ = await gather(store, grant=grant, concurrency=concurrency)
    assert report.stored > 0 and report.refused == report.missing > 0 and report.failed == 0
    assert grant.spent.tokens <= 600 and grant.reserved.tokens == 0
    assert len(store.outcomes()) == report.stored
    report, _ = await gather(store)
    assert report.missing == 0


async def test_what_was_refused_for_asks_under_way_is_tried_again_once_they_are_settled(store):
    grant = Grant(Budget(tokens=12 * 33 + 400))
    report, _ = await gather(store, grant=grant, sources=SOURCES[:1], concurrency=4)
    assert report.missing == 0


async def test_a_budget_too_small_for_all_samples_at_once_is_spent_on_single_ones(store):
    report, asked = await gather(store, grant=Grant(Budget(tokens=305 - 1)), queries=QUERIES[:1], sources=SOURCES[:1])
    assert report.missing == 0 and [a.n for a in asked] == [1, 1, 1]


async def test_asks_under_way_stay_within_the_concurrency(store):
    under_way, most = 0, 0

    class Slow(ScriptedClient):
        async def sample(self, ask):
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.001)
            under_way -= 1
            return script(ask, self.models[ask.source.model])

    await collect(QUERIES, SOURCES, 2, Pool([Slow([SMALL, PLAIN], script)]), store, grade, Reading(), Grant(), concurrency=3)
    assert most == 3


async def test_where_the_tokens_of_each_sample_are_unknown_the_rest_is_asked_for_singly(store):
    def totals(ask, model):
        done = script(ask, model)
        blank = [Completion(c.text) for c in done.completions] if ask.n > 1 else done.completions
        return type(done)(tuple(blank), done.usage, done.cost_usd)

    _, asked = await gather(store, totals, queries=QUERIES[:2], sources=SOURCES[:1], concurrency=1)
    assert [a.n for a in asked] == [3, 1, 1, 1]
    first = store.outcomes()[:3]
    assert [o.output_tokens for o in first] == [None] * 3
    assert {o.cost_usd for o in first} == {SMALL.price.cost_usd(Usage(1, 4, 0, 11))}


async def test_what_is_only_a_bound_is_not_recorded_as_a_measurement(store):
    def bounded(ask, model):
        done = script(ask, model)
        return type(done)(done.completions, Usage(1, 99, 0, 150, bounded=True), 1.0)

    await gather(store, bounded, queries=QUERIES[:1], sources=SOURCES[:1], samples=1)
    [outcome] = store.outcomes()
    assert (outcome.input_tokens, outcome.cost_usd, outcome.output_tokens) == (None, None, 10)


async def test_a_wrong_key_ends_collecting_and_what_came_before_is_kept(store):
    def refusing(ask, model):
        if ask.query_id == "q3":
            raise ModelError("wrong key")
        return script(ask, model)

    with pytest.raises(ModelError, match="wrong key"):
        await gather(store, refusing, sources=SOURCES[:1], concurrency=2)
    assert store.counts() == {(q.id, SOURCES[0]): Held(3, 3) for q in QUERIES[:3]}


async def test_an_interrupt_keeps_what_has_arrived(store):
    reports = []

    async def interrupted():
        client = ScriptedClient([SMALL, PLAIN], script, delay_s=0.002)
        await collect(QUERIES, SOURCES, 2, Pool([client]), store, grade, Reading(), Grant(), 2, reports.append)

    task = asyncio.create_task(interrupted())
    while not reports:  # noqa: ASYNC110 - progress is a plain function
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert reports[-1].stored <= len(store.outcomes()) < 24
    report, _ = await gather(store, samples=2)
    assert report.missing == 0


async def test_progress_tells_only_of_what_is_on_disk(store):
    def check(report):
        assert len(store.outcomes()) >= report.present + report.stored

    await gather(store, progress=check)


@pytest.mark.parametrize(("options", "told"), [
    ({"samples": 0}, "samples is 0"),
    ({"concurrency": 0}, "concurrency is 0"),
    ({"sources": [Source("smal", "low")]}, "Did you mean 'small'"),
    ({"sources": [Source("small", "lo")]}, "Did you mean 'low'"),
])  # fmt: skip
async def test_what_cannot_be_collected_is_an_error_before_anything_is_asked(store, options, told):
    with pytest.raises(ConfigError, match=told):
        await gather(store, **options)
    assert store.queries() == []


async def test_other_prompts_under_stored_ids_are_refused(store):
    store.add_queries([Query("q0", "something else")])
    with pytest.raises(TableError, match="another prompt"):
        await gather(store)


COLLECT = """
import asyncio, sys
from onedial.core.arm import Source
from onedial.core.ask import Completion
from onedial.core.model import Model
from onedial.core.query import Query
from onedial.core.usage import Price
from onedial.engine.collect import collect
from onedial.runtime.ledger import Grant
from onedial.runtime.pool import Pool
from onedial.runtime.scripted import ScriptedClient, samples_of
from onedial.runtime.store import Store
from onedial.strategies.draw import Reading

def script(ask, model):
    indices = range(ask.first_index, ask.first_index + ask.n)
    return samples_of(ask, model, [Completion(f"{ask.query_id}-{i}", output_tokens=i) for i in indices])

queries = [Query(f"q{i}", f"what is {i} ?") for i in range(150)]
with Store.open(sys.argv[1]) as store:
    show = lambda report: print(report.present + report.stored, report.missing, flush=True)
    pool = Pool([ScriptedClient([Model("m", Price(1, 1))], script, delay_s=0.002)])
    asyncio.run(collect(queries, [Source("m")], 2, pool, store, lambda q, a: 1.0, Reading(), Grant(), 4, show))
"""


def test_killed_again_and_again_and_resumed_it_loses_and_doubles_nothing(tmp_path):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    path, acknowledged, kills = tmp_path / "o.db", 0, 0
    for lines in (3, 10, 25, 40, None):
        process = subprocess.Popen([sys.executable, "-c", COLLECT, path], stdout=subprocess.PIPE, text=True, env=env)
        with process:
            for shown, line in enumerate(process.stdout, 1):
                acknowledged, missing = map(int, line.split())
                if shown == lines:
                    process.kill()
                    kills += 1
        with Store.open(path) as store:
            stored = [(o.query_id, o.sample_index, o.answer) for o in store.outcomes()]
        assert len(stored) >= acknowledged
    assert kills == 4 and missing == 0 and process.returncode == 0
    assert sorted(stored) == sorted((f"q{i}", k, f"q{i}-{k}") for i in range(150) for k in range(2))


def liking(answer):
    """A judge that asks `plain` once per candidate and likes one answer."""

    def judge(query, candidates):
        scores = []
        for i, one in enumerate(candidates):
            brought = yield from bring(Sample(query.id, Source("plain"), query.messages, first_index=i, judging=True))
            scores.append(float(one.answer == answer) if brought.completions else None)
            if brought.trouble:
                break
        return Verdicts(tuple(scores), trouble=brought.trouble)

    return judge


async def test_a_judge_is_asked_about_what_came_and_its_scores_are_stored(store):
    grant = Grant()
    report, asked = await gather(store, queries=QUERIES[:1], sources=SOURCES[:1], reading=Reading(judge=liking("0")), grant=grant)
    assert [o.verifier_score for o in store.outcomes()] == [1.0, 0.0, 1.0] and (report.stored, report.unjudged) == (3, {})
    assert [ask.judging for ask in asked] == [False, True, True, True] and grant.usage.calls == 4


async def test_a_judge_that_the_budget_does_not_allow_leaves_samples_without_its_score_and_is_told(store):
    report, _ = await gather(
        store, queries=QUERIES[:1], sources=SOURCES[:1], reading=Reading(judge=liking("0")), grant=Grant(Budget(calls=1))
    )
    assert [(o.verifier_score, o.score) for o in store.outcomes()] == [(None, 1.0), (None, 0.0), (None, 1.0)]
    assert report.stored == 3 and report.failed == 0 and "exceeds what is left" in next(iter(report.unjudged))


async def test_samples_are_kept_and_graded_if_it_is_cancelled_while_they_are_judged(store):
    asked = asyncio.Event()

    class Stuck(ScriptedClient):
        async def sample(self, ask):
            if ask.judging:
                asked.set()
                await asyncio.Event().wait()
            return await super().sample(ask)

    pool, reading = Pool([Stuck([SMALL, PLAIN], script)]), Reading(judge=liking("0"))
    collecting = asyncio.create_task(collect(QUERIES[:1], SOURCES[:1], 3, pool, store, grade, reading, Grant()))
    await asked.wait()
    collecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await collecting
    assert [(o.verifier_score, o.score) for o in store.outcomes()] == [(None, 1.0), (None, 0.0), (None, 1.0)]


async def test_a_grader_that_takes_its_time_holds_nothing_up(store):
    loop_ran = threading.Event()

    def slow(query, answer):
        assert loop_ran.wait(20)
        return 1.0

    collecting = asyncio.create_task(
        collect(QUERIES[:1], SOURCES[:1], 1, Pool([ScriptedClient([SMALL, PLAIN], script)]), store, slow, Reading(), Grant())
    )
    await asyncio.sleep(0)
    loop_ran.set()
    assert (await collecting).stored == 1
