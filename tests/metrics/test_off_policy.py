import numpy as np
import pytest

from onedial.core.errors import TableError
from onedial.metrics.off_policy import Log, doubly_robust, inverse_propensity, self_normalised

CHANCE = np.array([0.2, 0.5, 0.3])
"""With which the log chose each of three actions, whatever the query."""


def logged(rng, n=400):
    """A log, its quality per query and action, and a target that prefers what suits the query: all known."""
    ease = rng.random(n)
    quality = np.stack([ease**3, ease, np.sqrt(ease)], axis=1)
    target = np.where(ease[:, None] < 0.5, [0.1, 0.1, 0.8], [0.6, 0.3, 0.1])
    action = rng.choice(3, n, p=CHANCE)
    value = (rng.random(n) < quality[np.arange(n), action]).astype(float)
    return Log(action, CHANCE[action], value, target), quality, ease


def runs(n_runs=400):
    """(n_runs, 5): estimate less truth of the three estimators, of the last with a better model, and the error that this one states."""
    rng, found = np.random.default_rng(0), []
    for _ in range(n_runs):
        log, quality, ease = logged(rng)
        truth = (log.target * quality).sum(axis=1).mean()
        crude = np.repeat(ease[:, None], 3, axis=1)  # knows the query, not the action
        good = doubly_robust(log, quality)
        made = (inverse_propensity(log), self_normalised(log), doubly_robust(log, crude), good)
        found.append([*(estimate.mean - truth for estimate in made), good.standard_error])
    return np.array(found)


@pytest.fixture(scope="module")
def errors():
    return runs()


def test_they_are_unbiased_on_logs_whose_truth_is_known(errors):
    mean, spread = errors[:, :4].mean(axis=0), errors[:, :4].std(axis=0) / np.sqrt(len(errors))
    assert (np.abs(mean) < 3.5 * spread + np.array([0.0, 0.002, 0.0, 0.0])).all()


def test_a_model_makes_the_estimate_steadier_even_a_crude_one_and_the_error_stated_is_that_made(errors):
    plain, normalised, crude, good = errors[:, :4].std(axis=0)
    assert good < normalised < plain and good < crude < 0.9 * plain
    assert errors[:, 4].mean() == pytest.approx(good, rel=0.15)


def test_a_model_that_is_wrong_does_no_harm_to_the_mean():
    rng, gaps = np.random.default_rng(3), []
    for _ in range(300):
        log, quality, ease = logged(rng)
        gaps.append(doubly_robust(log, np.repeat(1 - ease[:, None], 3, axis=1)).mean - (log.target * quality).sum(axis=1).mean())
    assert abs(np.mean(gaps)) < 3.5 * np.std(gaps) / np.sqrt(len(gaps))


def test_a_small_log_computed_by_hand():
    log = Log(np.array([0, 1, 1]), np.array([0.5, 0.5, 0.25]), np.array([1.0, 0.0, 1.0]), np.array([[1.0, 0.0], [0.5, 0.5], [0.5, 0.5]]))
    assert log.ratio.tolist() == [2.0, 1.0, 2.0]
    assert log.effective_n == pytest.approx(25 / 9)
    assert inverse_propensity(log).mean == pytest.approx(4 / 3)
    assert inverse_propensity(log).standard_error == pytest.approx(np.sqrt((2 * (2 / 3) ** 2 + (4 / 3) ** 2) / 6))
    assert self_normalised(log).mean == pytest.approx(4 / 5)
    predicted = np.array([[0.5, 0.0], [0.5, 0.5], [1.0, 0.5]])
    # model 0.5, 0.5, 0.75; corrections 2 x 0.5, 1 x -0.5, 2 x 0.5
    assert doubly_robust(log, predicted).mean == pytest.approx((1.5 + 0.0 + 1.75) / 3)


def test_the_logging_policy_itself_is_its_plain_mean():
    rng = np.random.default_rng(1)
    action, value = rng.choice(3, 50, p=CHANCE), rng.random(50)
    log = Log(action, CHANCE[action], value, np.tile(CHANCE, (50, 1)))
    assert inverse_propensity(log).mean == pytest.approx(value.mean()) == pytest.approx(self_normalised(log).mean)
    assert log.effective_n == pytest.approx(50)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"propensity": [np.nan, 0.5]}, "1 are absent"),
        ({"propensity": [0.0, 0.5]}, "1 are not in"),
        ({"propensity": [0.5, 1.5]}, "1 are not in"),
        ({"target": [[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]]}, r"plays actions \[2\] on 12.5 %"),
        ({"target": [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]}, "never plays what was logged"),
        ({"target": [[0.5, 0.4, 0.0], [1.0, 0.0, 0.0]]}, "sum to 1"),
        ({"value": [np.nan, 1.0]}, "1 of 2 logged values are missing"),
        ({"action": [0, 3]}, "3 columns"),
        ({"value": [1.0]}, "one of each per query"),
    ],
)
def test_a_log_from_which_nothing_follows_is_refused(change, message):
    good = {"action": [0, 1], "propensity": [0.5, 0.5], "value": [1.0, 0.0], "target": [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]}
    made = {name: np.array(value) for name, value in (good | change).items()}
    with pytest.raises(TableError, match=message):
        Log(**made)


def test_predictions_must_cover_every_action():
    log = Log(np.array([0]), np.array([0.5]), np.array([1.0]), np.array([[1.0, 0.0]]))
    with pytest.raises(TableError, match="one number for each"):
        doubly_robust(log, np.array([[0.5]]))
    with pytest.raises(TableError, match="1 of them not finite"):
        doubly_robust(log, np.array([[0.5, np.nan]]))
