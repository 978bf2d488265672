from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from onedial.core.errors import TableError, TargetUnreachable
from onedial.metrics.hull import upper_hull
from onedial.policies.allocate import at_worth, for_quality, within_budget
from onedial.policies.hulls import CHUNK, build_hulls


def world(n, k, seed=0, p_absent=0.0):
    """Costs over three orders of magnitude; what is dearer is mostly better."""
    rng = np.random.default_rng(seed)
    cost = 10.0 ** rng.uniform(-3, 0, (n, k))
    quality = np.clip(0.3 * rng.random((n, 1)) + 0.2 * np.log10(1e3 * cost) + 0.1 * rng.standard_normal((n, k)), 0, 1)
    no_cost, no_quality = rng.random((2, n, k)) < p_absent / 2
    no_cost[:, 0] = no_quality[:, 0] = False
    return np.where(no_cost, np.nan, cost), np.where(no_quality, np.nan, quality)


def relaxed(cost, quality, budget):
    """The linear relaxation by HiGHS."""
    n, k = cost.shape
    known = np.isfinite(cost + quality).ravel()
    rows = csr_matrix((np.ones(n * k), (np.repeat(np.arange(n), k), np.arange(n * k))))[:, known]
    found = linprog(
        -quality.ravel()[known], A_ub=csr_matrix(cost.ravel()[known][None]), b_ub=[budget], A_eq=rows, b_eq=np.ones(n), method="highs"
    )
    return -found.fun


def chosen(values, arm):
    return values[np.arange(len(arm)), arm]


def largest_step(hulls):
    return hulls.quality.max(initial=0.0), hulls.cost.max(initial=0.0)


@pytest.mark.parametrize("p_absent", [0.0, 0.4])
def test_every_hull_is_the_hull_of_its_row(p_absent):
    cost, quality = world(CHUNK + 50, 9, 1, p_absent)
    cost[:40, :4], quality[40:80] = 0.25, np.round(quality[40:80], 1)
    hulls = build_hulls(cost, quality)
    for i in [*range(90), CHUNK - 1, CHUNK, CHUNK + 49]:
        mine = slice(hulls.first[i], hulls.first[i + 1])
        known = np.isfinite(cost[i] + quality[i])
        expected = upper_hull(np.where(known, cost[i], np.nan), np.where(known, quality[i], np.nan))
        arms = [hulls.base_arm[i], *hulls.arm[mine]]
        assert cost[i, arms] == pytest.approx(expected.cost) and quality[i, arms] == pytest.approx(expected.quality)
        assert (np.diff(hulls.slope[mine]) <= 0).all() and (hulls.slope[mine] > 0).all()


def test_whole_arms_lose_at_most_one_segment_against_the_best_of_all_assignments():
    for seed in range(6):
        cost, quality = world(5, 4, seed)
        hulls = build_hulls(cost, quality)
        step, _ = largest_step(hulls)
        every = np.array(list(product(range(4), repeat=5)))
        totals = [np.array([chosen(values, arms).sum() for arms in every]) for values in (cost, quality)]
        for budget in np.linspace(hulls.least_usd, 1.1 * totals[0].max(), 9):
            found = within_budget(hulls, budget)
            best = totals[1][totals[0] <= budget].max()
            assert found.cost_usd <= budget * (1 + 1e-9)
            assert best - step - 1e-9 <= found.quality <= best + 1e-9
            assert best <= found.at_most + 1e-9


def test_the_cheapest_assignment_that_reaches_a_quality_costs_at_most_one_segment_less():
    cost, quality = world(5, 4, 3)
    hulls = build_hulls(cost, quality)
    every = np.array(list(product(range(4), repeat=5)))
    costs, qualities = (np.array([chosen(values, arms).sum() for arms in every]) for values in (cost, quality))
    for target in np.linspace(0.5 * hulls.best_quality, hulls.best_quality, 9):
        found = for_quality(hulls, target)
        best = costs[qualities >= target - 1e-9].min()
        assert found.quality >= target - 1e-9
        assert best - 1e-9 <= found.cost_usd <= best + largest_step(hulls)[1] + 1e-9


@pytest.mark.parametrize("p_absent", [0.0, 0.3])
def test_the_relaxation_is_solved_exactly(p_absent):
    cost, quality = world(60, 8, 5, p_absent)
    hulls = build_hulls(cost, quality)
    for share in (0.0, 0.02, 0.3, 0.8, 1.0, 1.5):
        budget = hulls.least_usd + share * hulls.cost.sum()
        found = within_budget(hulls, budget)
        assert found.at_most == pytest.approx(relaxed(cost, quality, budget), abs=1e-7)
        assert found.at_most - largest_step(hulls)[0] - 1e-9 <= found.quality <= found.at_most + 1e-9


def test_what_is_said_of_the_total_is_the_total_of_the_arms_and_absent_arms_are_not_chosen():
    cost, quality = world(300, 12, 7, 0.5)
    hulls = build_hulls(cost, quality)
    for found in (within_budget(hulls, 2 * hulls.least_usd), for_quality(hulls, 0.9 * hulls.best_quality), at_worth(hulls, 0.5)):
        assert chosen(cost, found.arm).sum() == pytest.approx(found.cost_usd)
        assert chosen(quality, found.arm).sum() == pytest.approx(found.quality)


