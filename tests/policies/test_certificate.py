import numpy as np
import pytest
from scipy.stats import binom

from onedial.core.errors import ConfigError, TableError
from onedial.policies.betting import betting_p_value, log_wealth
from onedial.policies.bounds import TESTS, hoeffding_bentkus_p_value, lower_bound, named_test
from onedial.policies.certificate import Certificate, certify_drop, certify_quality, outcomes_needed, power

RUNS = 240
DELTA = 0.1


def drops_of(rng, shape, discordance, drop):
    """Drops of -1, 0, 1 with this share of disagreements and this mean."""
    u = rng.random(shape)
    lost = (discordance + drop) / 2
    return np.where(u < lost, 1.0, np.where(u < discordance, -1.0, 0.0))


def right(ability, hard):
    return 1 / (1 + np.exp(-(ability - hard) * 1.5))


def world(rng, n):
    """A reference, and five policies that send ever harder queries to a smaller model.

    Returns the drops on n held-out queries, safest policy first, and the true mean drops.
    """
    reference, small = rng.uniform(1.5, 3.0), rng.uniform(-0.5, 1.0)
    cuts = np.sort(rng.uniform(-2.5, 1.0, size=5))
    grid = np.linspace(-4, 4, 4001)
    density = np.exp(-(grid**2) / 2) / np.exp(-(grid**2) / 2).sum()
    gap = right(reference, grid) - right(small, grid)
    true = np.array([(density * gap * (grid < cut)).sum() for cut in cuts])
    hard = rng.standard_normal(n)
    y_reference, y_small = (rng.random(n) < right(a, hard) for a in (reference, small))
    drops = np.where(hard < cuts[:, None], y_reference.astype(float) - y_small, 0.0)
    return drops, true


def allowed(runs):
    """The most violations in `runs` that a rate of DELTA explains at the 99.9 % point."""
    return int(binom.ppf(0.999, runs, DELTA))


def test_on_worlds_with_known_truth_false_certificates_are_rare_and_true_ones_are_issued():
    rng, epsilon, names = np.random.default_rng(7), 0.02, [f"p{j}" for j in range(5)]
    issued = wrong = able = issued_when_able = 0
    for run in range(RUNS):
        drops, true = world(rng, 600)
        found = certify_drop(drops, names, epsilon=epsilon, delta=DELTA, seed=run)
        issued += found.index is not None
        wrong += found.index is not None and true[found.index] > epsilon
        if true[0] < epsilon / 4:  # the safest policy is truly good, with room to show it
            able += 1
            issued_when_able += found.index is not None
    assert wrong <= allowed(RUNS), f"{wrong} of {RUNS} certificates were false"
    assert able >= 50 and issued_when_able / able >= 0.8, f"{issued_when_able} of {able} possible certificates issued"
    assert issued > 0.4 * RUNS


@pytest.mark.parametrize("test", sorted(TESTS))
@pytest.mark.parametrize(("discordance", "epsilon", "n"), [(0.1, 0.02, 300), (0.04, 0.04, 150), (0.5, 0.05, 80)])
def test_at_the_worst_truth_a_drop_of_epsilon_the_level_holds(test, discordance, epsilon, n):
    drops = drops_of(np.random.default_rng(3), (2000, n), discordance, epsilon)
    p = named_test(test)((1 - drops) / 2, (1 - epsilon) / 2, DELTA)
    assert (p <= DELTA).sum() <= allowed(2000)


@pytest.mark.parametrize("test", sorted(TESTS))
def test_the_level_holds_for_an_absolute_target_exactly_met(test):
    right_or_wrong = (np.random.default_rng(4).random((2000, 200)) < 0.92).astype(float)
    assert (named_test(test)(right_or_wrong, 0.92, DELTA) <= DELTA).sum() <= allowed(2000)


def test_wealth_is_a_supermartingale_under_the_hypothesis_so_its_mean_at_the_end_of_a_short_game_is_one():
    outcomes = np.array(np.meshgrid(*[[0.0, 1.0]] * 8)).reshape(8, -1).T
    weight = np.prod(np.where(outcomes == 1, 0.7, 0.3), axis=1)
    reached = np.exp(log_wealth(outcomes, 0.7, 0.3)) >= 1 / 0.3
    assert weight[reached].sum() <= 0.3


def test_the_power_is_that_measured_and_not_less():
    rng = np.random.default_rng(0)
    draws = {n: (1 - drops_of(rng, (1500, n), 0.1, 0.0)) / 2 for n in (400, 1600)}
    found = {n: (betting_p_value(x, 0.49, DELTA) <= DELTA).mean() for n, x in draws.items()}
    assert found[400] == pytest.approx(0.43, abs=0.05)
    assert found[1600] == pytest.approx(0.85, abs=0.04)


