"""Particles move side by side, and are drawn anew only when few of them carry the weight."""

from collections import Counter
from dataclasses import replace

import pytest

from onedial.strategies.search.particles import effective, particle_filter, systematic
from stepping import QUERY, lettered, search


def firsts(asks, round_no):
    """How many particles of a round began with which letter."""
    told = Counter()
    for ask in asks:
        if ask.continue_from.count("\n\n") == round_no:
            told[ask.continue_from[:1]] += ask.n
    return told


def test_while_the_weights_are_even_every_particle_goes_on():
    _, asks = search(particle_filter, 64, lettered(9), lambda text: 0.5)
    assert all(firsts(asks, k) == {"a": 4, "b": 4} for k in range(1, 7))


def test_when_few_carry_the_weight_they_are_drawn_anew_in_proportion():
    _, asks = search(particle_filter, 64, lettered(9), lambda text: 0.9 if text.startswith("a\n\na") else 1e-9)
    assert firsts(asks, 1) == {"a": 4, "b": 4} and firsts(asks, 2) == {"a": 8}


def test_how_few_can_be_set():
    def score(text):
        return 0.9 if text.startswith("a") else 0.3

    assert firsts(search(particle_filter, 64, lettered(9), score)[1], 1) == {"a": 4, "b": 4}
    assert firsts(search(particle_filter, 64, lettered(9), score, fewest=1.0)[1], 1) == {"a": 6, "b": 2}


def test_chance_is_that_of_the_query():
    def score(text):
        return (text.count("a") + 1) / 20

    runs = [search(particle_filter, 64, lettered(9), score, replace(QUERY, id=name), fewest=1.0)[1] for name in ("q", "q", "p", "r", "s")]
    texts = [[ask.continue_from for ask in asks] for asks in runs]
    assert texts[0] == texts[1] and len(set(map(tuple, texts))) > 1


def test_particles_that_have_ended_are_kept_and_cost_nothing_more():
    def write(said, index, whole):
        return "= 1" if index % 2 or whole else "a\n\n"

    answer, asks = search(particle_filter, 16, write, lambda text: 0.5)
    assert [ask.n for ask in asks] == [4, 2, 1, 1] and answer.answer == "1"


def test_the_highest_scored_of_the_answers_is_taken():
    answer, _ = search(particle_filter, 16, lettered(3), lambda text: text.count("b") / 4)
    assert answer.answer == str(min(int(c.answer) for c in answer.candidates if c.answer))


@pytest.mark.parametrize("uniform", [0.0, 0.25, 0.999999])
def test_systematic_draws_are_within_one_of_their_share_and_never_of_no_weight(uniform):
    weights = [0.1, 0.0, 0.55, 0.35, 0.0]
    drawn = Counter(systematic(weights, 20, uniform))
    assert drawn.total() == 20 and not drawn[1] + drawn[4]
    assert all(abs(drawn[i] - 20 * weight) < 1 for i, weight in enumerate(weights))


def test_the_effective_number_survives_the_smallest_weights():
    assert effective([1e-300, 1e-300]) == 2 and effective([5.0, 1e-300]) == 1
