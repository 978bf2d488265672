import json

import numpy as np
import pytest

from onedial.core.arm import Source
from onedial.core.outcome import Outcome, Panel
from onedial.core.query import Query
from onedial.core.usage import Price
from onedial.evals.extrapolation.benchmark import extrapolate
from onedial.evals.extrapolation.efforts import LeftOutLevel, Levels
from onedial.evals.extrapolation.item_response import fit_items
from onedial.evals.extrapolation.ridge_heads import RidgeHeads
from onedial.evals.extrapolation.samples import METHODS, Seen
from onedial.evals.extrapolation.scores import Actions, regret, worth_grid
from onedial.evals.extrapolation.truth import coverage_truth, cut, vote_truth

LEVELS = {"low": 300, "medium": 1_200, "high": 5_000}
BLANK = RidgeHeads(np.zeros((60, 0)))


def _panel(samples=8, n=60, models=4, costs=True, seed=0, levels=LEVELS):
    """Models on a common effort curve, queries of a common difficulty, one rival answer."""
    rng = np.random.default_rng(seed)
    queries = [Query(f"q{i}", f"question number {i}") for i in range(n)]
    hard, outcomes = rng.standard_normal(n), []
    for m in range(models):
        own = 0.5 * rng.standard_normal(n)
        for label, tokens in levels.items():
            theta = 1.6 + 0.5 * m - 2.0 * (tokens / 1_000) ** -0.5 - hard + own
            for i in range(n):
                for k in range(samples):
                    right, used = rng.random() < 1 / (1 + np.exp(-theta[i])), int(tokens * np.exp(0.2 * rng.standard_normal()))
                    answer = "right" if right else ("rival" if rng.random() < 0.7 else f"w{rng.integers(99)}")
                    cost = used * 2e-6 * (m + 1) if costs else None
                    tokens_used = used if costs else None
                    outcomes.append(
                        Outcome(f"q{i}", f"m{m}", label, k, float(right), answer, 20, tokens_used, cost_usd=cost),
                    )
    return Panel.of(queries, outcomes)


@pytest.fixture(scope="module")
def report():
    return extrapolate(_panel(), {}, seed=0, resamples=40).to_json()


def test_both_tasks_are_posed_and_the_report_is_plain(report):
    assert report["samples"]["reason"] is None
    assert {(p["fit_samples"], p["kind"]) for p in report["samples"]["parts"]} == {(s, k) for s in (1, 2) for k in ("coverage", "vote")}
    assert report["efforts"]["parts"][0]["n_cells"] == 12
    assert json.loads(json.dumps(report)) == report


def test_more_samples_are_forecast_nearer_than_by_the_nearest_budget(report):
    for part in report["samples"]["parts"]:
        if part["fit_samples"] == 2 and part["kind"] == "coverage":
            assert part["ratio_to_nearest"]["onedial"]["arm"]["ratio"] < 0.6
        assert part["ratio_to_nearest"]["onedial"]["query"]["ratio"] < 1.0


def test_a_left_out_effort_is_forecast_nearer_than_by_the_nearest_level_and_chosen_with_less_regret(report):
    part = report["efforts"]["parts"][0]
    for level in ("arm", "query", "cost"):
        assert part["ratio_to_nearest"]["onedial"][level]["ratio"] < 0.5
    assert all(part["regret"][name]["more_than_onedial"] > 0 for name in ("nearest", "beta_binomial"))


def test_a_table_that_cannot_pose_a_task_says_why():
    single = extrapolate(_panel(samples=1, models=2), {}, resamples=5).to_json()
    assert "more of them apart" in single["samples"]["reason"]
    assert "repeated" in single["efforts"]["reason"]
    assert "at least 20" in extrapolate(_panel(n=6), {}, resamples=5).to_json()["samples"]["reason"]


def test_without_tokens_and_costs_quality_is_still_extrapolated():
    found = extrapolate(_panel(samples=4, models=2, costs=False), {}, resamples=20).to_json()
    for part in found["samples"]["parts"] + found["efforts"]["parts"]:
        assert part["methods"]["onedial"]["cost"] is None
        assert part["regret"] is None
        assert part["methods"]["onedial"]["arm"]["rmse"] >= 0


def test_no_method_sees_the_samples_that_are_kept_apart():
    panel = _panel(samples=4)
    halves = cut(panel, {}, 2, np.random.default_rng(0))
    others = cut(panel, {}, 2, np.random.default_rng(0))
    for held in (others.held_right, others.held_cost):
        held[...] = 1.0 - held
    for make in METHODS.values():
        (one, cost), (two, same) = (make(Seen(h, BLANK, panel.sources)) for h in (halves, others))
        np.testing.assert_array_equal(one("coverage", 2), two("coverage", 2))
        np.testing.assert_array_equal(one("vote", 8), two("vote", 8))
        np.testing.assert_array_equal(cost, same)


