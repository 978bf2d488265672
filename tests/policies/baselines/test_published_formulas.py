"""What the papers define, on cases small enough for a pencil."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from lessons import topic_case
from onedial.core.arm import Arm, Source
from onedial.core.outcome import Outcome, Panel
from onedial.core.query import Query
from onedial.core.usage import Price
from onedial.forecasts.features import features
from onedial.policies.baselines.avengers_pro import AvengersPro, scores
from onedial.policies.baselines.best_route import billed, cheapest_sure, published
from onedial.policies.baselines.carrot_knn import best_neighbours
from onedial.policies.baselines.clusters import Clusters, cluster
from onedial.policies.baselines.contract import Lesson
from onedial.policies.baselines.crossfit import earned
from onedial.policies.baselines.guarded_knn import Near, guarded, near
from onedial.policies.baselines.heads import fit_heads
from onedial.policies.baselines.hybrid_labels import SLACKS, best_slack, mean_difference, r_det, r_prob, r_trans
from onedial.policies.baselines.matches import Draws, draws_of, p_at_least
from onedial.policies.baselines.neighbours import means, nearest, unit
from onedial.policies.baselines.pair import Pair, pair_of
from onedial.policies.baselines.r2_router import R2
from onedial.policies.baselines.radar import TwoParameter, chebyshev, fit_2pl, linear, loss_2pl
from onedial.policies.baselines.ridge import Ridge
from onedial.policies.baselines.route_to_reason import Shape, network_loss, tokens_of, utility
from onedial.policies.baselines.routellm_mf import battles, factor_loss
from onedial.policies.baselines.routellm_sw import p_strong_wins
from onedial.policies.baselines.rungs import net_best
from onedial.policies.baselines.uniroute import UniRoute
from onedial.policies.grid import Grid, fixed_arms


def even(*answers):
    """One query whose recorded answers have these qualities."""
    return Draws(np.array([answers], dtype=float), np.full((1, len(answers)), 1 / len(answers)))


def stacked(*draws):
    return Draws(*(np.concatenate(parts) for parts in zip(*draws, strict=True)))


# Hybrid-LLM


def test_hybrid_deterministic_compares_one_answer_with_one():
    assert r_det(even(0.4, 0.9), even(0.5, 0.1)).tolist() == [0.0]
    assert r_det(even(0.5, 0.1), even(0.5, 0.9)).tolist() == [1.0]


def test_hybrid_probabilistic_counts_pairs_of_answers():
    assert r_prob(even(0.4, 0.9), even(0.5, 0.1)).tolist() == [0.75]


def test_hybrid_transformed_forgives_the_slack_that_tells_queries_apart_best():
    weak, strong = stacked(even(0.2), even(0.4), even(0.5)), stacked(even(0.9), even(0.9), even(0.9))
    assert r_prob(weak, strong).tolist() == [0.0, 0.0, 0.0]
    spread = [mean_difference(p_at_least(weak, strong, t)) for t in SLACKS]
    t = best_slack(weak, strong)
    assert t == pytest.approx(0.4) and max(spread) == pytest.approx(4 / 9) == pytest.approx(spread[8])
    assert r_trans(weak, strong).tolist() == [0.0, 0.0, 1.0]


def test_the_mean_difference_of_labels_is_over_all_ordered_pairs():
    y = np.array([0.1, 0.9, 0.4, 0.4])
    assert mean_difference(y) == pytest.approx(np.abs(y[:, None] - y).mean())


# BEST-Route


def bill_lesson():
    """One model with and one without a price; prompts of 10 characters and 5 tokens, two samples of 30 and 50 tokens."""
    queries = [Query(f"q{i}", "abcdefghij") for i in range(3)]
    rows = [
        Outcome(q.id, m, None, k, 1.0, "a", input_tokens=5, output_tokens=t, cost_usd=0.25)
        for q in queries
        for m in ("priced", "billed")
        for k, t in enumerate((30, 50))
    ]
    panel, prices = Panel.of(queries, rows), {"priced": Price(2.0, 10.0)}
    grid = fixed_arms(panel, prices, np.random.default_rng(0), votes=(1, 2))
    return Lesson(panel, features(queries), grid, prices, 0)


def test_best_route_bills_prompts_once_as_published_and_what_was_billed_when_corrected():
    lesson = bill_lesson()
    arms = np.array([lesson.grid.arms.index(Arm(Source(m), *kind)) for m in ("priced", "billed") for kind in ((), ("vote", 2))])
    queries = [Query("new", "x" * 40)]
    formula = [(20 * 2 + 40 * 10) / 1e6, (20 * 2 + 2 * 40 * 10) / 1e6]
    assert published(lesson, arms).cost(queries)[0].tolist() == pytest.approx([*formula, 0.25, 0.5])
    assert billed(lesson, arms).cost(queries)[0].tolist() == pytest.approx([(5 * 2 + 400) / 1e6, (5 * 2 + 800) / 1e6, 0.25, 0.5])


def test_best_route_takes_the_cheapest_head_that_is_sure_enough_else_the_reference():
    chance = np.array([[0.9, 0.95, 0.5], [0.2, 0.7, 0.5], [0.1, 0.2, 0.5]])
    cost = np.tile([1.0, 2.0, 9.0], (3, 1))
    assert cheapest_sure(chance, cost, 0.6, 2).tolist() == [0, 1, 2]


def test_an_arm_that_votes_matches_with_its_expected_quality_and_a_direct_one_with_its_samples():
    grid = Grid((Arm(Source("m")), Arm(Source("m"), "vote", 3)), np.array([[0.5, 0.8]]), np.ones((1, 2)))
    query = Query("q", "?")
    panel = Panel.of([query], [Outcome("q", "m", None, k, s, None) for k, s in enumerate((1.0, 0.0))])
    lesson = Lesson(panel, features([query]), grid, {}, 0)
    direct, vote = (draws_of(lesson, j) for j in (0, 1))
    assert p_at_least(direct, vote).tolist() == pytest.approx([0.5 + 0.5 * 0.2])


# RADAR


def test_radar_has_two_parameters_per_query_and_one_ability_per_configuration():
    model = TwoParameter(np.array([2.0, 1.0]), np.array([1.0, 0.5]), np.array([0.0, 2.0]))
    found = model(np.array([[0.5]]))  # a = 2, b = 1
    assert found[0].tolist() == pytest.approx([1 / (1 + np.exp(2.0)), 1 / (1 + np.exp(-2.0))])


def test_radar_finds_abilities_and_difficulties_again():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((800, 2))
    truth = TwoParameter(np.array([0.0, 0.3, 1.5]), np.array([1.0, 0.0, 0.2]), np.array([-1.0, 0.0, 1.0]))
    y = (rng.random((800, 3)) < truth(x)).astype(float)
    assert np.abs(fit_2pl(x, y, 0.1)(x) - truth(x)).mean() < 0.03


def test_radar_scalarises_linearly_and_by_chebyshev():
    p, cost = np.array([[0.5, 0.8, 0.9]]), np.array([0.0, 0.3, 1.0])
    # linear, w = 0.5: 0.25, 0.25 - tie goes to the cheaper; -0.05. w = 0.6: 0.30, 0.36, 0.14
    assert [int(linear(p, cost, w)[0]) for w in (0.4, 0.6, 0.95)] == [0, 1, 2]
    # Chebyshev, w = 0.5: max(.25, 0), max(.1, .15), max(.05, .5) = .25, .15, .5
    assert [int(chebyshev(p, cost, w)[0]) for w in (0.1, 0.5, 0.95)] == [0, 1, 2]


def test_chebyshev_reaches_a_point_that_no_linear_weight_does():
    p, cost = np.array([[0.0, 0.45, 1.0]]), np.array([0.0, 0.5, 1.0])
    weights = np.linspace(0.01, 0.99, 99)
    assert 1 not in {int(linear(p, cost, w)[0]) for w in weights}
    assert 1 in {int(chebyshev(p, cost, w)[0]) for w in weights}


# RouteLLM


def test_similarity_weighted_ranking_is_a_weighted_share_of_battles_won():
    won = np.array([1.0, 0.0, 0.5])
    weight = 10 * 10 ** np.array([1.0, 0.5, 0.25])
    assert p_strong_wins(np.array([[0.8, 0.4, 0.2]]), won)[0] == pytest.approx((weight @ won) / weight.sum())


def test_that_share_is_what_a_weighted_bradley_terry_fit_gives():
    won, weight = np.array([1.0, 0.0, 0.5, 1.0]), np.array([100.0, 31.0, 17.0, 12.0])
    similarity = np.log10(weight)[None] - 1.0
    gap = np.linspace(-5, 5, 100_001)
    likelihood = (weight @ won) * -np.logaddexp(0, -gap) + (weight @ (1 - won)) * -np.logaddexp(0, gap)
    assert p_strong_wins(similarity, won)[0] == pytest.approx(1 / (1 + np.exp(-gap[likelihood.argmax()])), abs=1e-3)


def test_battles_that_tie_are_left_out():
    pairs, won = battles(np.array([[1.0, 1.0, 0.25]]))
    assert pairs.tolist() == [[0, 1], [0, 2], [1, 2]] and np.isnan(won[0, 0]) and won[0, 1:].tolist() == [1.0, 1.0]


def test_the_two_arms_are_the_best_and_the_knee_below_it():
    cost, quality = np.array([1.0, 2.0, 3.0, 100.0, 50.0]), np.array([0.1, 0.7, 0.2, 0.9, 0.72])
    assert pair_of(Grid(tuple(Arm(Source(f"m{j}")) for j in range(5)), quality[None], cost[None])) == Pair(1, 3)


def test_where_the_cheapest_arm_is_best_both_are_that_arm():
    grid = Grid(tuple(Arm(Source(f"m{j}")) for j in range(2)), np.array([[0.9, 0.8]]), np.array([[1.0, 2.0]]))
    assert pair_of(grid) == Pair(0, 0)


# Gradients


def test_gradients_are_those_of_the_losses():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((7, 3)), rng.random((7, 4))
    pairs, won = battles(np.round(y, 1))
    shape = Shape(3, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 2]))
    losses = {
        "factors": (lambda f: factor_loss(f, x, pairs, won, 0.3, 4), 5 * (4 + 3 + 1)),
        "2pl": (lambda f: loss_2pl(f, x, y, 0.3), 2 * 4 + 4),
        "accuracy": (lambda f: network_loss(f, shape, x, y, 0.3, True), shape.size),
        "tokens": (lambda f: network_loss(f, shape, x, y, 0.3, False), shape.size),
    }
    for loss, size in losses.values():
        at = rng.standard_normal(size)
        assert check_grad(lambda f, of=loss: of(f)[0], lambda f, of=loss: of(f)[1], at) < 1e-4 * np.linalg.norm(loss(at)[1])


# R2-Router, Route-to-Reason, CARROT, UniRoute


def test_r2_router_clips_quality_and_pays_for_it_at_the_worth():
    quality, cost = Ridge(np.zeros((1, 2)), np.array([0.5, 1.4])), Ridge(np.zeros((1, 2)), np.array([0.1, 0.4]))
    router = R2(quality, cost, np.array([4, 7]), np.array([0.5, 0.65, 10.0]))
    # at w = .65 the dear arm would win with 1.4, .65 * 1 - .4 = .25 against .225; at .5, .1 against .15
    assert router.choose([], np.zeros((1, 1)))[:, 0].tolist() == [4, 7, 7]


def test_route_to_reason_weighs_accuracy_and_tokens():
    assert utility(np.array([0.9, 0.5]), np.array([1.0, 0.1]), 0.25).tolist() == pytest.approx([0.225 - 0.75, 0.125 - 0.075])


def test_the_tokens_of_an_arm_are_those_of_all_its_samples():
    lesson = bill_lesson()
    arms = np.arange(len(lesson.grid.arms))
    assert tokens_of(lesson, arms)[0].tolist() == [40.0 * arm.n for arm in lesson.grid.arms]


def test_neighbours_are_nearest_by_angle_and_count_alike():
    train = unit(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.1]]))
    index = nearest(unit(np.array([[5.0, 0.0]])), train, 2)
    assert index.tolist() == [[0, 2]] and means(index, np.array([[1.0], [9.0], [2.0]])).tolist() == [[1.5]]
    assert 0 not in nearest(train, train, 2, without_self=True)[0]


def test_the_number_of_neighbours_is_what_predicts_best():
    rng = np.random.default_rng(0)
    train = unit(np.concatenate([c + 0.01 * rng.standard_normal((40, 2)) for c in ([1.0, 0.0], [0.0, 1.0], [-1.0, 0.0])]))
    index = nearest(train, train, 100, without_self=True)
    assert best_neighbours(index, np.repeat([0.0, 1.0, 0.0], 40)[:, None] + 0.3 * rng.standard_normal((120, 1))) in (16, 32)


def test_uniroute_adds_the_models_mean_cost_to_its_error_in_the_cluster():
    clusters = Clusters(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1]))
    router = UniRoute(clusters, np.array([[0.1, 0.1], [0.9, 0.2]]), np.array([0.1, 0.3]), np.array([5, 6]), np.array([0.1, 1.0]))
    assert router.choose([], np.array([[2.0, 0.1], [0.1, 2.0]])).tolist() == [[5, 5], [5, 6]]


def test_a_worth_buys_the_dearer_arm_only_where_the_gain_pays_for_it():
    quality = np.array([[0.5, 0.7], [0.5, 0.55]])
    assert net_best(quality, np.array([0.0, 0.1]), np.array([0.1, 1.0, 10.0])).tolist() == [[0, 0], [1, 0], [1, 1]]


# Avengers-Pro


def test_avengers_pro_normalises_within_a_cluster_and_sums_over_the_three_nearest():
    accuracy = np.array([[0.2, 0.6, 0.4], [0.5, 0.5, 0.5], [0.0, 1.0, 0.5], [1.0, 0.0, 0.0]])
    cost = np.array([[1.0, 5.0, 2.0]] * 4)
    assert scores(accuracy, cost, 0.5)[0].tolist() == pytest.approx([0.5, 0.5, 0.25 + 0.375])
    assert scores(accuracy, cost, 0.5)[1].tolist() == pytest.approx([0.5, 0.0, 0.375])
    clusters = Clusters(np.array([[1.0, 0.0], [0.9, 0.1], [0.8, 0.3], [-1.0, 0.0]]), np.arange(4))
    router = AvengersPro(clusters, accuracy, cost, np.array([2, 4, 6]))
    # sums over the first three: alpha 0 -> cheapest; alpha 1 -> accuracy 0, 2, 1
    picks = router.choose([], np.array([[1.0, 0.0]]))[:, 0]
    assert picks[0] == 2 and picks[-1] == 4


def test_clusters_find_groups_and_drop_what_is_empty():
    x = np.repeat(np.eye(3), 10, axis=0)
    found = cluster(x, 8, 0)
    assert len(found.centres) == 3 and sorted(np.bincount(found.member)) == [10, 10, 10]
    assert found.means(x[:, :1]).max() == 1.0 and found.nearest(x[:1])[0, 0] == found.member[0]


# Guarded kNN


def test_neighbours_of_the_guard_lie_above_a_bar_under_the_fiftieth():
    similarity = np.concatenate((np.linspace(1.0, 0.8, 50), [0.77, 0.75, 0.1]))[None]
    found = near(similarity)
    assert found.row.tolist() == list(range(51)) and found.weight.sum() == pytest.approx(1.0)
    assert found.weight[0] / found.weight[-1] == pytest.approx(1.0 / 0.77)


def test_the_guard_leaves_the_fallback_only_on_evidence_and_asks_for_twice_as_much_where_the_pick_is_dearer():
    four = Near(np.zeros(4, dtype=int), np.arange(4), np.full(4, 0.25))
    gain = np.array([1.0, -0.6, 1.0, -0.6])  # mean 0.2, standard error 0.8 / 2 = 0.4: half a standard error
    for more, cost, expected in ((0.01, [2.0, 1.0], 1), (-0.01, [2.0, 1.0], 0), (0.01, [1.0, 2.0], 0), (0.21, [1.0, 2.0], 1)):
        net = np.column_stack((np.zeros(4), gain + more))
        assert guarded(four, 1, net, np.array(cost), 0).tolist() == [expected]


# Heads


def test_out_of_fold_chances_have_not_seen_their_own_label():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((80, 60)), (rng.random((80, 1)) < 0.5).astype(float)
    heads, held = fit_heads(x, y, 0)
    inside, outside = (np.corrcoef(p[:, 0], y[:, 0])[0, 1] for p in (heads(x), held))
    assert inside > 0.5 and abs(outside) < 0.35


def test_what_picks_earn_is_read_off_the_grid():
    grid = topic_case(n=40).lesson.grid
    cost, quality = earned(grid, np.tile(np.array([[0], [1]]), (1, 20)))
    assert np.allclose(cost, grid.cost_usd.mean(axis=0)[:2]) and np.allclose(quality, grid.quality.mean(axis=0)[:2])