def test_betting_certifies_where_the_variance_is_small_and_hoeffding_bentkus_cannot():
    drops = drops_of(np.random.default_rng(5), (1, 1000), 0.03, 0.0)
    assert certify_drop(drops, ["p"], epsilon=0.02).certificate.certified
    assert not certify_drop(drops, ["p"], epsilon=0.02, test="hoeffding-bentkus").certificate.certified


def test_the_walk_stops_at_the_first_policy_not_shown_good_even_if_a_later_one_would_pass():
    good, bad = np.zeros(400), drops_of(np.random.default_rng(1), 400, 0.3, 0.2)
    found = certify_drop(np.stack([good, bad, good]), ["safe", "bad", "cheap"], epsilon=0.02)
    assert found.index == 0 and found.certificate.policy_hash == "safe"
    assert found.p_values[2] <= DELTA < found.p_values[1]


def test_a_good_walk_ends_at_the_cheapest_policy():
    found = certify_quality(np.ones((3, 200)), ["a", "b", "c"], target=0.9)
    assert found.index == 2 and found.certificate.sentence.startswith("Certified: at least 90 % right, with 90 % confidence")


def test_too_few_outcomes_cannot_certify_and_say_how_many_more_would_do():
    found = certify_drop(np.zeros((1, 40)), ["p"], epsilon=0.02)
    assert found.index is None and not found.certificate.certified
    needed = found.certificate.outcomes_needed
    assert needed is not None and 60 <= needed <= 140
    assert f"about {needed:,} more outcomes" in found.certificate.sentence
    assert certify_drop(np.zeros((1, 40 + needed)), ["p"], epsilon=0.02).certificate.certified


def test_a_policy_that_is_observed_to_be_too_bad_is_told_that_more_outcomes_will_not_help():
    found = certify_quality(np.repeat([[1.0, 0.0]], 50, axis=0).reshape(1, -1), ["p"], target=0.9)
    assert found.certificate.outcomes_needed is None and "will not help" in found.certificate.sentence


def test_the_number_of_outcomes_said_to_be_needed_gives_the_power_said():
    rng = np.random.default_rng(11)
    values = (1 - drops_of(rng, 400, 0.1, 0.0)) / 2
    null = values.mean() - 0.01
    needed = outcomes_needed(values, null, DELTA, "betting")
    assert needed is not None and needed < 3000
    assert 0.75 <= power(values, null, DELTA, 400 + needed, "betting", rng) <= 0.93


def test_sorting_the_outcomes_by_their_value_does_not_buy_a_certificate():
    rng, bought = np.random.default_rng(2), 0
    for run in range(80):
        worst_first = np.sort(drops_of(rng, (1, 200), 0.3, 0.05))[:, ::-1]
        bought += certify_drop(worst_first, ["p"], epsilon=0.05, seed=run).index is not None
    assert bought <= allowed(80)


@pytest.mark.parametrize("test", sorted(TESTS))
def test_the_bound_covers_the_mean_and_lies_on_the_side_of_the_verdict(test):
    rng, missed = np.random.default_rng(8), 0
    for _ in range(60):
        missed += lower_bound((rng.random(120) < 0.8).astype(float), DELTA, test) > 0.8
    assert missed <= int(binom.ppf(0.999, 60, DELTA))
    sure = certify_drop(np.zeros((1, 400)), ["p"], epsilon=0.02, test="betting").certificate
    assert 0 < sure.bound <= sure.limit


def test_hoeffding_bentkus_does_not_depend_on_the_order():
    values = np.random.default_rng(0).random(50)
    assert hoeffding_bentkus_p_value(values, 0.4) == hoeffding_bentkus_p_value(np.sort(values), 0.4)


def test_a_certificate_survives_json_and_another_version_is_refused():
    made = certify_drop(np.zeros((1, 40)), ["p"], epsilon=0.02).certificate
    assert Certificate.from_json(made.to_json()) == made
    with pytest.raises(ConfigError, match="version 9"):
        Certificate.from_json(made.to_json().replace('"version": 1', '"version": 9'))
    with pytest.raises(ConfigError, match="not a certificate"):
        Certificate.from_json("[]")


@pytest.mark.parametrize(
    ("drops", "hashes", "message"),
    [
        (np.zeros((1, 0)), ["p"], "at least 1 outcome"),
        (np.zeros((2, 5)), ["p"], "one row per policy"),
        (np.array([[0.0, np.nan]]), ["p"], "1 of 2 outcomes are ungraded"),
        (np.array([[0.0, 3.0]]), ["p"], r"expected \[-1, 1\]"),
    ],
)
def test_outcomes_that_cannot_be_tested_are_refused(drops, hashes, message):
    with pytest.raises(TableError, match=message):
        certify_drop(drops, hashes, epsilon=0.02)


@pytest.mark.parametrize("level", [{"epsilon": 1.5}, {"epsilon": 0.1, "delta": 0.0}, {"epsilon": 0.1, "test": "beting"}])
def test_levels_out_of_range_and_unknown_tests_are_refused(level):
    with pytest.raises(ConfigError):
        certify_drop(np.zeros((1, 5)), ["p"], **level)
