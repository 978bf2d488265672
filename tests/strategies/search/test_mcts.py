"""MCTS goes on where answers came out well, and where little was tried; every completion is an answer."""

from collections import Counter

import pytest

from onedial.strategies.search.growth import Text
from onedial.strategies.search.mcts import Node, bound, tree_search
from stepping import lettered, search


def test_every_completion_runs_to_its_end_and_its_first_part_becomes_the_tree_s():
    answer, asks = search(tree_search, 9, lettered(3), lambda text: text.count("a") / 4)
    assert all(ask.max_tokens is None for ask in asks) and [ask.n for ask in asks] == [3, 3, 3]
    assert [ask.continue_from for ask in asks[:2]] == ["", "a\n\n"]
    assert all(c.answer is not None for c in answer.candidates)
    assert answer.stopped == "9 of 9 completions are in, 9 of them answers, of 6 beginnings"


def test_the_better_beginning_is_gone_on_from_more_often_and_the_other_not_forgotten():
    _, asks = search(tree_search, 60, lettered(6), lambda text: 0.9 if text.startswith("a") else 0.2, branches=2)
    below = Counter(ask.continue_from[:1] for ask in asks)
    assert below["a"] > 2 * below["b"] > 0
    _, greedy = search(tree_search, 60, lettered(6), lambda text: 0.9 if text.startswith("a") else 0.2, branches=2, exploration=0.0)
    assert {ask.continue_from[:1] for ask in greedy} == {"", "a"}


def test_where_texts_have_no_parts_to_go_on_from_more_are_drawn_at_the_root():
    answer, asks = search(tree_search, 8, lambda said, index, whole: f"= {index % 2}", verify={"1": 0.9, "0": 0.4}.get)
    assert [(ask.continue_from, ask.n) for ask in asks] == [("", 3), ("", 3), ("", 2)] and answer.answer == "1"


def test_a_bound_rises_with_the_reward_and_falls_with_the_visits():
    seen = Node(Text(), visits=4, total=2.0)
    assert bound(seen, 16, 0.0) == 0.5 and bound(seen, 16, 1.0) == pytest.approx(0.5 + (2.772589 / 4) ** 0.5)
    assert bound(Node(Text(), visits=8, total=4.0), 16, 1.0) < bound(seen, 16, 1.0)
