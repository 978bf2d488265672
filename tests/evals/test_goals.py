import numpy as np
import pytest

from onedial.core.errors import ConfigError
from onedial.core.query import Query
from onedial.evals.bench.goals import OFFSETS, SWEPT, Goal, asked, folds_of, goals_of

QUERIES = [Query(f"q{i}", "?") for i in range(23)]


def test_every_query_is_tested_by_one_fold_and_folds_are_of_even_size():
    fold = folds_of(QUERIES, 5, 0)
    assert sorted(np.bincount(fold).tolist()) == [4, 4, 5, 5, 5]


def test_folds_depend_on_ids_and_the_seed_and_not_on_the_order():
    fold = dict(zip((q.id for q in QUERIES), folds_of(QUERIES, 4, 1).tolist(), strict=True))
    back = dict(zip((q.id for q in QUERIES[::-1]), folds_of(QUERIES[::-1], 4, 1).tolist(), strict=True))
    assert fold == back and list(fold.values()) != folds_of(QUERIES, 4, 2).tolist()


def test_too_many_folds_are_refused():
    with pytest.raises(ConfigError, match="12 folds of 23 queries"):
        folds_of(QUERIES, 12, 0)


def test_targets_of_the_user_are_qualities_and_the_others_distances_from_the_best_fixed_arm():
    goals = goals_of([0.9])
    assert [g.at(0.8) for g in goals] == pytest.approx([0.8, 0.79, 0.78, 0.75, 0.7, 0.9])
    assert asked(goals, 0.8).size == len(OFFSETS) + 1 + len(SWEPT) and Goal(0.01).label == "best − 1"
    with pytest.raises(ConfigError, match="92 % right"):
        goals_of([92])
