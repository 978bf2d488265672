"""The posterior and the value of blocks, against brute-force simulation of the model they are formulas for."""

import numpy as np
import pytest

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.roc import Roc
from onedial.forecasts.latents import Latents, at_nodes, coverage
from onedial.policies.belief import Belief
from onedial.policies.blocks import BLOCKS
from onedial.policies.evidence import Evidence
from onedial.policies.prior import MAX_DRAWS, Prior

SOURCES = (Source("a", "0"), Source("b", "0"))


def latents(mu=(0.4, 0.7), kappa=(3.0, 8.0), pi0=(0.1, 0.0), sigma=1.0, beyond=0.0, agree=0.25, trap=0.02, p_check=0.0):
    return Latents(
        SOURCES,
        np.array([mu]),
        np.array(kappa),
        np.array(pi0),
        sigma,
        np.array([beyond]),
        np.array([0.05, 0.05]),
        np.array([agree]),
        trap,
        np.array([p_check]),
        np.ones((1, 2)),
        np.ones((1, 2)),
    )


LATENTS = latents()
SUCCESS, WEIGHTS = at_nodes(LATENTS.mu, LATENTS.sigma, LATENTS.beyond, LATENTS.guess)
PRIOR = Prior(LATENTS, 0, Roc())


def evidence(first, second=(), scores=None):
    scores = scores or {}
    drawn = [(SOURCES[0], t) for t in first] + [(SOURCES[1], t) for t in second]
    return Evidence.of([Candidate(s, i, t, t, score=scores.get(t)) for i, (s, t) in enumerate(drawn)], SOURCES)


def simulate(rng, blocks, theta=3.0):
    """Draw samples in order, as codes: 0 is right, every other number one wrong answer."""
    mu = SUCCESS[0, :, rng.choice(WEIGHTS.shape[1], p=WEIGHTS[0])]
    p = [0.0 if rng.random() < z else rng.beta(m * k, (1 - m) * k) for m, k, z in zip(mu, LATENTS.kappa, LATENTS.pi0, strict=True)]
    wrong, codes = [], []
    for j, size in blocks:
        for _ in range(size):
            if rng.random() < p[j]:
                codes.append(0)
                continue
            new = rng.random() < theta / (theta + len(wrong))
            wrong.append(1 + len(set(wrong)) if new else wrong[rng.integers(len(wrong))])
            codes.append(wrong[-1])
    return codes


def names(codes):
    """Rename codes by order of appearance, as a person who does not know the truth sees them."""
    seen = {}
    return [f"v{seen.setdefault(code, len(seen))}" for code in codes]


@pytest.fixture(scope="module")
def runs():
    rng = np.random.default_rng(0)
    return [simulate(rng, [(0, 2), (1, 2)]) for _ in range(12_000)]


@pytest.mark.parametrize("same", [True, False])
def test_the_posterior_is_the_share_of_worlds_in_which_the_answer_is_right(runs, same):
    seen = [run for run in runs if (run[0] == run[1]) == same]
    belief = Belief(PRIOR, evidence("xx" if same else "xy"))
    assert belief.posterior[0] == pytest.approx(np.mean([run[0] == 0 for run in seen]), abs=0.02)
    assert belief.posterior.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("same", [True, False])
def test_the_value_of_a_block_is_what_following_the_posterior_reaches(runs, same):
    seen = [run for run in runs if (run[0] == run[1]) == same]
    leaders, right = {}, []
    for run in seen:
        key = tuple(names(run))
        if key not in leaders:
            found = evidence(key[:2], key[2:])
            leaders[key] = found.answers[Belief(PRIOR, found).leader]
        right.append(run[key.index(leaders[key])] == 0)
    forecast = Belief(PRIOR, evidence("xx" if same else "xy")).outlooks().vote[1, BLOCKS.index(2)]
    assert forecast == pytest.approx(np.mean(right), abs=0.02)


