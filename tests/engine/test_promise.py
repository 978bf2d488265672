import numpy as np
import pytest

from onedial.core.errors import ConfigError, TargetUnreachable
from onedial.core.objective import Objective
from onedial.engine.promise import policy_of, promise
from onedial.policies.blend import Blend
from onedial.policies.controller import Controller
from onedial.policies.fixed_arm import FixedArm


def test_a_modest_target_is_certified_and_cheaper_than_the_reference(fitting):
    found = promise(fitting.fit, Objective(quality=0.8))
    assert found.certificate.certified and found.mixture is not None
    assert found.quality >= 0.8 and found.cost_usd < fitting.fit.proof.reference_cost_usd.mean()
    assert found.sentence.startswith("Certified: at least 80 % right, with 90 % confidence")


def test_a_lower_target_is_never_dearer(fitting):
    costs = [promise(fitting.fit, Objective(within=w)).cost_usd for w in (0.02, 0.05, 0.2)]
    assert costs == sorted(costs, reverse=True)


def test_what_cannot_be_certified_is_served_by_the_reference_arm_and_says_how_many_outcomes_are_missing(fitting):
    best = float(fitting.fit.train.quality.mean(axis=1).max())
    found = promise(fitting.fit, Objective(quality=best - 1e-6))
    assert found.mixture is None and not found.certificate.certified
    assert "the reference arm" in found.sentence and str(fitting.fit.reference) in found.sentence
    policy = policy_of(fitting.fit, fitting.assessor, None, found.objective)
    assert isinstance(policy, FixedArm) and policy.arm == fitting.fit.reference


def test_a_target_beyond_the_pool_says_what_is_possible(fitting):
    with pytest.raises(TargetUnreachable, match="beyond this pool: the most that any policy reached"):
        promise(fitting.fit, Objective(quality=0.9999))


def test_a_budget_is_met_in_the_mean_on_training_queries_and_promises_no_quality(fitting):
    cost = fitting.fit.train.cost_usd.mean(axis=1)
    budget = float(np.sqrt(cost[2] * cost[8]))
    found = promise(fitting.fit, Objective(budget_usd=budget))
    mix = found.mixture
    assert (1 - mix.p_high) * cost[mix.low] + mix.p_high * cost[mix.high] == pytest.approx(budget)
    assert found.certificate is None and "not promised" in found.sentence
    assert isinstance(policy_of(fitting.fit, fitting.assessor, mix, found.objective), Blend | Controller)
    with pytest.raises(TargetUnreachable, match="below the cheapest policy"):
        promise(fitting.fit, Objective(budget_usd=float(cost.min()) / 2))


def test_a_target_is_met_exactly_on_the_training_queries_by_mixing_two_rungs(fitting):
    mix = fitting.train.mixture(0.8)
    quality = fitting.fit.train.quality.mean(axis=1)
    assert (1 - mix.p_high) * quality[mix.low] + mix.p_high * quality[mix.high] == pytest.approx(max(0.8, quality[mix.low]))


def test_the_certificate_names_the_rung_it_is_for(fitting):
    found = promise(fitting.fit, Objective(quality=0.8))
    assert found.certificate.policy_hash == fitting.fit.policy_hash(found.mixture.low)


def test_an_objective_without_a_goal_is_refused(fitting):
    with pytest.raises(ConfigError, match="needs a goal"):
        promise(fitting.fit, Objective(cap_usd=1.0))