def test_no_method_sees_the_level_that_is_left_out():
    levels, other = (Levels.of(_panel(samples=3), {}) for _ in range(2))
    other.rate[:, 4] = 1.0 - other.rate[:, 4]
    other.tokens[:, 4] *= 3.0
    other.cost[:, 4] *= 3.0
    one, two = (LeftOutLevel.of(x, 4, BLANK) for x in (levels, other))
    for name, said in one.predictions.items():
        np.testing.assert_array_equal(said.quality, two.predictions[name].quality)
        np.testing.assert_array_equal(said.cost, two.predictions[name].cost)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_truth_of_coverage_and_its_square_are_without_bias(n):
    rng = np.random.default_rng(n)
    p = np.full((4_000, 1), 0.3)
    right = (rng.random((4_000, 1, 6)) < p[..., None]).astype(float)
    truth, known = coverage_truth(right, n), 1.0 - 0.7**n
    assert truth.exact.all()
    assert truth.quality.mean() == pytest.approx(known, abs=0.01)
    assert (truth.quality**2 - truth.noise).mean() == pytest.approx(known**2, abs=0.015)


def test_truth_of_a_vote_and_its_square_are_without_bias():
    rng = np.random.default_rng(0)
    right = (rng.random((1_500, 1, 6)) < 0.6).astype(float)
    truth = vote_truth(right, np.where(right > 0.5, 0, 1), 3, rng)
    known = 0.6**3 + 3 * 0.6**2 * 0.4
    assert truth.quality.mean() == pytest.approx(known, abs=0.02)
    assert (truth.quality**2 - truth.noise).mean() == pytest.approx(known**2, abs=0.025)


def test_expected_noise_comes_near_where_halves_are_too_small():
    rng = np.random.default_rng(0)
    p = rng.beta(0.5, 0.7, (3_000, 1))
    truth = coverage_truth((rng.random((3_000, 1, 6)) < p[..., None]).astype(float), 4)
    assert not truth.exact.any()
    assert truth.noise.mean() == pytest.approx(((truth.quality - (1 - (1 - p) ** 4)) ** 2).mean(), rel=0.12)


def test_absent_answers_never_win_a_vote():
    right, answer = np.array([[[1.0, 0.0, 0.0, 0.0]]]), np.array([[[0, -1, -1, -1]]])
    assert vote_truth(right, answer, 4, np.random.default_rng(0)).quality[0, 0] == 1.0


def test_regret_is_what_the_best_action_would_have_brought_more():
    true = Actions(np.array([[0.5, 0.9], [0.5, 0.9]]), np.array([[1.0, 2.0], [1.0, 2.0]]))
    timid = Actions(np.array([[0.5, 0.5], [0.5, 0.5]]), true.cost)
    worths = worth_grid(np.array([1.0, 2.0]))
    expected = np.maximum(0.4 - 1.0 / worths, 0.0).mean()
    groups = np.zeros(2, dtype=np.int64)
    np.testing.assert_allclose(regret(timid, true, groups), expected)
    np.testing.assert_allclose(regret(true, true, groups), 0.0)


def test_configured_prices_bill_the_prompt_once():
    panel = _panel(samples=3, models=1)
    halves = cut(panel, {"m0": Price(1.0, 10.0)}, 1, np.random.default_rng(0))
    assert halves.prompt[0, 0] == pytest.approx(20e-6)
    assert np.sort(np.concatenate((halves.cost[0, 0], halves.held_cost[0, 0]))) == pytest.approx(np.sort(panel.output_tokens[0, 0]) * 10e-6)


def test_ridge_heads_predict_each_query_from_the_others():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, 3))
    y = (x @ np.array([1.0, -1.0, 0.5]))[:, None]
    found = RidgeHeads(x).predict(np.hstack((y, rng.standard_normal((80, 1)))))
    assert np.corrcoef(found[:, 0], y[:, 0])[0, 1] > 0.99
    changed = y.copy()
    changed[0] += 5.0
    assert abs(RidgeHeads(x).predict(changed)[0, 0] - found[0, 0]) < 1.0


def test_items_find_the_order_of_abilities_and_difficulties():
    rng = np.random.default_rng(0)
    ability, hard = np.array([-1.0, 0.0, 1.0, 2.0]), rng.standard_normal(150)
    chance = 1 / (1 + np.exp(-(ability - hard[:, None])))
    rate = rng.binomial(4, chance) / 4
    items = fit_items(rate, np.full(rate.shape, 4.0))
    assert (np.diff(items.ability) > 0.4).all()
    assert np.corrcoef(items.difficulty, hard)[0, 1] > 0.8


def test_sources_are_named_in_the_report(report):
    assert str(Source("m0", "low")) in report["efforts"]["parts"][0]["levels"]
