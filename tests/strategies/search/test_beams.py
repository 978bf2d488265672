"""Beam search, DVTS, lookahead and REBASE: which texts go on."""

import pytest

from onedial.strategies.search.beam import beam_search
from onedial.strategies.search.climb import best
from onedial.strategies.search.dvts import diverse_search
from onedial.strategies.search.growth import Text
from onedial.strategies.search.lookahead import lookahead_search
from onedial.strategies.search.rebase import balanced, rebase
from stepping import lettered, search, share_of


def begun(asks):
    """The texts that were gone on from, as their letters, each with how often."""
    return [(ask.continue_from.replace("\n\n", ""), ask.n) for ask in asks]


def test_a_beam_of_one_goes_on_from_the_best_text_of_every_round_and_the_last_round_runs_to_the_end():
    answer, asks = search(beam_search, 16, lettered(5), share_of("a"))
    assert begun(asks) == [("", 4), ("a", 4), ("aa", 4), ("aaa", 4)]
    assert [ask.max_tokens is None for ask in asks] == [False, False, False, True]
    assert (answer.answer, answer.text.count("a")) == ("5", 5)
    assert answer.stopped == "16 of 16 completions are in, 4 of them answers, the best texts going on after every step"


def test_a_beam_of_two_shares_a_round_out_between_the_two_best():
    _, asks = search(beam_search, 64, lettered(9), lambda text: text.count("a") / 9)
    assert begun(asks)[:5] == [("", 8), ("a", 4), ("b", 4), ("aa", 4), ("ab", 4)]


def test_the_branches_of_a_beam_can_be_set():
    _, asks = search(beam_search, 16, lettered(9), share_of("a"), branches=2)
    assert begun(asks)[:3] == [("", 4), ("a", 2), ("b", 2)]


def test_a_beam_ends_when_the_texts_it_keeps_have_ended():
    answer, asks = search(beam_search, 16, lettered(1), share_of("a"))
    assert begun(asks) == [("", 4), ("a", 4)] and answer.answer == "1"
    assert answer.stopped.startswith("8 of 16 completions are in")


def test_texts_that_say_the_same_are_kept_once_and_ties_go_to_the_earliest():
    texts = [Text(visible=v, score=s) for v, s in (("a", 0.5), ("b", None), ("a", 0.5), ("c", 0.9), ("d", 0.1))]
    assert [text.visible for text in best(texts, 3)] == ["c", "a", "b"]


def test_trees_do_not_compete_so_one_that_began_badly_goes_on():
    def write(said, index, whole):
        letter = said[:1] or ("a" if index < 2 else "b")
        return f"{letter}\n\n" if not whole else f"= {'ab'.index(letter)}"

    answer, asks = search(diverse_search, 8, write, lambda text: 0.9 if text[0] == "a" else 0.2)
    assert begun(asks) == [("", 2), ("a", 2), ("", 2), ("b", 2)]
    assert answer.answer == "0" and {c.answer for c in answer.candidates} == {None, "0", "1"}
    assert "in each of 2 trees" in answer.stopped


def test_over_all_trees_the_answer_of_the_greatest_weight_is_taken():
    scores = {"0": 0.9, "1": 0.5}
    answer, _ = search(diverse_search, 64, lambda said, index, whole: "= 0" if index == 0 else "= 1", verify=scores.get)
    assert answer.answer == "1"


def test_looking_ahead_a_step_is_kept_by_what_it_leads_to():
    def write(said, index, whole):
        letters = said.replace("\n\n", "")
        if whole:
            return f"= {letters.count('g')}"
        return ("tg" if index % 2 else "fb")[len(letters) % 2] + "\n\n"

    def traps(text):
        return {"t": 0.9, "f": 0.1, "tg": 0.2, "tb": 0.2, "fb": 0.8, "fg": 0.8}.get(text.replace("\n\n", ""), 0.5)

    _, blind = search(beam_search, 4, write, traps)
    assert blind[-1].continue_from == "t\n\n"
    _, asks = search(lookahead_search, 8, write, traps)
    assert asks[-1].continue_from == "f\n\n"
    ahead = [ask for ask in asks if ask.temperature == 0.0]
    assert [ask.continue_from for ask in ahead] == ["f\n\n", "t\n\n"] and {ask.max_tokens for ask in ahead} == {40}


def test_an_answer_that_is_come_upon_while_looking_ahead_is_a_candidate():
    answer, asks = search(lookahead_search, 8, lambda said, index, whole: "= 4" if said else "a\n\n", share_of("a"))
    assert any(ask.temperature == 0.0 for ask in asks)
    assert sum(c.answer == "4" for c in answer.candidates) == sum(ask.n for ask in asks if ask.continue_from)


def test_every_text_goes_on_as_often_as_a_softmax_of_its_score_says():
    _, asks = search(rebase, 16, lettered(9), lambda text: 0.8 if text.startswith("a") else 0.6)
    assert begun(asks)[:5] == [("", 4), ("a", 1), ("b", 1), ("a", 1), ("b", 1)]
    _, sharp = search(rebase, 16, lettered(9), lambda text: 0.8 if text.startswith("a") else 0.6, balance=0.01)
    assert begun(sharp)[:3] == [("", 4), ("a", 2), ("a", 2)]


@pytest.mark.parametrize(("scores", "count"), [([0.3, 0.3, 0.3], 2), ([0.0, 1.0], 7), ([1.0] * 5, 5), ([0.5], 3), ([0.9, 0.1, 0.5], 1)])
@pytest.mark.parametrize("balance", [1e-9, 0.2, 1e9])
def test_shares_add_up_and_a_higher_score_never_has_the_smaller_one(scores, count, balance):
    shares = balanced(scores, count, balance)
    assert sum(shares) == count and min(shares) >= 0
    assert all(shares[i] >= shares[j] for i in range(len(scores)) for j in range(len(scores)) if scores[i] > scores[j])


def test_a_text_that_has_ended_takes_its_continuation_away_from_later_rounds():
    def write(said, index, whole):
        return "= 1" if whole or index < 2 else "a\n\n"

    _, asks = search(rebase, 16, write, lambda text: 0.5)
    assert [ask.n for ask in asks[:3]] == [4, 1, 1] and asks[1].continue_from == "a\n\n"
