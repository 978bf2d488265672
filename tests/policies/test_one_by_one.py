"""Drawing one by one, against the model it is a plan for and against deciding in blocks."""

from itertools import pairwise
from math import comb

import numpy as np
import pytest

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.model import Model
from onedial.core.query import Query
from onedial.core.roc import Roc
from onedial.core.usage import Price
from onedial.forecasts.latents import Latents, at_nodes, concentrations
from onedial.policies.assessor import Assessor
from onedial.policies.belief import Belief
from onedial.policies.controller import Controller, Menu
from onedial.policies.evidence import Evidence
from onedial.policies.one_by_one import HORIZON, course_of, first_course, lattice
from onedial.policies.prior import MAX_DRAWS, Prior

SOURCE = Source("only")
MODEL = Model("only", Price(0.0, 1e6, 0.0), (), capabilities=frozenset({"n"}), max_output_tokens=1)
ONE = np.ones((1, 1))
LATENTS = Latents(
    (SOURCE,),
    0.6 * ONE,
    np.array([2.0]),
    np.zeros(1),
    1.0,
    np.array([0.1]),
    np.array([0.05]),
    np.array([0.4]),
    0.3,
    np.zeros(1),
    ONE,
    0 * ONE,
)
PRIOR = Prior(LATENTS, 0, Roc())


class Known:
    """A forecast that is the truth."""

    sources = (SOURCE,)
    charged = np.full(1, np.nan)
    p_accept_right, p_accept_wrong = 1.0, 0.0

    def latents(self, queries, input_tokens=None):
        return LATENTS.rows([0] * len(queries))


def candidates(texts):
    return tuple(Candidate(SOURCE, i, t, None if t == "-" else t) for i, t in enumerate(texts))


def belief(texts):
    return Belief(PRIOR, Evidence.of(candidates(texts), (SOURCE,)))


@pytest.mark.parametrize("texts", ["x", "xxx", "xy", "xxxyz", "xxyyyz-", "x--"])
def test_what_the_next_samples_may_bring_adds_up_after_every_number_of_them(texts):
    course, plan = course_of(belief(texts)), lattice()
    for k in range(1, HORIZON + 1):
        a, b = plan.state[plan.layer(k), :2].T
        if course.second:
            orders = [comb(k, i) * comb(k - i, j) for i, j in zip(a, b, strict=True)]
        else:  # the first that does not join the lead is the new one
            orders = [comb(k, i) * (comb(k - i - 1, j - 1) if j else float(i == k)) for i, j in zip(a, b, strict=True)]
        assert course.whole[plan.layer(k)] @ np.array(orders, dtype=float) == pytest.approx(1.0)


@pytest.mark.parametrize("texts", ["x", "xx", "xy", "xxy", "xxxyy"])
def test_one_sample_ahead_it_is_the_value_of_a_block_of_one(texts):
    seen = belief(texts)
    assert course_of(seen).going_on(100.0, 1.0, 1) == pytest.approx(100.0 * seen.outlooks().vote[0, 0] - 1.0)


@pytest.mark.parametrize("texts", ["x", "xx", "xxy", "xxxy"])
def test_it_is_worth_more_than_two_after_which_one_stops_and_more_the_further_one_may_go(texts):
    seen = belief(texts)
    course = course_of(seen)
    assert course.going_on(300.0, 1.0, 4) > 300.0 * seen.outlooks().vote[0, 1] - 2.0
    values = [course.going_on(300.0, 1.0, left) for left in (0, 1, 2, 4, 8, HORIZON)]
    assert np.isneginf(values[0]) and all(a <= b + 1e-9 for a, b in pairwise(values))


def test_where_votes_scatter_a_block_is_taken_in_pieces_if_asking_apart_costs_no_more():
    policy = Controller(Assessor(Known(), {"only": MODEL}), Menu((0,), max_draws=16), 60.0)
    scattered = policy.choose(Query("q", "?"), candidates("xyz"))
    assert course_of(belief("xyz")).going_on(60.0, 1.0, 13) < 60.0 * belief("xyz").outlooks().vote[0, 2] - 4.0
    assert scattered.arm is not None and scattered.arm.n == 1


def test_it_is_not_laid_out_without_an_answer_or_where_scores_or_other_sources_have_a_say():
    assert course_of(belief("")) is None and course_of(belief("--")) is None
    assert first_course(PRIOR) is not None
    scored = (Candidate(SOURCE, 0, "x", "x", score=0.7),)
    assert course_of(Belief(PRIOR, Evidence.of(scored, (SOURCE,)))) is None


def test_near_the_end_of_the_tables_it_looks_no_further_than_they_reach():
    assert course_of(belief("x" * (MAX_DRAWS - 2) + "y")).reach == 1
    assert np.isneginf(course_of(belief("x" * MAX_DRAWS)).going_on(1e6, 1.0, 5))


def simulated(rng, size):
    """Right or which wrong answer, from the latents themselves."""
    success, weights = at_nodes(LATENTS.mu, LATENTS.sigma, LATENTS.beyond, LATENTS.guess)
    theta, shares = concentrations(0.4, 0.3)
    mean = success[0, 0, rng.choice(4, p=weights[0])]
    p, t, wrong, texts = rng.beta(2.0 * mean, 2.0 * (1.0 - mean)), theta[rng.choice(2, p=shares)], [], []
    for _ in range(size):
        if rng.random() < p:
            texts.append("right")
            continue
        wrong.append(f"w{len(wrong)}" if rng.random() < t / (t + len(wrong)) else wrong[rng.integers(len(wrong))])
        texts.append(wrong[-1])
    return texts


def earned(policy, texts, worth):
    tried = ()
    while (decision := policy.choose(Query("q", "?"), tried)).arm is not None:
        tried = candidates(texts[: len(tried) + decision.arm.n])
    return worth * (decision.answer == "right") - len(tried)


def test_on_queries_of_the_forecast_it_earns_more_than_deciding_by_blocks():
    rng = np.random.default_rng(0)
    streams = [simulated(rng, 8) for _ in range(250)]
    policies = [Controller(Assessor(Known(), {"only": MODEL}), Menu((0,), look=look), 60.0) for look in (True, False)]
    ours, blocks = (np.array([earned(policy, texts, 60.0) for texts in streams]) for policy in policies)
    assert ours.mean() > blocks.mean() + 0.2


def test_it_draws_one_at_a_time_and_stops_once_two_agree_where_more_is_not_worth_it():
    policy = Controller(Assessor(Known(), {"only": MODEL}), Menu((0,), max_draws=16), 40.0)
    first, second = (policy.choose(Query("q", "?"), candidates(texts)) for texts in ("", "x"))
    assert first.arm.n == second.arm.n == 1
    assert policy.choose(Query("q", "?"), candidates("xx")).arm is None
    assert policy.choose(Query("q", "?"), candidates("xy")).arm is not None
