import numpy as np
import pytest

from onedial.core.arm import Source
from onedial.forecasts.sample_curves import AGREES, fit_sample_curves, plurality

SOURCES = tuple(Source(f"m{j}", None) for j in range(5))


def _world(seed=0, n=300, samples=2, agree=0.6):
    """Chances, and samples whose wrong answers are one rival with chance `agree` each, else all different."""
    rng = np.random.default_rng(seed)
    level = rng.beta(1.5, 1.0, (n, 1))
    chance = np.clip(level + 0.25 * rng.standard_normal((n, len(SOURCES))), 0.01, 0.99)
    right = (rng.random((n, len(SOURCES), samples)) < chance[..., None]).astype(float)
    rival = np.where(rng.random(right.shape) < np.sqrt(agree), 1, 2 + np.arange(right.size).reshape(right.shape))
    return chance, right, np.where(right > 0.5, 0, rival)


def _vote_truth(chance, n, rng, agree=0.6, draws=400):
    """Quality of a vote of n by simulation, per query and source."""
    right = rng.random((draws, *chance.shape, n)) < chance[None, ..., None]
    rival = (rng.random(right.shape) < np.sqrt(agree)) & ~right
    k, r = right.sum(axis=-1), rival.sum(axis=-1)
    alone = n - k - r
    tied = 1.0 + (r == k) + np.where(k == 1, alone, 0)
    wins = (k > 0) & (k >= r) & ((k > 1) | (alone >= 0))
    return (wins / tied).mean(axis=0)


def test_a_vote_of_three_with_one_right_ties_only_where_the_wrong_two_differ():
    expected = [(1.0 - a) / 3.0 for a in AGREES]
    np.testing.assert_allclose(plurality(3)[1], expected)
    np.testing.assert_allclose(plurality(3)[2:], 1.0)
    np.testing.assert_allclose(plurality(3)[0], 0.0)


def test_two_of_five_lose_where_the_other_three_agree_and_tie_where_two_do():
    theta = (1.0 - AGREES[3]) / AGREES[3]
    whole = (theta + 1) * (theta + 2)
    three, pair, apart = 2.0 / whole, 3.0 * theta / whole, theta**2 / whole
    assert three + pair + apart == pytest.approx(1.0)
    assert plurality(5)[2, 3] == pytest.approx(0.5 * pair + apart)


def test_means_of_eight_are_nearer_the_truth_than_those_of_the_two_seen():
    chance, right, answer = _world()
    curves = fit_sample_curves(right, answer, SOURCES)
    covered, voted = 1.0 - (1.0 - chance) ** 8, _vote_truth(chance, 8, np.random.default_rng(1))
    for guess, truth, nearest in (
        (curves.coverage(8), covered, right.max(axis=2)),
        (curves.vote(8), voted, right.mean(axis=2)),
    ):
        ours = np.abs(guess.mean(axis=0) - truth.mean(axis=0)).mean()
        assert ours < 0.5 * np.abs(nearest.mean(axis=0) - truth.mean(axis=0)).mean()
        assert ((guess - truth) ** 2).mean() < 0.75 * ((nearest - truth) ** 2).mean()


def test_one_sample_per_query_still_says_something_about_many():
    chance, right, answer = _world(samples=1)
    curves = fit_sample_curves(right, answer, SOURCES)
    covered = 1.0 - (1.0 - chance) ** 8
    assert np.abs(curves.coverage(8).mean() - covered.mean()) < 0.5 * np.abs(right.mean() - covered.mean())
    assert ((curves.vote(8) >= 0) & (curves.vote(8) <= 1)).all()


def test_wrong_answers_that_agree_make_votes_worse():
    _, right, together = _world(agree=0.95)
    _, _, apart = _world(agree=0.05)
    assert fit_sample_curves(right, together, SOURCES).vote(8).mean() < fit_sample_curves(right, apart, SOURCES).vote(8).mean()


def test_one_further_sample_is_worth_the_same_in_a_vote_and_for_coverage():
    _, right, answer = _world()
    curves = fit_sample_curves(right, answer, SOURCES)
    np.testing.assert_allclose(curves.vote(1), curves.coverage(1), atol=1e-9)


def test_queries_without_a_sample_of_a_source_are_forecast_from_the_others():
    chance, right, answer = _world()
    right[:50, 0], answer[:50, 0] = np.nan, -1
    guess = fit_sample_curves(right, answer, SOURCES).coverage(1)[:50, 0]
    assert ((guess - chance[:50, 0]) ** 2).mean() < chance[:50, 0].var()
