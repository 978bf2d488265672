import numpy as np
import pytest

from onedial.forecasts.dispersion import fit_dispersion
from onedial.forecasts.latents import after_failures, at_nodes, concentrations, coverage, log_run


def draws(rng, n, mu, kappa, pi0, k):
    """(n,) right samples among k of each query, from the model itself."""
    p = np.where(rng.random(n) < pi0, 0.0, rng.beta(mu * kappa, (1 - mu) * kappa, n))
    return rng.binomial(k, p)


def test_coverage_is_the_share_of_queries_that_any_of_n_samples_solves():
    rng = np.random.default_rng(0)
    right = draws(rng, 200_000, 0.3, 1.5, 0.2, 6)
    assert coverage(np.array(0.3), np.array(1.5), np.array(0.2), 6) == pytest.approx((right > 0).mean(), abs=0.004)


def test_the_plug_in_formula_overstates_the_value_of_sampling():
    mean = np.array(0.3)
    assert coverage(mean, np.array(1.0), np.array(0.0), 8) < 1 - (1 - 0.3) ** 8 - 0.1


def test_success_after_failures_falls_as_the_posterior_says():
    rng = np.random.default_rng(1)
    p = np.where(rng.random(400_000) < 0.2, 0.0, rng.beta(0.6, 1.4, 400_000))
    failed = rng.random((3, p.size)) >= p
    seen = p[failed.all(axis=0)].mean()
    assert after_failures(np.array(0.3), np.array(2.0), np.array(0.2), 3) == pytest.approx(seen, abs=0.003)


def test_probabilities_of_all_runs_sum_to_one():
    runs = [log_run(np.array(i.bit_count()), np.array(5), np.array(0.4), np.array(2.0), np.array(0.1)) for i in range(32)]
    assert np.exp(runs).sum() == pytest.approx(1.0)


@pytest.mark.parametrize(("sigma", "beyond"), [(1.0, 0.0), (0.5, 0.3)])
def test_the_states_of_a_query_keep_the_mean(sigma, beyond):
    mu = np.array([[0.1, 0.5, 0.65]])
    success, weights = at_nodes(mu, sigma, np.array([beyond]), np.full(3, 0.05))
    assert success[0] @ weights[0] == pytest.approx(mu[0], abs=0.015)
    assert success[0, :, -1] == pytest.approx(0.05) and weights.sum() == pytest.approx(1.0)


@pytest.mark.parametrize(("kappa", "pi0", "sigma"), [(8.0, 0.0, 0.0), (1.5, 0.3, 0.0), (30.0, 0.0, 1.5)])
def test_dispersion_is_found_again_in_data_made_with_it(kappa, pi0, sigma):
    rng = np.random.default_rng(2)
    n, sources, k = 800, 4, 6
    never, guess = np.zeros(n), np.full(sources, 0.05)
    mean = rng.uniform(0.2, 0.6, (n, 1)).repeat(sources, axis=1)
    success, weights = at_nodes(mean, sigma, never, guess)
    state = rng.choice(weights.shape[1], n, p=weights[0])
    shifted = np.take_along_axis(success, state[:, None, None], axis=2)[..., 0]
    p = rng.beta(shifted * kappa, (1 - shifted) * kappa) * (rng.random((n, sources)) >= pi0)
    found = fit_dispersion(mean * (1 - pi0), rng.binomial(k, p).astype(float), np.full((n, sources), float(k)), never, guess)
    assert found.sigma == pytest.approx(sigma, abs=0.51)
    assert np.median(found.pi0) == pytest.approx(pi0, abs=0.1)
    assert 0.4 < np.median(found.kappa) / kappa < 2.5


@pytest.mark.parametrize(("agree", "trap"), [(0.1, 0.3), (0.5, 0.1), (0.9, 0.6)])
def test_two_concentrations_have_the_mean_and_the_spread_of_the_chance_of_agreeing(agree, trap):
    theta, weight = concentrations(agree, trap)
    chance = 1 / (1 + theta)
    assert weight @ chance == pytest.approx(agree, abs=1e-3)
    assert weight @ (chance - agree) ** 2 == pytest.approx(trap * agree * (1 - agree), rel=0.02)
