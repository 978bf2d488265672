"""A strategy run over a model is collected, fitted and chosen like any model."""

import numpy as np
import pytest

from onedial.core.arm import Source
from onedial.core.ask import Completion
from onedial.core.model import Model
from onedial.core.query import Query
from onedial.core.usage import Price
from onedial.engine.dial import Dial
from onedial.engine.recorded import Recorded
from onedial.engine.settings import Settings
from onedial.runtime.composed import Composed
from onedial.runtime.pool import Pool
from onedial.runtime.scripted import ScriptedClient, samples_of
from onedial.runtime.store import Store
from onedial.strategies.draw import Reading

SMALL = Model("small", Price(1.0, 4.0), context_tokens=4000, max_output_tokens=50, capabilities=frozenset({"n"}))
READING = Reading()
REVISED = Source("small+revise3")


def script(ask, model):
    """Half of the queries are right at once; the others only by an attempt that has seen another, which is then right for good."""
    hard = int(ask.query_id.partition("+")[0][1:]) % 2 == 1
    revising = any(message.role == "assistant" for message in ask.messages)
    told = "right" if revising or not hard else f"wrong{ask.query_id}"
    return samples_of(ask, model, [Completion(told, output_tokens=10)] * ask.n)


def grade(query, answer):
    return float(answer == "right")


@pytest.fixture(scope="module")
def dial(tmp_path_factory):
    client = ScriptedClient([SMALL], script)
    pool = Pool([client, Composed(Pool([client]), ["revise=3"], READING)])
    opened = Dial(pool, tmp_path_factory.mktemp("methods"), Settings(READING, grade))
    queries = [Query(f"q{i}", "an odd one , think again" if i % 2 else "an even one") for i in range(120)]
    with opened:
        opened.block(opened.collect(queries, samples=2))
        yield opened


def test_a_run_is_stored_with_all_of_its_prompts_and_its_own_cost(dial):
    with Store.open(dial.store_path) as store:
        outcomes = store.outcomes()
    runs = [o for o in outcomes if o.source == REVISED]
    singles = [o for o in outcomes if o.source == Source("small")]
    assert len(runs) == len(singles) == 240
    assert all(o.output_tokens == 30 and o.input_tokens > 3 * singles[0].input_tokens for o in runs)
    for o in runs:
        assert o.cost_usd == pytest.approx((o.input_tokens * 1.0 + o.output_tokens * 4.0) * 1e-6)
    assert np.mean([o.score for o in runs]) == 1.0 and np.mean([o.score for o in singles]) == 0.5


def test_replayed_runs_cost_what_was_recorded_each(dial):
    with Store.open(dial.store_path) as store:
        recorded = Recorded.of(list(store.queries()), store.outcomes(), dial.pool.models)
    assert set(recorded.prices) == {"small"}


def test_width_depth_and_model_are_one_decision(dial):
    fit = dial.fit().fit
    assert {REVISED, Source("small")} == set(fit.forecast.sources)
    top = int(fit.train.quality.mean(axis=1).argmax())
    assert fit.train.quality[top].mean() > 0.95  # plain samples reach one half, however many
    assert fit.train.cost_usd[top].mean() < 0.8 * fit.train.reference_cost_usd.mean()  # and not every query is revised

    async def asked():
        return [await dial.solve(q, budget_usd=1.0) for q in (Query("q1", "an odd one , think again"), Query("q2", "an even one"))]

    odd, even = dial.block(asked())
    assert odd.answer.answer == even.answer.answer == "right"
    assert any(c.source == REVISED for c in odd.answer.candidates)
    assert odd.answer.spend.usage.calls >= 2