def test_before_any_sample_coverage_is_the_formula_and_one_sample_the_mean():
    outlooks = Belief(Prior(latents(sigma=0.0), 0, Roc()), evidence("")).outlooks()
    for b, size in enumerate(BLOCKS[:3]):
        assert outlooks.cover[0, b] == pytest.approx(coverage(np.array(0.4), np.array(3.0), np.array(0.1), size), abs=0.01)
    assert outlooks.vote[:, 0] == pytest.approx([0.36, 0.7], abs=1e-6)


def test_a_second_vote_never_changes_the_answer_of_one_source_but_a_third_and_fourth_may():
    vote = Belief(PRIOR, evidence("")).outlooks().vote[0]
    assert vote[1] == pytest.approx(vote[0], abs=1e-9) and vote[2] > vote[0] + 0.02


def test_agreement_between_models_is_believed_more_than_within_one():
    within, between = Belief(PRIOR, evidence("xx")).quality, Belief(PRIOR, evidence("x", "x")).quality
    assert between > within + 0.1


def test_where_all_wrong_answers_agree_a_second_vote_says_little():
    yes_no = Prior(latents(agree=0.97), 0, Roc())
    assert Belief(yes_no, evidence("xx")).quality < Belief(PRIOR, evidence("xx")).quality


def test_where_some_queries_are_traps_agreement_is_believed_less_however_often_it_is_repeated():
    trap = Prior(latents(trap=0.6), 0, Roc())
    plain, wary = (Belief(prior, evidence("xxxx", "xxxx")).quality for prior in (PRIOR, trap))
    assert wary < plain - 0.02


def test_scattered_failures_say_that_the_query_is_beyond_the_pool_and_that_more_samples_will_not_help():
    prior = Prior(latents(beyond=0.3), 0, Roc())
    before, after = (Belief(prior, evidence(seen)).outlooks().vote[1, 2] for seen in ("", "abcdefgh"))
    assert after < before - 0.3


def test_a_perfect_verdict_settles_the_matter_and_a_rejection_removes_the_answer():
    accepted, rejected = (Belief(PRIOR, evidence("xxy", scores={"x": 1.0 - s, "y": float(s)})) for s in (0, 1))
    assert accepted.leader == 0 and accepted.quality > 0.99
    assert rejected.leader == 1 and rejected.quality > 0.99
    assert Belief(PRIOR, evidence("xx", scores={"x": 0.0})).quality < 0.01


def test_a_noisy_verdict_moves_belief_by_its_likelihood_ratio():
    noisy = Prior(LATENTS, 0, Roc(0.8, 0.4))
    before, after = (Belief(noisy, evidence("x", scores=s)).quality for s in ({}, {"x": 1.0}))
    assert after / (1 - after) == pytest.approx(2 * before / (1 - before), rel=1e-6)


def test_a_sample_without_an_answer_counts_against_its_source_and_votes_for_nothing():
    blank = Evidence.of([Candidate(SOURCES[0], 0, "", None)], SOURCES)
    belief = Belief(PRIOR, blank)
    assert belief.leader is None and belief.quality == 0.0
    assert belief.outlooks().vote[0, 0] < Belief(PRIOR, evidence("")).outlooks().vote[0, 0]


def test_failures_of_one_model_lower_what_is_expected_of_another():
    prior = Prior(latents(sigma=2.0, kappa=(30.0, 30.0)), 0, Roc())
    fresh = Belief(prior, evidence("")).outlooks().cover[1, 0]
    after = Belief(prior, evidence("xyzw", scores=dict.fromkeys("xyzw", 0.0))).outlooks().cover[1, 0]
    assert after < fresh - 0.05


@pytest.mark.parametrize("sources", [1, 2])
def test_the_tables_reach_to_the_last_sample_that_may_be_drawn(sources):
    prior = Prior(LATENTS.columns(range(sources)), 0, Roc())
    tried = [Candidate(source, i, "x", "x") for source in SOURCES[:sources] for i in range(MAX_DRAWS)]
    belief = Belief(prior, Evidence.of(tried, SOURCES[:sources]))
    assert 0 < belief.quality < 1 and np.isfinite(belief.outlooks().vote).all()
