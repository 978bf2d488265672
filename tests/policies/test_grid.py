from itertools import combinations, permutations

import numpy as np
import pytest

from onedial.core.answer import Candidate
from onedial.core.arm import Arm, Source
from onedial.core.errors import ConfigError, TableError
from onedial.core.outcome import Outcome, Panel
from onedial.core.query import Query
from onedial.core.usage import Price
from onedial.policies.grid import Cell, best_quality, fixed_arms, halves, pass_at_k, vote_quality
from onedial.strategies.best_of_n import highest
from onedial.strategies.draw import plurality

PRICE = {"m": Price(2.0, 5.0)}


def panel_of(answers, verdicts=None, reference="1", input_tokens=100, output_tokens=10):
    """One query, one source, a sample per answer."""
    rows = [
        Outcome(
            "q",
            "m",
            None,
            k,
            float(a == reference),
            a,
            input_tokens,
            output_tokens,
            1e-3,
            verifier_score=None if verdicts is None else verdicts[k],
        )
        for k, a in enumerate(answers)
    ]
    return Panel.of([Query("q", "?")], rows)


def by_enumeration(answers, n, reference="1"):
    """Vote quality over every subset, ties shared."""
    total = []
    for subset in combinations(answers, n):
        votes = {a: subset.count(a) for a in subset if a is not None} or {None: 1}
        top = [a for a, v in votes.items() if v == max(votes.values())]
        total.append(sum(a == reference for a in top) / len(top))
    return np.mean(total)


@pytest.mark.parametrize("answers", ["1123", "1222", "111", "12"])
def test_a_vote_is_worth_its_mean_over_all_subsets(answers):
    cell = Cell(np.array([float(a == "1") for a in answers]), np.array([int(a) for a in answers]), np.full(len(answers), np.nan))
    for n in range(1, len(answers) + 1):
        found = vote_quality(cell, n, np.random.default_rng(0), 4000)
        assert found == pytest.approx(by_enumeration(answers, n))


def test_samples_without_an_answer_do_not_vote():
    cell = Cell(np.array([1.0, 0, 0, 0, 0]), np.array([0, -1, -1, -1, -1]), np.full(5, np.nan))
    assert vote_quality(cell, 5, np.random.default_rng(0), 1) == 1.0


def test_two_votes_are_worth_no_more_than_one():
    rng = np.random.default_rng(0)
    answers = rng.integers(0, 4, 12)
    cell = Cell((answers == 0).astype(float), answers, np.full(12, np.nan))
    assert vote_quality(cell, 2, rng, 20000) == pytest.approx(cell.score.mean(), abs=0.01)


def test_the_best_of_n_by_a_perfect_verifier_is_pass_at_k():
    right = np.array([1.0, 0, 0, 1.0, 0, 0, 0])
    cell = Cell(right, np.array([0, 1, 2, 0, 1, 3, -1]), right)
    for n in range(1, 8):
        assert best_quality(cell, n, np.random.default_rng(0), 1) == pytest.approx(pass_at_k(7, 2, n))


@pytest.mark.parametrize("verdict", [1.0, np.nan])
def test_the_best_of_n_by_a_verifier_without_an_opinion_is_a_vote(verdict):
    answers = np.array([0, 0, 1, 1, 1, 2, -1])
    cell = Cell((answers == 1).astype(float), answers, np.full(7, verdict))
    for n in range(1, 8):
        found, voted = (f(cell, n, np.random.default_rng(0), 40) for f in (best_quality, vote_quality))
        assert found == pytest.approx(voted)


def by_running_the_strategy(cell, n):
    """Mean quality of `best_of_n`'s choice over every ordered subset."""
    seen = [
        Candidate(Source("m"), k, "", None if a < 0 else str(a), None, None if np.isnan(v) else v)
        for k, (a, v) in enumerate(zip(cell.answer, cell.verdict, strict=True))
    ]
    value = {k: cell.score[k] for k in range(len(seen))}
    return np.mean([value[plurality(highest(drawn)).index] for drawn in permutations(seen, n)])


def test_the_best_of_n_is_what_the_strategy_chooses_on_average_over_every_order_of_the_samples():
    answers = np.array([0, 1, 1, 2, 0, -1])
    verdict = np.array([0.5, 0.5, 0.5, 0.9, 0.1, np.nan])
    for right in (0, 1, 2):
        cell = Cell((answers == right).astype(float), answers, verdict)
        for n in range(1, 7):
            assert best_quality(cell, n, np.random.default_rng(0), 64) == pytest.approx(by_running_the_strategy(cell, n))


def test_many_samples_are_counted_in_random_subsets_close_to_all_of_them():
    answers = np.array([0, 0, 0, 1, 1, 1, 1, 2, 2, -1])
    cell = Cell((answers == 0).astype(float), answers, np.where(answers == 2, 0.0, 1.0))
    exact, drawn = (best_quality(cell, 5, np.random.default_rng(0), n) for n in (300, 250))
    assert drawn == pytest.approx(exact, abs=0.05)


def test_a_misled_verifier_makes_more_samples_worse():
    right = np.array([1.0, 1, 1, 0])
    cell = Cell(right, np.zeros(4, int), 1 - right)
    found = [best_quality(cell, n, np.random.default_rng(0), 1) for n in (1, 2, 4)]
    assert found[0] > found[1] > found[2] == 0


def test_the_prompt_is_billed_once_per_ask_and_every_output_token_is_billed():
    grid = fixed_arms(panel_of("1111"), PRICE, np.random.default_rng(0), votes=(1, 4))
    assert grid.arms == (Arm(Source("m")), Arm(Source("m"), "vote", 4))
    assert grid.cost_usd[0].tolist() == pytest.approx([(100 * 2 + 10 * 5) / 1e6, (100 * 2 + 40 * 5) / 1e6])


def test_without_a_price_the_recorded_cost_of_each_sample_is_charged():
    grid = fixed_arms(panel_of("1111"), {}, np.random.default_rng(0), votes=(1, 4))
    assert grid.cost_usd[0].tolist() == pytest.approx([1e-3, 4e-3])


def test_arms_that_need_more_samples_than_recorded_have_no_value_and_are_left_out_when_complete():
    grid = fixed_arms(panel_of("1213"), PRICE, np.random.default_rng(0), votes=(1, 4, 8))
    assert np.isnan(grid.quality[0, 2]) and len(grid.complete().arms) == 2
    with pytest.raises(TableError, match="collect what is missing"):
        grid.columns([2]).complete()


def test_a_strategy_that_reacts_to_replies_is_refused():
    with pytest.raises(ConfigError, match="Did you mean 'vote'"):
        fixed_arms(panel_of("11"), PRICE, np.random.default_rng(0), strategies=("votes",))


def test_halves_share_no_sample_and_lose_none():
    panel = panel_of(["1", "2", "3", "4", "5"])
    first, second = halves(panel, np.random.default_rng(0))
    codes = np.concatenate([h.answer[np.isfinite(h.score)] for h in (first, second)])
    assert sorted(codes.tolist()) == [0, 1, 2, 3, 4] and first.counts[0, 0] == 3


def test_the_same_seed_gives_the_same_grid():
    panel = panel_of("1231231")
    first, second = (fixed_arms(panel, PRICE, np.random.default_rng(4), n_draws=8).quality for _ in range(2))
    assert np.array_equal(first, second, equal_nan=True)
