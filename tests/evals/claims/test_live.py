"""The claims that run strategies live: framework against compute, and snowball errors."""

from dataclasses import replace

import numpy as np
import pytest

from evals.claims.conftest import RIGHT, Fake
from onedial.core.ask import Completion
from onedial.core.errors import BudgetExhausted
from onedial.core.query import Query
from onedial.evals.claims import framework, snowball
from onedial.evals.claims.noisy import noisy, of_quality
from onedial.runtime.ledger import Budget, Grant


def grade(query, answer):
    return float(answer == RIGHT)


def test_a_noisy_verifier_errs_as_often_as_its_roc_says_and_never_contradicts_itself():
    verify = noisy(grade, of_quality(0.8))
    asked = [Query(f"q{i}", "?") for i in range(2000)]
    first = [verify(query, RIGHT) for query in asked]
    assert np.mean(first) == pytest.approx(0.8, abs=0.03) and first == [verify(query, RIGHT) for query in asked]
    assert np.mean([verify(query, "wrong") for query in asked]) == pytest.approx(0.2, abs=0.03)
    assert {noisy(grade, of_quality(1.0))(query, RIGHT) for query in asked} == {1.0}


def even(kind, model, effort, length, number):
    return 0.4


def stuck(kind, model, effort, length, number):
    """The first sample is hopeless, later attempts that have seen it are right: only revising helps."""
    return 0.0


class Revisable(Fake):
    """Every attempt that has seen another one is right."""

    def completion(self, ask, index):
        found = super().completion(ask, index)
        return replace(found, text=RIGHT) if ask.follows_up else found


async def test_the_verifier_explains_more_than_a_framework_where_frameworks_are_alike(bench_of):
    found = await framework.measure(bench_of(Fake(even, models=("small",)), 40), ("best", "wvote"))
    assert found.verdict == "holds" and found.numbers["verifier less framework"].low > 0
    assert found.numbers["variance explained by framework"].estimate < 0.05
    assert {row["framework"] for row in found.kind("cell")} == {"best", "wvote"}


async def test_the_framework_explains_more_where_only_one_of_them_can_succeed(bench_of):
    found = await framework.measure(bench_of(Revisable(stuck, models=("small",)), 12), ("wvote", "refine"))
    assert found.verdict == "does not hold" and found.numbers["verifier less framework"].high < 0


async def test_a_framework_that_the_model_cannot_run_is_left_out_by_name(bench_of):
    world = Fake(even, models=("small",))
    bench = bench_of(world, 4)
    found = await framework.measure(bench, ("best", "wvote", "force", "no-such-strategy"))
    assert "force cannot be run (model 'small' lacks the capability 'continue'" in found.sentence
    assert (await framework.measure(bench, ("best", "force"))).verdict == "not measured"


async def test_a_budget_that_ends_an_experiment_is_an_error_and_no_finding(bench_of):
    bench = bench_of(Fake(even, models=("small",)), 8, grant=Grant(Budget(tokens=4000)))
    with pytest.raises(BudgetExhausted):
        await framework.measure(bench, ("best", "wvote"))


class Chains(Fake):
    """Step `k` is written `#k ok` or, with a chance of 1 in 8 each, `#k slip`; the answer is right where no step slipped."""

    undone = False

    def client(self):
        client = super().client()
        model = client.models["small"]
        client.models["small"] = replace(model, capabilities=model.capabilities | self.able, efforts=model.efforts[:1])
        return client

    able = frozenset({"continue"})

    def completion(self, ask, index):
        length = int(ask.query_id.split("-")[2])
        rng = np.random.default_rng([*ask.query_id.encode(), index])
        done = ask.continue_from.split("#")[1:]
        new = [f"#{k} {'slip' if rng.random() < 1 / 8 else 'ok'}" for k in range(len(done) + 1, length + 1)]
        right = self.undone or "slip" not in " ".join([*done, *new])
        thinking = " " * bool(done) + " ".join(new)
        return Completion(RIGHT if right else "wrong", thinking, output_tokens=2 * len(new) + 1)

    def sound(self, query, text):
        steps = [f"#{step.strip()}" for step in text.split("#")[1:]]
        kept = steps[: next((k for k, step in enumerate(steps) if "slip" in step), len(steps))]
        return text if len(kept) == len(steps) else " ".join(kept)


async def test_errors_that_compound_are_seen_and_checking_steps_stops_them_cheaper_than_starting_anew(bench_of):
    found = await snowball.measure(bench_of(Chains(even, models=("small",)), 60))
    assert found.verdict == "holds" and found.numbers["right after a slip"].estimate == 0
    last = found.kind("length")[-1]
    assert last["unchecked"] == pytest.approx((7 / 8) ** 8, abs=0.2)
    assert last["steps checked"] > last["whole checked"] and last["steps checked tokens"] < last["whole checked tokens"]


async def test_chains_whose_errors_are_undone_do_not_snowball(bench_of):
    world = Chains(even, models=("small",))
    world.undone = True
    found = await snowball.measure(bench_of(world))
    assert found.verdict == "does not hold" and found.numbers["right after a slip"].estimate == 1


async def test_without_the_capability_steps_are_not_said_to_be_checked(bench_of):
    world = Chains(even, models=("small",))
    world.able = frozenset()
    found = await snowball.measure(bench_of(world))
    assert "not measured: small cannot continue a text" in found.sentence and "steps checked" not in found.kind("length")[0]
