import random
from dataclasses import replace

import pytest

from onedial.core.arm import Arm, Source
from onedial.core.ask import Completion, Failure, Samples
from onedial.core.errors import ConfigError, TableError
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.core.usage import Usage
from onedial.strategies.draw import Reading
from onedial.strategies.mixture_vote import mixture_vote
from onedial.strategies.registry import steps_of
from onedial.strategies.vote_weights import VoteWeights, fit_vote_weights
from onedial.verifiers.extract import number

QUERY = Query("q", "2 + 2 ?")
A, B, C = Source("a", "0"), Source("b"), Source("c")


def play(steps, said):
    """The answer when each source says this, and how many samples were asked of each."""
    asked = {}
    try:
        ask = next(steps)
        while True:
            assert ask.first_index == 0 and ask.messages == QUERY.messages
            asked[ask.source] = ask.n
            reply = said[ask.source]
            ask = steps.send(reply if isinstance(reply, Failure) else Samples(tuple(map(Completion, reply[: ask.n])), Usage(1), 0.0))
    except StopIteration as end:
        return end.value, asked


def mix(n, said, **settings):
    return play(mixture_vote(QUERY, A, n, Reading(number), **settings), said)


def table(rows):
    """Outcomes from (query, source, answer, right)."""
    return [
        Outcome(query, s.model, s.effort, i, None if right is None else float(right), said)
        for i, (query, s, said, right) in enumerate(rows)
    ]


def world(n, right_of, seed=0, wrong=20, samples=1):
    """Labelled answers to `n` queries; `right_of` says per source how often it is right, or which source it repeats."""
    dice, rows = random.Random(seed), []
    for query in range(n):
        said = {}
        for source, p in right_of.items():
            drawn = (
                [("right" if dice.random() < p else f"w{dice.randrange(wrong)}") for _ in range(samples)]
                if not isinstance(p, Source)
                else said[p]
            )
            said[source] = drawn
            rows += [(f"q{query}", source, one, one == "right") for one in drawn]
    return table(rows)


def test_samples_are_shared_out_among_the_sources_the_first_getting_what_is_over():
    _, asked = mix(5, {A: "44", B: "44", C: "4"}, others=(B, C))
    assert asked == {A: 2, B: 2, C: 1}
    assert mix(2, {A: "4", B: "4"}, others=(B, C))[1] == {A: 1, B: 1}
    assert mix(2, {A: "44"}, others=(A,))[1] == {A: 2}


def test_without_weights_every_vote_counts_the_same():
    assert mix(3, {A: "4", B: "5", C: "5"}, others=(B, C))[0].answer == "5"


def test_a_source_that_is_worth_more_outvotes_two():
    assert mix(3, {A: "4", B: "5", C: "5"}, others=(B, C), weights=(3.0, 1.0, 1.0))[0].answer == "4"


def test_a_source_that_fails_is_told_and_the_others_decide():
    answer, asked = mix(3, {A: Failure("down"), B: "5", C: "5"}, others=(B, C))
    assert answer.answer == "5" and "down" in answer.stopped and len(asked) == 3


def test_an_arm_can_name_sources_and_weights():
    arm = Arm.parse("a/think=0/mix=3/others=b,c/weights=3,1,1")
    assert Arm.parse(str(arm)) == arm
    assert play(steps_of(arm, QUERY, Reading(number)), {A: "4", B: "5", C: "5"})[0].answer == "4"
    named = steps_of(Arm.parse("a/mix=2/others=llama3:8b@high"), QUERY, Reading(number))
    assert [next(named).source, named.send(Failure("down")).source] == [Source("a"), Source("llama3:8b", "high")]


def test_weights_that_do_not_fit_are_an_error_before_anything_is_asked():
    with pytest.raises(ConfigError, match=r"2 weights for 3 sources \(a/think=0, b, c\)"):
        next(mixture_vote(QUERY, A, 3, Reading(number), (B, C), (1.0, 2.0)))
    with pytest.raises(TableError, match="no outcomes of b were fitted on"):
        next(mixture_vote(QUERY, A, 3, Reading(number), (B,), VoteWeights({A: 1.0}, {})))


