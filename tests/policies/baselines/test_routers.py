"""One exam for every router that decides before the first token."""

from dataclasses import replace

import numpy as np
import pytest

from lessons import skill_case, topic_case, uneven_case
from onedial.core.errors import ConfigError
from onedial.forecasts.features import WIDTH, features
from onedial.metrics.hull import hull_cost_at_quality
from onedial.policies.baselines.contract import RouterRecipe
from onedial.policies.baselines.crossfit import cross_picks, earned, folds_for, lesson_of
from onedial.policies.baselines.registry import KNOWS_THE_DATASET, ROUTERS
from onedial.policies.grid import Grid, fixed_arms

CASES = {"topic": topic_case, "skill": lambda: skill_case(n=80), "uneven": uneven_case}
TEXT = [name for name in ROUTERS if name != "random" and name not in KNOWS_THE_DATASET]


@pytest.fixture(scope="module")
def cases():
    return {name: make() for name, make in CASES.items()}


@pytest.fixture(scope="module")
def routers(cases):
    """Every recipe fitted to every case, once."""
    return {(name, which): ROUTERS[name].fit(case.lesson) for name in ROUTERS for which, case in cases.items()}


def unseen_grid(case):
    """The arms of the lesson on queries that nothing was fitted to."""
    found = fixed_arms(case.test.panel, case.test.prices, np.random.default_rng(0))
    return found.columns([found.arms.index(arm) for arm in case.lesson.grid.arms])


def picks_on(router, queries):
    return router.picks(queries, features(queries))


@pytest.mark.parametrize("which", CASES)
@pytest.mark.parametrize("name", ROUTERS)
def test_a_router_picks_a_column_of_the_grid_for_every_rung_and_query(name, which, cases, routers):
    case = cases[which]
    picks = picks_on(routers[name, which], case.test.queries)
    assert picks.shape[1] == len(case.test.queries) and 12 <= picks.shape[0] <= 20
    assert picks.dtype == np.int64 and picks.min() >= 0 and picks.max() < len(case.lesson.grid.arms)


@pytest.mark.parametrize("name", ROUTERS)
def test_the_ladder_runs_from_thrifty_to_lavish(name, cases, routers):
    lesson = cases["topic"].lesson
    cost, quality = earned(lesson.grid, routers[name, "topic"].picks(lesson.queries, lesson.features))
    assert (np.diff(cost) >= -1e-12).all() and cost[-1] > 5 * cost[0] and quality[-1] > quality[0] + 0.2


@pytest.mark.parametrize("name", ROUTERS)
def test_fitting_again_gives_the_same_picks(name, cases, routers):
    case = cases["skill"]
    again = ROUTERS[name].fit(case.lesson)
    assert np.array_equal(picks_on(again, case.test.queries), picks_on(routers[name, "skill"], case.test.queries))


@pytest.mark.parametrize("name", ROUTERS)
def test_a_pick_depends_on_its_own_query_alone(name, cases, routers):
    queries, router = list(cases["skill"].test.queries), routers[name, "skill"]
    whole = picks_on(router, queries)
    assert np.array_equal(picks_on(router, queries[7:23][::-1]), whole[:, 7:23][:, ::-1])
    assert np.array_equal(picks_on(router, queries[:1]), whole[:, :1])


@pytest.mark.parametrize("name", ROUTERS)
def test_picks_do_not_change_with_the_labels_of_test_queries(name, cases, routers):
    queries, router = cases["topic"].test.queries, routers[name, "topic"]
    relabelled = [replace(q, reference=f"another {i}") for i, q in enumerate(queries)]
    assert np.array_equal(picks_on(router, relabelled), picks_on(router, queries))


@pytest.mark.parametrize("name", ROUTERS)
def test_only_the_row_marked_so_looks_at_the_data_set(name, cases, routers):
    queries, router = cases["topic"].test.queries, routers[name, "topic"]
    moved = [replace(q, dataset="verse" if q.dataset == "sums" else "sums") for q in queries]
    assert np.array_equal(picks_on(router, moved), picks_on(router, queries)) != (name in KNOWS_THE_DATASET)


def cost_at(case, router, level):
    """Mean cost on test queries at a quality, mixing neighbouring rungs."""
    return hull_cost_at_quality(*earned(unseen_grid(case), picks_on(router, case.test.queries)), level)


@pytest.mark.parametrize("name", ROUTERS)
def test_routing_beats_lots_where_the_text_tells_who_can_do_it(name, cases, routers):
    own, lots = (cost_at(cases["topic"], routers[key, "topic"], 0.88) for key in (name, "random"))
    assert own < (0.75 * lots if name != "random" else 1.01 * lots)


@pytest.mark.parametrize("name", TEXT)
def test_labels_that_the_text_knows_nothing_of_bring_nothing(name, cases):
    lesson = cases["topic"].lesson
    fixed = hull_cost_at_quality(lesson.grid.cost_usd.mean(axis=0), lesson.grid.quality.mean(axis=0), 0.75)

    def ratio(order):
        mixed = replace(lesson, grid=lesson.grid.rows(order), panel=replace(lesson.panel.rows(order), queries=lesson.queries))
        own = earned(mixed.grid, cross_picks(ROUTERS[name], mixed, folds_for(len(order), 0)))
        return hull_cost_at_quality(*own, 0.75) / fixed

    n = len(lesson.queries)
    assert ratio(np.arange(n)) < 0.6  # half of the queries need the dear arm at most
    assert np.mean([ratio(np.random.default_rng(seed).permutation(n)) for seed in (1, 2)]) > 0.85


@pytest.mark.parametrize("name", ROUTERS)
def test_a_router_can_do_without_text_labels_that_vary_and_more_than_one_frontier_arm(name, cases):
    lesson = lesson_of(cases["topic"].lesson, np.arange(60))
    same = replace(lesson, features=np.zeros((60, WIDTH)), grid=Grid(lesson.grid.arms, lesson.grid.quality * 0 + 1, lesson.grid.cost_usd))
    picks = ROUTERS[name].fit(same).picks(lesson.queries, same.features)
    assert (picks == lesson.grid.cost_usd.mean(axis=0).argmin()).mean() > 0.8


def test_a_query_is_picked_for_by_a_router_that_has_not_seen_it(cases):
    lesson = cases["topic"].lesson
    seen = {}

    class Rote:
        """Remembers its queries: column 1 for those, column 0 for others."""

        def __init__(self, lesson):
            self.known = {q.id for q in lesson.queries}
            assert len(lesson.features) == len(lesson.queries) == len(lesson.grid.quality) == len(lesson.panel.score)

        def picks(self, queries, rows):
            seen.update({q.id: row for q, row in zip(queries, rows, strict=True)})
            return np.array([[int(q.id in self.known) for q in queries]] * 3)

    recipe = RouterRecipe("rote", "a test", Rote)
    picks = cross_picks(recipe, lesson, folds_for(len(lesson.queries), 0, 5))
    assert picks.shape == (3, len(lesson.queries)) and not picks.any()
    assert all(np.array_equal(seen[q.id], row) for q, row in zip(lesson.queries, lesson.features, strict=True))
    assert recipe.fit(lesson).picks(lesson.queries, lesson.features).all()


def test_cross_fitting_without_two_folds_is_refused(cases):
    lesson = cases["topic"].lesson
    with pytest.raises(ConfigError, match="1 folds"):
        cross_picks(ROUTERS["random"], lesson, np.zeros(len(lesson.queries), dtype=int))
    with pytest.raises(ConfigError, match="3 labels"):
        cross_picks(ROUTERS["random"], lesson, np.array([0, 1, 0]))
