from dataclasses import replace

import numpy as np
import pytest

from onedial.core.errors import TableError
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.core.usage import Price
from onedial.evals.bench.prices import find_price
from onedial.evals.bench.table import bench_table, pooled_table

QUERIES = [Query(f"q{i}", f"what is {i} ?") for i in range(40)]


def outcome(query, model, index=0, cost=1e-3, tokens=100, effort=None, score=1.0):
    return Outcome(
        query.id, model, effort, index, score, "a", input_tokens=None if tokens is None else 10, output_tokens=tokens, cost_usd=cost
    )


def rows(**models):
    """One sample per query of every model, as a keyword says."""
    return [outcome(query, name, **given) for query in QUERIES for name, given in models.items()]


def test_sources_that_lack_too_many_queries_go_first_and_then_queries_that_lack_a_source():
    kept = [o for o in rows(a={}, b={}, c={}) if not (o.model == "c" and o.query_id < "q3") and (o.model, o.query_id) != ("b", "q5")]
    table = bench_table("t", QUERIES, kept)
    assert [str(s) for s in table.sources] == ["a", "b"] and len(table.queries) == 39 and table.n_total == 40
    assert any("were left out: c." in note for note in table.notes) and any("1 of 40 queries" in note for note in table.notes)


def test_a_sample_without_a_score_or_a_cost_is_no_sample():
    table = bench_table("t", QUERIES, [*rows(a={}, b={}), *rows(c={"cost": None}, d={"score": None})])
    assert {o.model for o in table.outcomes} == {"a", "b"}


def test_one_source_is_not_enough_to_compare():
    with pytest.raises(TableError, match="1 of 2 sources"):
        bench_table("t", QUERIES, [*rows(a={}), outcome(QUERIES[0], "b")])


@pytest.mark.parametrize(("tokens", "basis", "cost"), [(100, "tokens", 1e-4), (None, "calls", 1.0)])
def test_without_costs_tokens_are_counted_and_without_tokens_samples(tokens, basis, cost):
    table = bench_table("t", QUERIES, rows(a={"cost": None, "tokens": tokens}, b={"cost": None, "tokens": tokens}))
    assert table.basis == basis and [o.cost_usd for o in table.outcomes] == pytest.approx([cost] * 2 * len(QUERIES))
    recorded = table.recorded(table.queries[:5])
    assert recorded.panel.cost_usd.shape[0] == 5 and "recorded" in table.notes[0]


def test_arms_are_kept_by_part_of_their_name_or_by_a_pattern():
    every = [*rows(**{"x/small": {}, "x/large": {}, "y/small": {}}), *(replace(o, effort="high") for o in rows(**{"x/large": {}}))]
    assert {str(s) for s in bench_table("t", QUERIES, every, arms=["small", "*/think=hi*"]).sources} == {
        "x/small",
        "y/small",
        "x/large/think=high",
    }


def test_a_cap_takes_the_same_queries_whatever_their_order():
    first = bench_table("t", QUERIES, rows(a={}, b={}), most=10, seed=3)
    second = bench_table("t", QUERIES[::-1], rows(a={}, b={}), most=10, seed=3)
    other = bench_table("t", QUERIES, rows(a={}, b={}), most=10, seed=4)
    assert {q.id for q in first.queries} == {q.id for q in second.queries} != {q.id for q in other.queries}
    assert len(first.queries) == 10 and first.n_total == 40 and "10 of 40" in first.notes[-1]


def test_tables_are_pooled_on_the_sources_that_they_share():
    parts = [("one", QUERIES, rows(a={}, b={}, c={})), ("two", QUERIES[:9], [o for o in rows(a={}, b={}, d={}) if o.query_id < "q2"])]
    queries, outcomes = pooled_table("one+two", parts)
    assert {o.model for o in outcomes} == {"a", "b"} and {q.dataset for q in queries} == {"one", "two"}
    assert len({q.id for q in queries}) == 49
    with pytest.raises(TableError, match="no model and effort in common"):
        pooled_table("x", [("one", QUERIES, rows(a={})), ("two", QUERIES, rows(b={}))])


def priced(price, n=60, cached=()):
    rng = np.random.default_rng(0)
    for i in range(n):
        tokens, prompt = int(rng.integers(10, 900)), int(rng.integers(5, 300))
        usd = (price.input_usd_per_mtok * (0 if i in cached else prompt) + price.output_usd_per_mtok * tokens) / 1e6
        yield Outcome(f"q{i}", "m", None, 0, 1.0, None, input_tokens=prompt, output_tokens=tokens, cost_usd=usd)


def test_a_price_is_found_from_costs_and_tokens_also_where_a_few_prompts_were_cached():
    found = find_price(priced(Price(1.25, 10.0), cached=(7, 30)))
    assert found.exact and found.explained == pytest.approx(58 / 60)
    assert (found.price.input_usd_per_mtok, found.price.output_usd_per_mtok) == pytest.approx((1.25, 10.0))


def test_costs_that_no_price_explains_are_not_billed_by_one():
    noisy = [replace(o, cost_usd=o.cost_usd * (1 + 0.2 * (i % 3))) for i, o in enumerate(priced(Price(1.25, 10.0)))]
    found = find_price(noisy)
    assert not found.exact and found.price.input_usd_per_mtok == 0
    assert found.price.output_usd_per_mtok == pytest.approx(1e6 * sum(o.cost_usd for o in noisy) / sum(o.output_tokens for o in noisy))
    assert not find_price([replace(o, output_tokens=None) for o in noisy]).exact