def test_the_better_source_gets_the_larger_weight_near_its_log_odds():
    evidence = fit_vote_weights(world(4000, {A: 0.9, B: 0.6}, wrong=2)).evidence
    assert evidence[A] == pytest.approx(2.197 + 0.693, abs=0.15)
    assert evidence[B] == pytest.approx(0.405 + 0.693, abs=0.15)


def test_two_copies_of_a_source_weigh_as_much_as_one():
    weights = fit_vote_weights(world(2000, {A: 0.7, B: A, C: 0.7}))
    both, other = weights.of({A: 1, B: 1, C: 1}), weights.of({A: 1, C: 1})
    assert both[A] + both[B] == pytest.approx(other[A], rel=0.1)
    assert both[C] == pytest.approx(other[C], rel=0.1)


def test_samples_that_are_always_right_or_wrong_together_count_once():
    dice = random.Random(1)
    rights = [dice.random() < 0.7 for _ in range(400)]
    rows = [(f"q{i}", A, "right" if ok else "wrong", ok) for i, ok in enumerate(rights) for _ in range(4)]
    weights = fit_vote_weights(table(rows))
    assert weights.of({A: 4})[A] * 4 == pytest.approx(weights.of({A: 1})[A], rel=0.05)


def test_independent_samples_count_one_by_one():
    weights = fit_vote_weights(world(2000, {A: 0.7}, samples=4))
    assert weights.of({A: 4})[A] == pytest.approx(weights.evidence[A], rel=0.15)


def test_a_wrong_answer_that_all_share_makes_votes_worth_less():
    spread, same = (fit_vote_weights(world(1000, {A: 0.4, B: 0.4}, wrong=wrong)).evidence[A] for wrong in (100, 1))
    assert spread > 2 and same == 0.0


def test_abstaining_costs_a_source_nothing_and_unlabelled_answers_are_left_out():
    rows = world(100, {A: 0.8, B: 0.6})
    silent = [replace(o, query_id=f"x{i}", answer=None, score=0.0) for i, o in enumerate(rows) if o.source == A]
    unlabelled = [replace(o, query_id=f"y{i}", score=None) for i, o in enumerate(rows)]
    assert fit_vote_weights([*rows, *silent, *unlabelled]) == fit_vote_weights(rows)


def test_a_source_with_few_labels_is_drawn_towards_the_others():
    few = fit_vote_weights([*world(200, {B: 0.6}), *table([("z", A, "right", True)])]).evidence
    assert few[B] < few[A] < few[B] + 0.6


def test_weights_do_not_depend_on_the_order_of_the_outcomes_and_a_spotless_source_stays_finite():
    rows = world(50, {A: 1.0, B: 0.5})
    weights = fit_vote_weights(rows)
    again = fit_vote_weights(sorted(rows, key=lambda o: (o.query_id, o.model), reverse=True))
    assert weights.evidence == pytest.approx(again.evidence) and weights.shared == pytest.approx(again.shared)
    assert 0 < fit_vote_weights(world(50, {A: 1.0})).evidence[A] < 10


def test_nothing_to_learn_from_is_an_error():
    with pytest.raises(TableError, match="Grade some outcomes first"):
        fit_vote_weights(table([("q", A, None, 0.0), ("q", A, "4", None)]))


def test_learned_weights_beat_equal_ones_on_queries_that_were_not_fitted_on():
    """Two copies of a weak source outvote a strong one unless their failures are known to be shared."""
    sources = {A: 0.8, B: 0.6, C: B}
    weights = fit_vote_weights(world(300, sources, seed=1, wrong=3))

    def right(given):
        fresh, wins = world(300, sources, seed=2, wrong=3), 0
        for i in range(300):
            said = {o.source: [o.answer] for o in fresh if o.query_id == f"q{i}"}
            steps = mixture_vote(QUERY, A, 3, Reading(), (B, C), given)
            wins += play(steps, said)[0].answer == "right"
        return wins / 300

    assert right(weights) > right(None) + 0.08
