"""On models whose truth is known every claim says what is true of them, and not what its source says."""

import pytest

from evals.claims.conftest import Fake, picks_are_checked
from onedial.evals.claims import adaptive, connectivity, diversity, substitution, width_depth


async def verdict_of(module, bench):
    return await module.measure(bench)


def walker(kind, model, effort, length, number):
    return 0.98 if effort == "3" else 0.5


def glancer(kind, model, effort, length, number):
    return 0.3 if effort == "3" else 0.9


async def test_a_walk_beats_votes_where_glances_are_coin_flips(bench_of):
    found = await verdict_of(connectivity, bench_of(Fake(walker, wrongs=1), 10))
    assert found.verdict == "holds" and found.numbers["walk less votes at equal tokens"].low > 0.2
    assert {row["votes needed"] for row in found.kind("length")} - {1.0, 3.0, 5.0}


async def test_a_walk_that_is_worse_than_votes_is_said_to_be(bench_of):
    found = await verdict_of(connectivity, bench_of(Fake(glancer, wrongs=1), 10))
    assert found.verdict == "does not hold" and found.numbers["walk less votes at equal tokens"].high < 0
    assert {row["votes needed"] for row in found.kind("length")} == {1.0}


async def test_walks_cannot_be_measured_without_a_thinking_dial(bench_of):
    world = Fake(walker)
    bench = bench_of(world)
    for model in bench.pool.client("small").models:
        bench.pool.client("small").models[model] = type(world.client().models[model])(model, world.client().models[model].price)
    assert (await verdict_of(connectivity, bench)).verdict == "not measured"


def test_votes_needed_are_none_where_the_mode_is_wrong_and_few_where_it_is_right():
    assert connectivity.needed(0.9, 0.81, 0.97) == 3 and connectivity.needed(0.3, 0.1, 0.6) == float("inf")


def two_kinds(kind, model, effort, length, number):
    return {"pick": {"0": 0.35, "3": 0.4}, "dig": {"0": 0.05, "3": 0.95}}[kind][effort]


def one_way(kind, model, effort, length, number):
    return 0.95 if effort == "3" else 0.05


async def test_the_index_learns_which_questions_want_width(bench_of):
    found = await verdict_of(width_depth, bench_of(Fake(two_kinds, verify=picks_are_checked, models=("small",)), 12))
    assert found.verdict == "holds" and found.numbers["index less constant choice"].low > 0.1
    index = {row["kind"]: row["index"] for row in found.kind("kind")}
    assert index["pick"] < 0 < index["dig"]


async def test_an_index_that_has_nothing_to_choose_is_not_said_to_help(bench_of):
    found = await verdict_of(width_depth, bench_of(Fake(one_way, models=("small",)), 12))
    assert found.verdict == "not told apart" and found.numbers["index less constant choice"].estimate == 0


def climbs(kind, model, effort, length, number):
    return 0.95 if model == "large" else 0.6


def hopeless(kind, model, effort, length, number):
    return 0.9 if model == "large" else 0.0


async def test_a_smaller_model_that_can_be_checked_replaces_a_better_one_at_less_cost(bench_of):
    world = Fake(climbs, kinds=("pick",), verify=picks_are_checked, prices={"small": 1.0, "large": 20.0})
    found = await verdict_of(substitution, bench_of(world))
    assert found.verdict == "holds" and all(row["setting chosen"] for row in found.kind("step"))


async def test_a_larger_model_that_is_no_better_leaves_no_step_to_replace(bench_of):
    found = await verdict_of(substitution, bench_of(Fake(uniform_doubt)))
    assert found.verdict == "not told apart" and not any(row["larger is better"] for row in found.kind("step"))


async def test_no_amount_of_a_model_that_is_never_right_replaces_another(bench_of):
    found = await verdict_of(substitution, bench_of(Fake(hopeless)))
    assert found.verdict == "does not hold"
    assert [row["setting chosen"] for row in found.kind("step")] == [None] * 4 and "no amount" in found.sentence


def divided(kind, model, effort, length, number):
    return 0.5 if kind == "pick" else 1.0


def uniform_doubt(kind, model, effort, length, number):
    return 1.0


async def test_agreement_tells_where_votes_pay_and_a_cold_model_is_priced_out(bench_of):
    found = await verdict_of(diversity, bench_of(Fake(divided, models=("small",))))
    assert found.verdict == "holds"
    assert found.numbers["agreement, cold"].estimate == 1 and found.numbers["gain of a vote of 8, cold"].estimate == 0
    assert max(row["samples"] for row in found.kind("worth") if row["kind"] == "cold") == 1


async def test_agreement_is_not_said_to_tell_anything_where_votes_gain_nothing(bench_of):
    found = await verdict_of(diversity, bench_of(Fake(uniform_doubt, models=("small",))))
    assert found.verdict == "not told apart"


def easy_and_hard(kind, model, effort, length, number):
    return 1.0 if kind == "dig" else 0.25


def sure(kind, model, effort, length, number):
    return 1.0


@pytest.mark.parametrize(("chance", "expected"), [(easy_and_hard, "holds"), (sure, "not told apart")])
async def test_spending_per_query_pays_where_queries_differ_and_not_where_one_sample_does(bench_of, chance, expected):
    world = Fake(chance, verify=picks_are_checked, models=("small",))
    found = await verdict_of(adaptive, bench_of(world, questions=12))
    assert found.verdict == expected, found.sentence
