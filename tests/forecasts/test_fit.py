import numpy as np
import pytest

from onedial.core.errors import TableError
from onedial.core.outcome import Outcome, Panel
from onedial.core.query import Query
from onedial.forecasts.features import WIDTH, features
from onedial.forecasts.fit import fit_forecast
from worlds import SOURCES, World

WORLD = World(3)
TRAIN = WORLD.queries(300, "train")
FITTED = fit_forecast(WORLD.panel(TRAIN, 4))
TEST = WORLD.queries(200, "test")


def truth(queries):
    return np.array([[WORLD.success(query, source) for source in SOURCES] for query in queries])


def test_features_read_the_text_alone():
    one, two = Query("a", "count #1", reference="x", dataset="d"), Query("b", "count #1")
    assert features([one, two]).shape == (2, WIDTH)
    assert (features([one])[0] == features([two])[0]).all()


def test_success_on_unseen_queries_is_forecast_from_their_text():
    found, true = FITTED.forecast.latents(TEST).success, truth(TEST)
    constant = ((true - true.mean(axis=0)) ** 2).mean()
    assert ((found - true) ** 2).mean() < 0.55 * constant
    assert np.abs(found.mean(axis=0) - true.mean(axis=0)).max() < 0.08


def test_training_queries_are_forecast_without_their_own_outcomes():
    error_train = ((FITTED.latents.success - truth(TRAIN)) ** 2).mean()
    error_test = ((FITTED.forecast.latents(TEST).success - truth(TEST)) ** 2).mean()
    assert error_train > 0.7 * error_test


def test_tokens_and_verdicts_are_forecast_too():
    latents = FITTED.forecast.latents(TEST)
    thinks = [j for j, s in enumerate(SOURCES) if s.effort == "2"]
    level = np.array([int(q.id.split("-")[-2]) for q in TEST])
    assert np.corrcoef(latents.output_tokens[:, thinks[0]], 5 + 4 * level)[0, 1] > 0.94
    picks = np.array([q.prompt.startswith("pick") for q in TEST])
    assert latents.p_check[picks].min() > 0.75 and latents.p_check[~picks].max() < 0.4


def test_how_often_wrong_answers_agree_is_learned():
    agree = FITTED.forecast.latents(TEST).agree  # four equally likely wrong answers
    assert np.median(agree) == pytest.approx(0.25, abs=0.08)
    assert FITTED.forecast.trap < 0.3


def test_a_perfect_verifier_is_recognised():
    assert FITTED.forecast.p_accept_right == 1.0 and FITTED.forecast.p_accept_wrong == 0.0


def test_a_source_without_outcomes_on_some_queries_is_filled_in():
    outcomes = [o for o in WORLD.outcomes(TRAIN, 3) if o.model != "large" or hash(o.query_id) % 2]
    found = fit_forecast(Panel.of(TRAIN, outcomes, SOURCES)).forecast.latents(TEST).success
    assert np.abs(found.mean(axis=0) - truth(TEST).mean(axis=0)).max() < 0.1


def test_too_few_queries_and_an_empty_source_are_refused():
    few = TRAIN[:5]
    with pytest.raises(TableError, match="5 queries with graded outcomes; fitting needs at least 20"):
        fit_forecast(WORLD.panel(few, 2))
    outcomes = [o for o in WORLD.outcomes(TRAIN, 2) if o.model != "large"]
    with pytest.raises(TableError, match="no graded outcome of large"):
        fit_forecast(Panel.of(TRAIN, outcomes, SOURCES))


def test_queries_without_text_are_forecast_alike_by_what_their_sources_show():
    asked = WORLD.queries(60)
    textless = [Query.without_text(query.id) for query in asked]
    fitted = fit_forecast(Panel.of(textless, WORLD.outcomes(asked, 4), SOURCES))
    mu = fitted.forecast.latents(textless[:3]).mu
    assert (mu == mu[0]).all()
    rate = np.nanmean(WORLD.panel(asked, 4).score, axis=(0, 2))
    assert np.abs(mu[0] - rate).max() < 0.12


def test_prompt_tokens_that_are_not_known_are_forecast():
    known = FITTED.forecast.latents(TEST[:3]).input_tokens
    given = np.where(np.arange(len(SOURCES)) == 1, 7.0, np.nan) * np.ones((3, 1))
    found = FITTED.forecast.latents(TEST[:3], given).input_tokens
    assert (found[:, 1] == 7.0).all() and np.isfinite(found).all()
    assert np.array_equal(np.delete(found, 1, axis=1), np.delete(known, 1, axis=1))


@pytest.mark.parametrize(("name", "free"), [("one text", False), ("a text of its own", True)])
def test_two_sources_of_one_sample_each_tell_whether_right_answers_are_alike(name, free):
    """The better of two has nothing to agree with but the other."""
    rng = np.random.default_rng(0)
    queries = [Query(f"q{i}", f"question {i}") for i in range(60)]
    right = {"weak": rng.random(60) < 0.5, "strong": rng.random(60) < 0.8}
    told = {True: "a text of {0}" if free else "one text", False: "wrong of {0}"}
    outcomes = [
        Outcome(q.id, model, None, 0, float(ok), told[bool(ok)].format(model), 10, 20)
        for model, rights in right.items()
        for q, ok in zip(queries, rights, strict=True)
    ]
    assert fit_forecast(Panel.of(queries, outcomes)).forecast.free_form is free, name
