import pytest

from onedial.core.usage import Price, Usage


def test_usage_adds_up_and_a_bound_stays_a_bound():
    total = Usage(1, 10, 4, 5, 2) + Usage(2, 20, 0, 7, 0, bounded=True)
    assert total == Usage(3, 30, 4, 12, 2, bounded=True) and total.tokens == 42


def test_cached_tokens_cost_the_cached_price_and_the_full_one_where_there_is_none():
    usage = Usage(1, 1_000_000, 400_000, 1_000_000)
    assert Price(1.0, 2.0, 0.5).cost_usd(usage) == pytest.approx(0.6 + 0.2 + 2.0)
    assert Price(1.0, 2.0).cost_usd(usage) == pytest.approx(3.0)


@pytest.mark.parametrize("counts", [(1, -1), (1, 5, 6), (1, 5, 0, 3, 4)])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(ValueError, match="found Usage"):
        Usage(*counts)


def test_a_negative_price_is_refused():
    with pytest.raises(ValueError, match="cannot be negative"):
        Price(1.0, -1.0)
