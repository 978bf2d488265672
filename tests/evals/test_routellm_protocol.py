from dataclasses import replace

import numpy as np
import pytest

from onedial.core.errors import TableError
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.evals.routellm_protocol import (
    Marks,
    forecast_marks,
    from_query,
    from_weak_answer,
    marks_of,
    on_folds,
    on_split,
    pair_of,
    spread_of,
    without_labels,
)

TOPICS = ("history of rome", "solve the integral", "translate a poem", "riddle about foxes")
QUICK = ("logistic", "ridge")
CHANCES = {"weak": (0.9, 0.2, 0.6, 0.1), "strong": (0.6, 0.9, 0.9, 0.1)}
"""On the first topic the strong model harms; on the last neither is right, so that difficulty misleads."""


def table(n, seed=0):
    rng = np.random.default_rng(seed)
    topics = rng.integers(0, 4, n)
    queries = [Query(f"q{i}", f"{TOPICS[t]} {rng.integers(0, 1000)}", dataset="exam/part") for i, t in enumerate(topics)]
    rows = [
        Outcome(q.id, model, None, 0, float(rng.random() < CHANCES[model][t]), None)
        for q, t in zip(queries, topics, strict=True)
        for model in CHANCES
    ]
    return queries, rows


@pytest.fixture(scope="module")
def pair():
    return pair_of("exam", *table(900), "weak", "strong")


def test_contaminated_prompts_other_data_sets_and_half_answered_queries_are_left_out():
    queries, rows = table(20)
    queries = [replace(queries[0], dataset="other/part"), *queries[1:]]
    rows = [r for r in rows if (r.query_id, r.model) != ("q1", "strong")]
    made = pair_of("exam", queries, rows, "weak", "strong", [f" {queries[2].prompt}\n"])
    assert [q.id for q in made.queries] == [f"q{i}" for i in range(3, 20)] and made.dropped == 1
    assert made.outcomes.shape == (17, 2)
    with pytest.raises(TableError, match="no query of data set 'exams'"):
        pair_of("exams", queries, rows, "weak", "strong")


def test_marks_of_four_queries_computed_by_hand():
    weak, strong = np.array([1.0, 0, 0, 0]), np.array([0.0, 1, 1, 0])
    # best ranking: 0 %: .25, 25 %: .5, 50 %: .75, 75 %: .75, 100 %: .5; area .625; less .25, over .25
    found = marks_of(np.array([0.0, 3, 2, 1]), weak, strong)
    assert found.apgr == pytest.approx((0.25 * (0.375 + 0.625 + 0.75 + 0.625) - 0.25) / 0.25)
    assert found.cpt50 == pytest.approx(0.125) and found.cpt80 == pytest.approx(0.2)


def test_equal_scores_are_told_apart_so_that_there_are_ten_steps_about_as_good_as_chance():
    rng = np.random.default_rng(0)
    weak, strong = (rng.random(4000) < 0.3).astype(float), (rng.random(4000) < 0.8).astype(float)
    assert marks_of(np.zeros(4000), weak, strong).apgr == pytest.approx(0.5, abs=0.05)


def test_a_forecast_of_the_gain_beats_difficulty_length_and_chance_but_not_hindsight(pair):
    found = on_split(pair, from_query(pair, QUICK), 500, seed=1)
    floor = without_labels(pair, np.arange(500, 900), seed=1)
    gain = found["predicted gain"].apgr
    assert gain > 0.1 + max(found["difficulty (1 - P_weak)"].apgr, floor["random"].apgr, floor["prompt length"].apgr)
    assert gain < floor["hindsight"].apgr


def test_labels_of_the_scored_queries_change_nothing_of_their_forecast(pair):
    train, test = np.arange(300), np.arange(300, 900)
    flipped = replace(pair, weak=np.where(np.arange(900) < 300, pair.weak, 1 - pair.weak))
    before, after = (from_query(one, QUICK)(train, test, 0) for one in (pair, flipped))
    np.testing.assert_array_equal(before, after)


def test_an_answer_that_gives_itself_away_is_worth_more_than_the_query():
    pair = pair_of("exam", *table(200), "weak", "strong")
    text = {True: "3 + 4 = 7 is the answer 7", False: "3 + 4 = 9 but then"}
    blind = [replace(q, prompt="the same words for all") for q in pair.queries]
    alike = replace(pair, queries=tuple(blind))
    answers = {q.id: text[bool(w)] for q, w in zip(pair.queries, pair.weak, strict=True)}
    seen, unseen = (
        on_folds(alike, f, 2, 0)["predicted gain"].apgr for f in (from_weak_answer(alike, answers, QUICK), from_query(alike, QUICK))
    )
    assert seen > 0.9 and abs(unseen - 0.5) < 0.2
    with pytest.raises(TableError, match="199 of 200 queries have no answer"):
        from_weak_answer(alike, {"q0": "seven"})


def test_a_split_needs_queries_on_both_sides(pair):
    for n in (0, 900):
        with pytest.raises(TableError, match="fewer than all"):
            on_split(pair, from_query(pair), n, 0)


def test_runs_are_told_by_mean_and_spread(pair):
    rows = np.arange(900)
    runs = [forecast_marks(np.stack((np.zeros(900), sign * pair.strong), axis=1), pair, rows, 0) for sign in (1, -1)]
    mean, sd = spread_of(runs)["predicted gain"]
    values = [run["predicted gain"].apgr for run in runs]
    assert isinstance(mean, Marks) and mean.apgr == pytest.approx(np.mean(values)) and sd.apgr == pytest.approx(np.std(values))
