import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedial.core.arm import Arm
from onedial.core.errors import ConfigError
from onedial.core.query import Query
from onedial.policies.fixed_arm import FixedArm
from onedial.policies.online import BudgetQueue, QualityQueue, Tracking
from worlds import SOURCES

ARMS = [Arm(source) for source in SOURCES[::2]]
COSTS = np.array([1.0, 4.0, 20.0])


def quality_of(level):
    """Of the three arms, on a query of this level in [0, 1]."""
    return np.array([0.95, 0.97, 0.99]) - level * np.array([0.9, 0.5, 0.1])


class Stream:
    """Queries of known levels; the dual rule knows the truth, and answers are right by luck."""

    def __init__(self, levels, seed=0):
        self.levels, self.rng = levels, np.random.default_rng(seed)

    def policy_at(self, worth):
        def choose(query, tried, spent):
            arm = ARMS[int((worth * quality_of(self.levels[int(query.id)]) - COSTS).argmax())]
            return FixedArm(arm).choose(query, tried, spent)

        return type("Rule", (), {"choose": staticmethod(choose)})()

    def run(self, queue):
        tracking, seen = Tracking(queue, self.policy_at), []
        for i, level in enumerate(self.levels):
            query = Query(str(i), "?")
            column = ARMS.index(tracking.choose(query).arm)
            right = float(self.rng.random() < quality_of(level)[column])
            tracking.learn(query, right, COSTS[column])
            seen.append((right, COSTS[column], tracking.worth))
        return np.array(seen).T


def easy_then_hard(n=6000):
    rng = np.random.default_rng(1)
    return np.concatenate((0.3 * rng.random(n), 0.5 + 0.5 * rng.random(n)))


@pytest.mark.parametrize("target", [0.8, 0.9])
def test_the_mean_quality_comes_to_the_target_also_when_the_traffic_shifts(target):
    levels = easy_then_hard()
    right, cost, worth = Stream(levels).run(QualityQueue(target, eta=0.5))
    half = len(levels) // 2
    assert right[-4000:].mean() == pytest.approx(target, abs=0.01)
    assert right.mean() >= target - worth[-1] / (0.5 * len(levels)) - 1e-9
    assert cost[half:].mean() > 2 * cost[:half].mean()


def test_a_target_that_the_cheapest_arm_exceeds_costs_no_more_than_it():
    right, cost, worth = Stream(np.zeros(3000)).run(QualityQueue(0.5, eta=0.5, worth=5.0))
    assert right.mean() > 0.9 and cost[100:].max() == 1.0 and worth[-1] == 0.0


@pytest.mark.parametrize("budget", [2.0, 5.0, 12.0])
def test_the_mean_cost_comes_to_the_budget_also_when_the_traffic_shifts(budget):
    levels = easy_then_hard()
    _, cost, _ = Stream(levels).run(BudgetQueue.at(budget, 20.0))
    half = len(levels) // 2
    assert cost[half:].mean() == pytest.approx(budget, rel=0.03)
    assert cost.mean() <= budget * 1.03


def test_more_budget_is_more_quality():
    levels = easy_then_hard()
    means = [Stream(levels).run(BudgetQueue.at(budget, 20.0))[0].mean() for budget in (1.5, 5.0, 15.0)]
    assert means[0] + 0.05 < means[1] and means[1] + 0.02 < means[2]


def test_a_budget_beyond_every_arm_is_not_spent_on_anything_and_the_worth_stays_finite():
    _, cost, worth = Stream(easy_then_hard(500)).run(BudgetQueue.at(100.0, 20.0))
    assert worth[-1] == 20_000.0 and cost[-100:].min() == cost.max() == 20.0


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1e3)), max_size=60), st.floats(0.01, 1), st.floats(1e-6, 1e3))
def test_a_worth_is_never_negative_and_the_queue_never_forgets_what_is_short(seen, target, eta):
    quality, budget = QualityQueue(target, eta), BudgetQueue.at(0.5, 1.0)
    for right, cost in seen:
        quality, budget = quality.after(right, cost), budget.after(right, cost)
        assert quality.worth >= 0 and 0 < budget.worth <= budget.most
    assert quality.worth >= eta * sum(target - right for right, _ in seen) * (1 - 1e-9) - 1e-9 * eta * (1 + len(seen))
    assert budget.price >= 1.0 + sum(cost / 0.5 - 1 for _, cost in seen) / 100 - 1e-6


def test_a_query_is_decided_at_one_worth_whatever_ends_meanwhile():
    made = []

    def policy_at(worth):
        made.append(worth)
        return FixedArm(ARMS[0])

    tracking = Tracking(QualityQueue(0.9, eta=10.0, worth=1.0), policy_at)
    first, second = Query("a", "?"), Query("b", "?")
    tracking.choose(first)
    tracking.choose(second)
    tracking.learn(second, 0.0, 1.0)
    tracking.choose(first)
    tracking.choose(Query("c", "?"))
    assert made == [1.0, 1.0, 10.0]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: QualityQueue(92, 0.1), "expected one in"),
        (lambda: QualityQueue(0.9, 0.0), "expected a positive step"),
        (lambda: QualityQueue(0.9, 0.1, -1.0), "not negative"),
        (lambda: BudgetQueue(0.0, 1.0, 1.0, 1.0), "expected positive amounts"),
        (lambda: BudgetQueue.at(1.0, float("inf")), "expected positive amounts"),
    ],
)
def test_what_cannot_be_held_is_refused(make, said):
    with pytest.raises(ConfigError, match=said):
        make()
