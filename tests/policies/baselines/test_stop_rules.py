"""Published stop rules against cases computed by hand."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.query import Query
from onedial.policies.baselines.adaptive_consistency import BetaRule, DirichletRule, beta_tail, dirichlet_tail
from onedial.policies.baselines.adaptive_self_consistency import DoublingRule
from onedial.policies.baselines.bandit import BankedSampling
from onedial.policies.baselines.best_of_infinity import BayesFactorRule, bayes_factor, p_mode
from onedial.policies.baselines.esc import WindowRule
from onedial.policies.baselines.mess_plus import cheapest, grown
from onedial.policies.baselines.port import dual_weights, taken
from onedial.policies.baselines.stopping import Stopping
from onedial.policies.baselines.supermodels import Residuals, best_of_sets
from onedial.policies.baselines.votes import Seen, leaders
from onedial.strategies.best_of_n import highest
from onedial.strategies.draw import plurality

SOURCE = Source("small")
QUERY = Query("q", "2 + 2 ?")


def candidates(answers, scores=None):
    return tuple(Candidate(SOURCE, i, a or "", a, 10, None if scores is None else scores[i]) for i, a in enumerate(answers))


def drawn(rule, votes):
    """Samples that the policy draws from a sequence of votes, '-' for none, and the answer it gives."""
    policy, tried = Stopping(SOURCE, rule, len(votes)), ()
    stream = candidates([None if v == "-" else v for v in votes])
    while (decision := policy.choose(QUERY, tried)).arm is not None:
        tried = stream[: len(tried) + decision.arm.n]
    return len(tried), decision.answer


@given(st.integers(0, 20), st.integers(0, 20))
def test_the_beta_tail_is_the_binomial_sum(first, second):
    n = first + second + 1
    assert beta_tail(np.array(first), np.array(second)) == pytest.approx(1 - sum(comb(n, k) for k in range(second + 1)) / 2**n)


@pytest.mark.parametrize(
    ("votes", "size", "answer"),
    [("aaaaaaaa", 4, "a"), ("abaaaaaa", 7, "a"), ("abababab", 8, "a"), ("bbaaaaaa", 8, "a"), ("-aaaa---", 5, "a"), ("--------", 8, None)],
)
def test_adaptive_consistency_stops_at_ninety_five_percent(votes, size, answer):
    # four to none: 31/32; six to one: 1 - (1 + 8) / 256; six to two: 1 - (1 + 9 + 36) / 512 is too little
    assert drawn(BetaRule(0.95), votes) == (size, answer)


@pytest.mark.parametrize(
    ("window", "votes", "size"),
    [(3, "abcaaaab", 6), (3, "aabbaabb", 8), (4, "aaaabbbb", 4), (5, "aabaaaaa", 8), (2, "abbaccdd", 6), (2, "----aa--", 6)],
)
def test_esc_stops_after_a_window_of_one_mind(window, votes, size):
    assert drawn(WindowRule(window), votes)[0] == size


@pytest.mark.parametrize(("votes", "size"), [("aabbbbbb", 2), ("abaaaaaa", 4), ("abcaaaaa", 8), ("ab", 2), ("a-bbbbbb", 2)])
def test_doubling_stops_at_three_quarters_of_those_with_an_answer(votes, size):
    assert drawn(DoublingRule(0.75), votes)[0] == size


@pytest.mark.parametrize("counts", [(1,), (4,), (2, 1), (5, 1, 1), (3, 3)])
def test_the_chance_of_being_the_mode_is_that_of_a_dirichlet(counts):
    masses = np.random.default_rng(0).dirichlet(np.array([*counts, 0.3]) + 1.0, 100_000)
    p = (masses.argmax(axis=1) == 0).mean()
    assert p_mode(counts) == pytest.approx(p, abs=0.006)
    assert bayes_factor(counts) == pytest.approx((len(counts) + 1) * p / (1 - p), rel=0.06)


@pytest.mark.parametrize("counts", [(3,), (2, 1), (4, 2, 1)])
def test_the_dirichlet_criterion_is_the_share_of_distributions_in_which_the_leader_leads(counts):
    masses = np.random.default_rng(0).dirichlet(np.array(counts if len(counts) > 1 else (*counts, 0)) + 1.0, 100_000)
    assert dirichlet_tail(counts) == pytest.approx((masses.argmax(axis=1) == 0).mean(), abs=0.006)


@pytest.mark.parametrize(("votes", "size"), [("aaaaaaaa", 4), ("abaaaaaa", 7), ("abcdaaaaaaaa", 11), ("--aaaa", 6)])
def test_the_dirichlet_criterion_asks_for_more_where_many_answers_have_one_vote(votes, size):
    # three rivals of one vote: 3 x 10 / 512 against seven, 3 x 11 / 1024 against eight
    assert drawn(DirichletRule(0.95), votes)[0] == size


@pytest.mark.parametrize(("votes", "size"), [("aaaaaaaa", 3), ("abaaaaaa", 5), ("abababab", 8)])
def test_best_of_infinity_stops_at_a_bayes_factor_of_ten(votes, size):
    # three to none: 19; two to none: 9.2; three to one: 9.5; four to one: 18
    assert drawn(BayesFactorRule(10.0), votes)[0] == size


@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=8), st.randoms())
def test_the_leader_of_rows_is_the_plurality_of_candidates(answers, random):
    tried = candidates(answers, [random.choice([None, 0.0, 0.5, 1.0]) for _ in answers])
    seen = Seen.of(tried)
    assert tried[leaders(seen)[0]] is plurality(tried)
    assert tried[leaders(seen, by_verdict=True)[0]] is plurality(highest(tried))


def test_what_one_query_saves_another_may_spend():
    policy = BankedSampling(SOURCE, threshold=0.8, allowance=2.0, cap=8)
    hard = candidates("abcdefgh")

    def sampled(query, stream):
        tried = ()
        while policy.choose(query, tried).arm is not None:
            tried = stream[: len(tried) + 1]
        return len(tried)

    sizes = [sampled(Query(f"q{i}", "x"), stream) for i, stream in enumerate((hard, candidates("a" * 8, [1.0] * 8), hard, hard))]
    assert sizes == [2, 1, 3, 2]


def test_the_queue_calls_for_a_better_model_once_satisfaction_falls_short():
    cost, satisfied = np.array([0.1, 1.0]), np.array([0.6, 0.9])
    assert cheapest(cost, satisfied, 0.0, 0.8, 1.0) == 0
    assert cheapest(cost, satisfied, 2.0, 0.8, 1.0) == 0  # 0.1 + 2 x 0.2 against 1 - 2 x 0.1
    assert cheapest(cost, satisfied, 4.0, 0.8, 1.0) == 1
    assert grown(0.0, 0.8, 0.6) == pytest.approx(0.2)


def test_dual_weights_are_nothing_with_ample_budget_and_what_the_marginal_query_gains_with_little():
    quality, cost = np.array([[0.2], [0.4], [0.6], [0.8]]), np.ones((4, 1))
    assert dual_weights(quality, cost, np.array([2.0])) == pytest.approx([0.0])
    (weight,) = dual_weights(quality, cost, np.array([0.4]))  # 1.6 of 4 queries: the second best is the marginal one
    assert weight == pytest.approx(0.6)
    assert taken(np.array([0.5, 0.9]), np.ones(2), np.array([0.0, 0.2]), np.array([5.0, 5.0])) == 1
    assert taken(np.array([0.5, 0.9]), np.ones(2), np.array([0.0, 0.2]), np.array([5.0, 0.5])) == 0


def test_the_best_of_a_set_is_worth_more_than_its_members_unless_one_is_known_to_be_right():
    rng = np.random.default_rng(0)
    apart = Residuals.of(0.2 * rng.standard_normal((500, 2)), 0)
    value, sets = best_of_sets(apart.draws(np.array([0.5, 0.5]), np.zeros(0, dtype=np.int64), np.zeros(0)), np.zeros(0, dtype=np.int64))
    of = {tuple(s): v for s, v in zip(sets.tolist(), value, strict=True)}
    assert of[True, True] == pytest.approx(0.5 + 0.2 / np.sqrt(np.pi), abs=0.02)  # mean of the larger of two normals
    assert of[True, False] == pytest.approx(0.5, abs=0.01)
    sure, sets = best_of_sets(apart.draws(np.array([0.5, 0.5]), np.array([0]), np.array([1.0])), np.array([0]))
    assert sets[:, 0].all() and np.ptp(sure) == 0.0
