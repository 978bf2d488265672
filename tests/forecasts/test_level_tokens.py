import numpy as np
import pytest

from onedial.core.arm import Source
from onedial.forecasts.level_tokens import fit_level_tokens

LEVELS = {"low": 500, "medium": 1500, "high": 5000}


def planted(models=5, queries=80, samples=2, seed=0, apart=0.0):
    """Tokens of samples around what a level means to each model, and the true mean of every source."""
    rng = np.random.default_rng(seed)
    wordy = np.exp(0.4 * rng.standard_normal(models))
    sources = [Source(f"m{m}", label) for m in range(models) for label in LEVELS]
    middle = np.log([wordy[m] * u for m in range(models) for u in LEVELS.values()])
    middle += apart * rng.standard_normal(len(middle))
    tokens = np.exp(middle[None, :, None] + 0.5 * rng.standard_normal((queries, len(sources), samples)))
    return sources, tokens, np.exp(middle + 0.125)


def test_every_source_gets_its_own_mean_and_quantiles_in_order():
    sources, tokens, means = planted()
    fitted = fit_level_tokens(sources, tokens)
    for j, source in enumerate(sources):
        used = fitted.used(source)
        assert used.mean == pytest.approx(means[j], rel=0.15) and used.half < used.mean < used.most and used.queries == 80
        assert np.mean(tokens[:, j] <= used.half) == pytest.approx(0.5, abs=0.12)
        assert np.mean(tokens[:, j] <= used.most) == pytest.approx(0.95, abs=0.05)


def test_a_level_that_a_model_was_never_asked_for_is_learned_from_the_others_with_more_doubt():
    sources, tokens, means = planted(apart=0.3)
    left_out = sources.index(Source("m2", "high"))
    unseen = tokens.copy()
    unseen[:, left_out] = np.nan
    borrowed, own = (fit_level_tokens(sources, t).used(sources[left_out]) for t in (unseen, tokens))
    assert borrowed.queries == 0 and borrowed.mean == pytest.approx(means[left_out], rel=0.5)
    assert borrowed.most / borrowed.half > own.most / own.half


def test_a_few_samples_are_held_to_what_the_others_use():
    sources, tokens, means = planted(seed=4)
    few = tokens.copy()
    few[1:, 0] = np.nan
    few[0, 0] = 40 * means[0]
    used = fit_level_tokens(sources, few).used(sources[0])
    assert used.queries == 1 and used.mean < 20 * means[0]


def test_a_model_that_was_never_seen_borrows_nothing():
    sources, tokens, _ = planted(models=3)
    fitted = fit_level_tokens(sources, tokens)
    assert fitted.used(Source("new", "low")) is None and fitted.used(Source("m0", "utmost")).queries == 0


@pytest.mark.parametrize("tokens", [np.full((3, 2, 1), np.nan), np.zeros((0, 2, 0))])
def test_without_recorded_tokens_nothing_is_known(tokens):
    assert fit_level_tokens([Source("a"), Source("b")], tokens).used(Source("a")) is None


def test_of_one_source_or_of_samples_that_are_all_alike_what_was_seen_is_told():
    used = fit_level_tokens([Source("a")], np.full((4, 1, 2), 30.0)).used(Source("a"))
    assert (used.mean, used.half, used.most) == pytest.approx((30.0, 30.0, 30.0))