def test_at_a_worth_every_query_has_the_arm_of_the_best_net_value():
    cost, quality = world(200, 10, 11, 0.2)
    hulls = build_hulls(cost, quality)
    for worth in (1e-3, 0.1, 1.0, 30.0):
        net = worth * quality - cost
        assert chosen(net, at_worth(hulls, worth).arm) == pytest.approx(np.nanmax(net, axis=1))


def test_the_worth_of_a_budget_buys_what_the_budget_buys_and_its_last_segment():
    hulls = build_hulls(*world(400, 16, 2))
    found = within_budget(hulls, 3 * hulls.least_usd)
    assert (at_worth(hulls, found.worth).arm != found.arm).sum() == 1
    assert (at_worth(hulls, found.worth * (1 - 1e-9)).arm != found.arm).sum() == 0


def test_a_budget_beyond_every_hull_buys_all_and_more_money_is_worth_nothing():
    cost, quality = world(50, 6, 4)
    found = within_budget(build_hulls(cost, quality), 1e9)
    assert found.quality == pytest.approx(quality.max(axis=1).sum())
    assert (found.gain_per_usd, found.worth) == (0.0, np.inf)


def test_a_budget_of_just_the_cheapest_arms_is_enough_and_less_is_refused_with_the_sum():
    cost, quality = world(50, 6, 4)
    hulls = build_hulls(cost, quality)
    assert (within_budget(hulls, hulls.least_usd).arm == cost.argmin(axis=1)).all()
    with pytest.raises(TargetUnreachable, match=r"less than the cheapest arm of every query costs, \$.* for 50 queries"):
        within_budget(hulls, 0.99 * hulls.least_usd)


def test_a_quality_beyond_every_best_arm_is_refused_and_one_below_every_cheapest_costs_the_least():
    hulls = build_hulls(*world(50, 6, 4))
    assert for_quality(hulls, hulls.best_quality).quality == pytest.approx(hulls.best_quality)
    assert for_quality(hulls, 0.0).cost_usd == hulls.least_usd
    with pytest.raises(TargetUnreachable, match="are forecast to reach"):
        for_quality(hulls, hulls.best_quality + 0.01)


def test_queries_that_are_all_alike_are_bought_for_until_the_money_is_gone():
    cost, quality = np.tile([[1.0, 2.0, 4.0]], (1000, 1)), np.tile([[0.5, 0.7, 0.8]], (1000, 1))
    hulls = build_hulls(cost, quality)
    found = within_budget(hulls, 1333.5)
    assert (found.cost_usd, np.bincount(found.arm).tolist()) == (1333.0, [667, 333])
    assert found.worth == pytest.approx(5.0) and found.at_most == pytest.approx(found.quality + 0.1)
    assert np.bincount(within_budget(hulls, 2001.0).arm).tolist() == [0, 1000]
    assert np.bincount(within_budget(hulls, 2002.0).arm).tolist() == [0, 999, 1]


def test_a_query_without_any_arm_is_named_by_its_row():
    cost, quality = world(CHUNK + 3, 3)
    quality[CHUNK + 1] = np.nan
    with pytest.raises(TableError, match=rf"row {CHUNK + 1} has no arm"):
        build_hulls(cost, quality)
    with pytest.raises(TableError, match="one shape"):
        build_hulls(cost[:4], quality)


def test_one_arm_and_no_queries_are_no_special_case():
    one = within_budget(build_hulls(np.ones((3, 1)), np.ones((3, 1))), 5.0)
    assert (one.arm.tolist(), one.cost_usd, one.quality) == ([0, 0, 0], 3.0, 3.0)
    assert within_budget(build_hulls(np.zeros((0, 2)), np.zeros((0, 2))), 1.0).arm.size == 0


GRID = arrays(float, (6, 5), elements=st.one_of(st.floats(0, 1, width=16), st.sampled_from([0.0, 0.25, 0.5, 1.0])))


@settings(max_examples=60, deadline=None)
@given(GRID, GRID, st.lists(st.floats(0, 6), min_size=2, max_size=5))
def test_quality_and_cost_rise_with_the_budget_and_never_exceed_it(cost, quality, extra):
    hulls = build_hulls(cost, quality)
    found = [within_budget(hulls, hulls.least_usd + more) for more in sorted(extra)]
    for more, one in zip(sorted(extra), found, strict=True):
        assert one.cost_usd <= (hulls.least_usd + more) * (1 + 1e-9) + 1e-12
        assert chosen(cost, one.arm).sum() == pytest.approx(one.cost_usd, abs=1e-12)
        assert one.at_most == pytest.approx(relaxed(cost, quality, hulls.least_usd + more), abs=1e-6)
    for low, high in pairwise(found):
        assert low.quality <= high.quality + 1e-12 and low.worth <= high.worth * (1 + 1e-12)


@settings(max_examples=40, deadline=None)
@given(GRID, GRID, st.floats(0.05, 20))
def test_in_another_currency_the_same_arms_are_bought(cost, quality, budget):
    hulls = build_hulls(cost, quality)
    found = within_budget(hulls, hulls.least_usd + budget)
    cents = within_budget(build_hulls(cost * 128, quality), (hulls.least_usd + budget) * 128)
    assert (cents.arm == found.arm).all() and cents.gain_per_usd * 128 == pytest.approx(found.gain_per_usd)
