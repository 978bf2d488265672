import numpy as np
import pytest

from onedial.metrics.roc import accept_counts, area, rated, roc_curve

RNG = np.random.default_rng


def rate(scores, labels, query=None, **options):
    return rated(scores, labels, range(len(scores)) if query is None else query, RNG(0), **options)


def test_the_area_is_the_share_of_pairs_in_order_with_ties_as_half():
    rng = RNG(1)
    scores, right = rng.integers(0, 5, 60) / 4, rng.random(60) < 0.4
    pairs = [(s > t) + (s == t) / 2 for s in scores[right] for t in scores[~right]]
    assert area(scores, right) == pytest.approx(np.mean(pairs))


def test_the_area_is_that_under_the_curve():
    rng = RNG(2)
    scores, right = rng.integers(0, 5, 60) / 4, rng.random(60) < 0.4
    curve = roc_curve(scores, right)
    assert np.trapezoid(curve.p_accept_right, curve.p_accept_wrong) == pytest.approx(area(scores, right))
    assert (curve.p_accept_right[[0, -1]].tolist(), curve.p_accept_wrong[[0, -1]].tolist()) == ([0, 1], [0, 1])
    assert (np.diff(curve.threshold) < 0).all()


def test_weights_count_like_copies():
    scores, right, weights = np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, True, False, True]), np.array([2, 1, 3, 2])
    assert area(scores, right, weights.astype(float)) == pytest.approx(area(np.repeat(scores, weights), np.repeat(right, weights)))


def test_accept_rates_are_those_at_one_half_and_what_has_no_score_is_counted_apart():
    found = rate([0.5, 0.4, 0.9, 0.1, np.nan, 0.7], [1, 1, 0, 0, 0, np.nan])
    assert (found.p_accept_right.estimate, found.p_accept_wrong.estimate) == (0.5, 0.5)
    assert (found.right, found.wrong, found.unscored) == (2, 2, 1)
    assert accept_counts([0.5, 0.4, 0.9, 0.1, np.nan, 0.7], [1, 1, 0, 0, 0, np.nan]) == (1, 2, 1, 2)


def test_scores_that_only_tell_queries_apart_are_worth_nothing_within_them():
    found = rate([0.9, 0.9, 0.1, 0.1, 0.1], [1, 0, 1, 0, 0], [7, 7, 8, 8, 8])
    assert found.within.estimate == 0.5 and found.auc.estimate > 0.5
    assert rate([0.2, 0.3, 0.8, 0.9], [0, 1, 0, 1], [0, 0, 1, 1]).within.estimate == 1.0


@pytest.mark.parametrize(("scores", "labels"), [([], []), ([np.nan], [1.0]), ([0.3], [np.nan])])
def test_without_scored_answers_nothing_is_claimed(scores, labels):
    found = rate(scores, labels)
    assert np.isnan([found.auc.estimate, found.within.estimate, found.p_accept_right.low]).all() and found.right == found.wrong == 0


def test_where_all_are_right_only_their_acceptance_is_known():
    found = rate([0.9, 0.2], [1, 1])
    assert np.isnan(found.auc.estimate) and np.isnan(found.p_accept_wrong.high) and found.p_accept_right.estimate == 0.5


def test_intervals_cover_the_truth_and_come_from_queries_not_answers():
    rng, covered, n, copies = RNG(3), 0, 60, 5
    for _ in range(40):
        right = rng.random(n) < 0.5
        scores = np.repeat(rng.normal(size=n) + right, copies)  # answers of one query are alike: five say no more than one
        found = rated(scores, np.repeat(right, copies), np.repeat(np.arange(n), copies), rng, n_resamples=100, level=0.9)
        covered += found.auc.low <= 0.7602 <= found.auc.high  # the area of two normals, one deviation apart
    assert covered >= 30


def test_lengths_must_match():
    with pytest.raises(ValueError, match="one length"):
        rate([0.1, 0.2], [1], [0, 1])
