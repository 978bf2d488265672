import io

import numpy as np
import pytest

from onedial.core.errors import ConfigError
from onedial.core.query import Query
from onedial.forecasts.learners.choose import choose_learner, likelihoods
from onedial.forecasts.learners.contract import cross_fitted, filled
from onedial.forecasts.learners.reader import Reader
from onedial.forecasts.learners.registry import RECIPES, restore
from onedial.forecasts.learners.space import fit_space
from onedial.forecasts.learners.views import view
from onedial.forecasts.sketch import sketch
from worlds import SOURCES, World

WORLD = World(3)
S = len(SOURCES)


def lesson(queries, samples=2):
    """(sketch, outputs, right, draws): success of every source, and log tokens of the first two."""
    panel = WORLD.panel(queries, samples)
    draws = np.isfinite(panel.score).sum(axis=2).astype(float)
    right = np.nansum(panel.score, axis=2)
    tokens = 0.3 * np.log(panel.output_tokens.mean(axis=2))[:, :2]
    return sketch(queries), np.column_stack((right / draws, tokens)), right, draws


def truth(queries):
    return np.array([[WORLD.success(query, source) for source in SOURCES] for query in queries])


TRAIN, TEST = WORLD.queries(240, "train"), WORLD.queries(150, "test")
X, Y, RIGHT, DRAWS = lesson(TRAIN)
SPACE = fit_space(X, 0)
VIEW, LATER = ({sees: view(sees, x, SPACE) for sees in ("space", "features", "words")} for x in (X, sketch(TEST)))


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_learner_learns_from_text_and_only_the_mean_does_not(recipe):
    found = recipe.fit(VIEW[recipe.sees], Y, S, 0).predict(LATER[recipe.sees])[:, :S]
    error, constant = ((found - truth(TEST)) ** 2).mean(), ((truth(TEST) - Y[:, :S].mean(axis=0)) ** 2).mean()
    assert error < (1.001 if recipe.name == "mean" else 0.75) * constant


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_learner_copes_with_missing_cells_and_an_output_never_seen(recipe):
    holes = np.where(np.random.default_rng(0).random(Y.shape) < 0.5, np.nan, Y)
    holes[:, -1] = np.nan
    found = recipe.fit(VIEW[recipe.sees], holes, S, 0).predict(LATER[recipe.sees])
    assert np.isfinite(found).all()
    assert np.abs(found[:, :S].mean(axis=0) - truth(TEST).mean(axis=0)).max() < 0.15


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_learner_is_the_same_after_it_was_stored(recipe):
    learner = recipe.fit(VIEW[recipe.sees][:60], Y[:60], S, 0)
    again = restore(learner.kind, {name: stored(value) for name, value in learner.arrays().items()})
    assert (again.predict(LATER[recipe.sees]) == learner.predict(LATER[recipe.sees])).all()


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_learner_copes_with_queries_that_all_look_alike(recipe):
    alike = sketch([Query(str(i), "-") for i in range(60)])
    space = fit_space(alike, 0)
    seen = view(recipe.sees, alike, space)
    found = recipe.fit(seen, Y[:60], S, 0).predict(seen[:3])
    assert np.isfinite(found).all() and (found[0] == found[1]).all()


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_forecasts_of_training_queries_have_not_seen_their_own_outcomes(recipe):
    changed = Y[:60].copy()
    changed[7] = 1.0 - changed[7]
    x = VIEW[recipe.sees][:60]
    if recipe.unseen:
        one, two = recipe.unseen(x, Y[:60], S, 0)[1], recipe.unseen(x, changed, S, 0)[1]
        assert np.abs(one[7] - two[7]).max() < 0.1 < np.abs(changed[7] - Y[7]).max()  # bootstraps see which rows, not what they hold
    else:
        assert (cross_fitted(recipe, x, Y[:60], S, 0)[7] == cross_fitted(recipe, x, changed, S, 0)[7]).all()


def stored(value):
    """Through an npz file, which refuses what is not a plain array."""
    file = io.BytesIO()
    np.savez(file, value=value)
    file.seek(0)
    return np.load(file, allow_pickle=False)["value"]


def test_a_learner_is_chosen_that_beats_the_mean_on_queries_never_seen():
    chosen = choose_learner(X, Y, RIGHT, DRAWS, 0)
    assert chosen.name != "mean" and chosen.out_of_fold.shape == Y.shape
    found = chosen.learner.predict(sketch(TEST))[:, :S]
    assert ((found - truth(TEST)) ** 2).mean() < 0.55 * ((truth(TEST) - Y[:, :S].mean(axis=0)) ** 2).mean()
    again = Reader.from_arrays({name: stored(value) for name, value in chosen.learner.arrays().items()})
    assert (again.predict(sketch(TEST)) == chosen.learner.predict(sketch(TEST))).all()


def test_labels_that_have_nothing_to_do_with_the_text_are_met_with_the_mean():
    taken = []
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(len(X))
        taken.append(choose_learner(X, Y[order], RIGHT[order], DRAWS[order], seed, ("ridge", "logistic", "knn")).name)
    assert taken.count("mean") >= 3


def test_fractional_successes_and_missing_sources_count_by_what_is_there():
    rate, draws = np.full((40, 2), 0.3), np.ones((40, 2))
    draws[:, 1] = 0.0
    found = likelihoods(np.full((40, 2), 0.3), rate * draws, draws, 0)
    assert found == pytest.approx(0.3 * np.log(0.3) + 0.7 * np.log(0.7), abs=1e-6)


def test_missing_cells_are_filled_by_what_goes_along_with_them():
    rng = np.random.default_rng(0)
    whole = rng.standard_normal((200, 1)) @ np.ones((1, 8)) + 0.1 * rng.standard_normal((200, 8))
    holes = np.where(rng.random(whole.shape) < 0.3, np.nan, whole)
    missing = np.isnan(holes)
    assert ((filled(holes) - whole)[missing] ** 2).mean() < 0.3 * whole.var()
    assert (filled(holes)[~missing] == whole[~missing]).all()


def test_an_unknown_kind_of_learner_is_refused():
    with pytest.raises(ConfigError, match="unknown kind of learner 'tree'"):
        restore("tree", {})


def test_where_all_queries_look_alike_the_mean_is_taken():
    alike = sketch([Query(str(i), "-") for i in range(60)])
    chosen = choose_learner(alike, Y[:60], RIGHT[:60], DRAWS[:60], 0)
    assert chosen.name == "mean" and set(chosen.scores) == {"mean"}
    assert chosen.learner.predict(alike.rows([0]))[0] == pytest.approx(Y[:60].mean(axis=0))


def test_rare_words_that_decide_are_learned_from_many_queries_by_the_words_alone():
    rng, kinds = np.random.default_rng(0), 500
    easy = rng.random(kinds) < 0.5
    kind = rng.integers(0, kinds, 3000)
    x = sketch([Query(str(i), f"say what zq{k}x is like {rng.integers(0, 9)}") for i, k in enumerate(kind)])
    y = (rng.random((3000, 1)) < np.where(easy[kind], 0.9, 0.1)[:, None]).astype(float)
    train, test = np.arange(2000), np.arange(2000, 3000)
    space, error = fit_space(x.rows(train), 0), {}
    for name in ("words", "logistic"):
        seen, later = (view(RECIPES[name].sees, x.rows(rows), space) for rows in (train, test))
        error[name] = ((RECIPES[name].fit(seen, y[train], 1, 0).predict(later)[:, 0] - np.where(easy[kind[test]], 0.9, 0.1)) ** 2).mean()
    assert error["words"] < 0.75 * error["logistic"]
