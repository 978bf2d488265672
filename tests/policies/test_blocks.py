from itertools import product
from math import factorial

import numpy as np
import pytest

from onedial.policies.blocks import BLOCKS, outcomes_of

WAYS = [(size, seen, more) for size in (1, 2, 4) for seen, more in ((0, False), (1, False), (2, False), (2, True))]
# With up to five samples no three new answers of several samples each can form, so that nothing is left out.


def weights(outcomes, theta, sizes):
    """How likely a Chinese restaurant with such tables is to seat a block so, all concentrations and table sizes given."""
    first, second, rest = (np.array([rising(size, k) for k in counts]) for size, counts in zip(sizes, _joined(outcomes), strict=True))
    new = np.prod([[factorial(k - 1) * theta if k else 1.0 for k in counts] for counts in (outcomes.new, outcomes.other)], axis=0)
    whole = np.exp(outcomes.log_ways) * first * second * rest * new * theta**outcomes.single
    return whole / rising(theta + sum(sizes), outcomes.size)


def _joined(outcomes):
    return outcomes.first, outcomes.second, outcomes.rest


def rising(x, k):
    """X (x + 1) ... (x + k - 1)."""
    return float(np.prod([x + i for i in range(k)])) if k else 1.0


@pytest.mark.parametrize(("size", "seen", "more"), WAYS)
@pytest.mark.parametrize("theta", [0.3, 2.0])
def test_the_outcomes_of_a_small_block_are_all_that_there_are(size, seen, more, theta):
    sizes = (3 if seen > 0 else 0, 1 if seen > 1 else 0, 2 if more else 0)
    assert weights(outcomes_of(size, seen, more), theta, sizes).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("theta", [0.1, 0.5, 2.0, 3.0, 10.0])
def test_of_a_block_of_eight_at_most_a_sixth_is_left_out_and_hardly_anything_beside_answers_seen(theta):
    assert 0.82 < weights(outcomes_of(8, 0, False), theta, (0, 0, 0)).sum() < 1.0
    assert 0.99 < weights(outcomes_of(8, 2, True), theta, (3, 1, 2)).sum() < 1.0


@pytest.mark.parametrize("size", [1, 2, 4])
def test_ways_count_the_sequences_of_samples_that_lead_to_each_outcome(size):
    outcomes, counted = outcomes_of(size, 2, True), {}
    for sequence in product(["first", "second", "rest", *range(size)], repeat=size):
        named = [x for x in sequence if isinstance(x, int)]
        if list(dict.fromkeys(named)) == list(range(len(set(named)))):  # new answers are numbered as they appear
            groups = sorted((named.count(x) for x in set(named)), reverse=True)
            large = [g for g in groups if g > 1]
            key = (*(sequence.count(x) for x in ("first", "second", "rest")), *[*large, 0, 0][:2], groups.count(1))
            counted[key] = counted.get(key, 0) + 1
    rows = zip(*_joined(outcomes), outcomes.new, outcomes.other, outcomes.single, np.exp(outcomes.log_ways), strict=True)
    found = {tuple(map(int, row)): ways for *row, ways in rows}
    assert found == pytest.approx(counted)


@pytest.mark.parametrize("size", BLOCKS)
def test_every_outcome_accounts_for_every_sample_once(size):
    o = outcomes_of(size, 2, True)
    parts = np.stack([*_joined(o), o.new, o.other, o.single])
    assert (parts.sum(axis=0) == size).all() and (parts >= 0).all()
    assert len({tuple(column) for column in parts.T}) == parts.shape[1]
    assert not ((o.new == 1) | (o.other == 1)).any(), "a new answer of one sample is one that stays alone"
