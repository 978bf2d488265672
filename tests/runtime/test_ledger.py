from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onedial.core.errors import BudgetExhausted, ConfigError
from onedial.core.usage import Usage
from onedial.runtime.ledger import Amount, Budget, Grant

USD = st.floats(0, 2, allow_nan=False)
COUNT = st.integers(0, 50)
CAPS = st.builds(Budget, st.none() | USD, st.none() | st.integers(0, 200), st.none() | st.integers(0, 20))
AMOUNTS = st.tuples(COUNT, USD)
STEPS = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(["reserve", "settle", "exceed", "release"]), AMOUNTS, st.floats(0, 1)), max_size=40
)


def use(tokens, calls=1):
    return Usage(calls, output_tokens=tokens)


def within(grant):
    """Spent and reserved stay within the caps, save for what is shown as overrun."""
    held = [s + r for s, r in zip(_parts(grant.spent), _parts(grant.reserved), strict=True)]
    return all(cap is None or h <= cap + o + 1e-12 for cap, h, o in zip(_parts(grant.budget), held, _parts(grant.overrun), strict=True))


def _parts(amount):
    return amount.usd, amount.tokens, amount.calls


@settings(max_examples=150, deadline=None)
@given(CAPS, st.lists(st.tuples(st.integers(0, 3), CAPS, st.booleans()), max_size=3), STEPS)
def test_whatever_is_done_no_level_exceeds_its_budget_and_nothing_spent_is_lost(caps, inner, steps):
    grants = [Grant(caps)]
    for parent, budget, set_aside in inner:
        try:
            grants.append(grants[parent % len(grants)].child(budget, set_aside=set_aside))
        except BudgetExhausted:
            assert set_aside
    held, calls, tokens, usd = [], 0, 0, 0.0
    for which, what, (size, cost), share in steps:
        if what == "reserve":
            with suppress(BudgetExhausted):
                held.append((grants[which % len(grants)].reserve(use(size), cost), size, cost))
        elif held:
            reservation, size, cost = held.pop(which % len(held))
            if what == "release":
                reservation.release()
                continue
            factor = share if what == "settle" else 1 + share
            reservation.settle(use(int(size * factor)), cost * factor)
            calls, tokens, usd = calls + 1, tokens + int(size * factor), usd + cost * factor
        assert all(within(grant) for grant in grants)
    for reservation, _, _ in held:
        reservation.release()
    for grant in reversed(grants):
        grant.close()
    root = grants[0]
    assert (root.usage.calls, root.usage.output_tokens) == (calls, tokens) == (root.spent.calls, root.spent.tokens)
    assert root.spent.usd == pytest.approx(usd, abs=1e-12) and root.reserved == Amount()


@given(st.lists(USD, max_size=30))
def test_reserving_and_releasing_leaves_no_trace(costs):
    grant = Grant(Budget(usd=3.0))
    for cost in costs:
        held = grant.reserve(use(1), cost)
        held.release()
    assert grant.left == Budget(usd=3.0) and grant.spent == grant.reserved == Amount()


def test_a_budget_is_used_up_to_the_last_unit():
    grant = Grant(Budget(usd=0.3))
    for _ in range(3):
        grant.reserve(use(1), 0.1)
    with pytest.raises(BudgetExhausted):
        grant.reserve(use(1), 1e-17)


def test_a_refusal_says_what_was_asked_what_is_left_and_what_to_do():
    grant = Grant(Budget(usd=1.0, calls=5))
    grant.reserve(use(100), 0.25).settle(use(60), 0.2)
    grant.reserve(use(100), 0.5)
    with pytest.raises(BudgetExhausted) as error:
        grant.reserve(use(70), 0.4)
    text = str(error.value)
    for fact in (
        "0.4 USD, 70 tokens, 1 calls",
        "left of the budget (0.3 USD, 3 calls)",
        "0.2 USD, 60 tokens",
        "0.5 USD, 100 tokens",
        "Raise the budget",
    ):
        assert fact in text


def test_what_exceeds_its_reservation_is_recorded_in_full_and_stops_further_asks():
    grant = Grant(Budget(tokens=100))
    grant.reserve(use(50), 0.0).settle(use(120), 0.0)
    assert grant.spent.tokens == 120 and grant.overrun.tokens == 70 and grant.left.tokens == 0
    with pytest.raises(BudgetExhausted):
        grant.reserve(use(1), 0.0)


def test_a_childs_spend_counts_in_its_parent_and_its_cap_is_never_more_than_what_is_left_there():
    parent = Grant(Budget(usd=1.0))
    parent.reserve(use(1), 0.7).settle(use(1), 0.7)
    child = parent.child(Budget(usd=5.0))
    assert child.budget.usd == pytest.approx(0.3)
    child.reserve(use(9), 0.2).settle(use(8), 0.1)
    assert parent.spent == Amount(pytest.approx(0.8), 9, 2) and child.spent == Amount(pytest.approx(0.1), 8, 1)


def test_siblings_share_what_is_left_unless_it_was_set_aside():
    parent = Grant(Budget(usd=1.0))
    sure = parent.child(Budget(usd=0.6), set_aside=True)
    shared = [parent.child(Budget(usd=0.4)) for _ in range(2)]
    shared[0].reserve(use(1), 0.3)
    with pytest.raises(BudgetExhausted):
        shared[1].reserve(use(1), 0.2)
    sure.reserve(use(1), 0.6).settle(use(1), 0.5)
    sure.close()
    assert parent.spent.usd == pytest.approx(0.5) and parent.left.usd == pytest.approx(0.2)
    with pytest.raises(BudgetExhausted):
        sure.reserve(use(1), 0.01)


def test_setting_aside_more_than_is_left_is_refused():
    with pytest.raises(BudgetExhausted):
        Grant(Budget(tokens=10)).child(Budget(tokens=11), set_aside=True)


def test_a_grant_with_asks_under_way_is_not_closed():
    inner = Grant(Budget(tokens=10)).child(Budget(tokens=5), set_aside=True)
    inner.reserve(use(2), 0.0)
    with pytest.raises(ValueError, match="under way"):
        inner.close()


def test_a_reservation_ends_once():
    held = Grant().reserve(use(1), 0.1)
    held.settle(use(1), 0.1)
    with pytest.raises(ValueError, match="ends once"):
        held.release()


@pytest.mark.parametrize("cap", [-1.0, float("nan"), float("inf")])
def test_a_budget_that_is_no_amount_is_an_error(cap):
    with pytest.raises(ConfigError, match="expected a finite number"):
        Budget(usd=cap)
