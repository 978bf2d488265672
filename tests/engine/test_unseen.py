import numpy as np
import pytest

from onedial.engine.fit import fit_policies
from onedial.engine.recorded import Recorded
from onedial.engine.unseen import FOLDS, unseen_folds
from onedial.forecasts.fit import fit_forecast
from onedial.strategies.draw import Reading
from worlds import MODELS, SOURCES, World


@pytest.fixture(scope="module")
def train():
    world = World(4)
    queries = world.queries(80, "q")
    return Recorded.of(queries, world.outcomes(queries, 3), MODELS)


@pytest.fixture(scope="module")
def fitted(train):
    return fit_forecast(train.panel, 0, train.prices)


@pytest.fixture(scope="module")
def folds(train, fitted):
    return unseen_folds(train, fitted, lambda rows: SOURCES, 0)


def test_every_training_query_is_left_out_once(train, folds):
    assert len(folds) == FOLDS
    assert sorted(np.concatenate([fold.rows for fold in folds])) == list(range(len(train.queries)))
    assert all(fold.recorded.queries == tuple(train.queries[i] for i in fold.rows) for fold in folds)


def test_what_is_forecast_of_a_query_does_not_change_with_its_outcomes(train, fitted, folds):
    turned = train.panel.score.copy()
    turned[folds[0].rows] = 1.0 - turned[folds[0].rows]
    changed = Recorded(type(train.panel)(**{**_fields(train.panel), "score": turned}), train.recording, train.prices, train.caches)
    again = unseen_folds(changed, fitted, lambda rows: SOURCES, 0)
    np.testing.assert_array_equal(again[0].latents.mu, folds[0].latents.mu)
    assert (again[1].latents.mu != folds[1].latents.mu).any()


def test_sources_are_narrowed_on_the_other_queries_alone(train, fitted):
    seen = []
    unseen_folds(train, fitted, lambda rows: seen.append(rows) or SOURCES[:2], 0)
    assert all(len(rows) == 60 for rows in seen) and len(seen) == FOLDS


def test_too_few_queries_for_folds_use_the_fit_of_all(train, fitted):
    few = train.rows(np.arange(24))
    fit = fit_forecast(few.panel, 0, few.prices)
    (only,) = unseen_folds(few, fit, lambda rows: SOURCES, 0)
    assert only.forecast is fit.forecast and only.latents is fit.latents


def test_a_rung_is_known_by_what_it_reached_on_queries_its_fit_had_not_seen(world):
    """Scores of pure luck: a ladder that was scored on its own queries would look better in training than it is."""
    rng = np.random.default_rng(0)
    queries = world.queries(240, "luck")
    outcomes = [o.__class__(**{**_fields(o), "score": float(rng.random() < 0.5)}) for o in world.outcomes(queries, 2)]
    train, proof = (Recorded.of(part, outcomes, MODELS) for part in (queries[:120], queries[120:]))
    fitting = fit_policies(train, proof, MODELS, Reading(), 0)
    rungs = len(fitting.fit.worths)
    assert abs(fitting.train.quality[:rungs].mean() - fitting.proof.quality[:rungs].mean()) < 0.05


def _fields(value):
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
