import numpy as np
import pytest

from onedial.forecasts.token_signal import fit_token_signal

N, S = 400, 2
CHANCE = np.array([0.3, 0.5, 0.7, 0.05])


def _world(seed, right_shift=0.0, state_shift=0.0):
    """Queries in one of four states; tokens shift with the state and with being right."""
    rng = np.random.default_rng(seed)
    weights = np.tile([0.25, 0.25, 0.25, 0.25], (N, 1))
    success = np.tile(CHANCE, (N, S, 1))
    state = rng.integers(0, 4, N)
    score = (rng.random((N, S)) < CHANCE[state][:, None]).astype(float)
    z = rng.normal(0.0, 0.5, (N, S)) + right_shift * score + state_shift * (state == 3)[:, None]
    posterior = np.eye(4)[state]
    return z[:, :, None], score[:, :, None], posterior, success, weights


@pytest.mark.parametrize("shift", [-0.8, 0.8])
def test_a_shift_of_right_samples_is_found(shift):
    signal = fit_token_signal(*_world(0, right_shift=shift), seed=0)
    assert np.abs(signal.right - shift).max() < 0.3


def test_queries_beyond_every_source_are_known_by_their_length():
    signal = fit_token_signal(*_world(1, state_shift=1.5), seed=0)
    others = signal.state[:, :3].mean(axis=1)
    assert (signal.state[:, 3] - others > 0.7).all() and np.abs(signal.right).max() < 0.3


def test_tokens_of_pure_noise_say_next_to_nothing():
    signal = fit_token_signal(*_world(2), seed=0)
    deviation = np.sqrt(signal.shared + signal.own)
    assert np.abs(signal.right / deviation).max() < 0.25 and (np.ptp(signal.state, axis=1) / deviation).max() < 0.5


def test_a_source_without_tokens_says_nothing():
    z, score, posterior, success, weights = _world(3, right_shift=0.8)
    z[:, 1] = np.nan
    signal = fit_token_signal(z, score, posterior, success, weights, seed=0)
    assert signal.right[0] > 0.5 and np.isfinite(signal.state).all() and np.isfinite(signal.right).all()


def test_the_same_seed_gives_the_same_signal():
    one, two = (fit_token_signal(*_world(4, right_shift=0.5), seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.state, two.state)
