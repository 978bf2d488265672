"""From what the user wants to the policy that is served, and what is promised of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onedial.core.decision import Policy
from onedial.core.errors import ConfigError, TargetUnreachable
from onedial.core.objective import Objective
from onedial.engine.fitted import Fit
from onedial.engine.rollout import rung_policy
from onedial.metrics.frontier import frontier
from onedial.metrics.hull import Mixture
from onedial.policies.assessor import Assessor
from onedial.policies.blend import Blend
from onedial.policies.certificate import Certificate, certify_drop, certify_quality
from onedial.policies.controller import Menu
from onedial.policies.fixed_arm import FixedArm

DELTA = 0.1


@dataclass(frozen=True, slots=True)
class Promise:
    """What is served for an objective, and what is promised.

    Attributes:
        objective: What was asked for.
        certificate: The proof, or the refusal; None for a budget, which promises no quality.
        mixture: Rungs of the ladder that are served; None: the reference arm is.
        quality: Mean quality to expect, from held-out queries.
        cost_usd: Mean cost per query to expect, likewise.
        sentence: All of it in one sentence.
    """

    objective: Objective
    certificate: Certificate | None
    mixture: Mixture | None
    quality: float
    cost_usd: float
    sentence: str


def promise(fit: Fit, objective: Objective, delta: float = DELTA) -> Promise:
    """Find the cheapest policy that can be certified for a quality objective, or that a budget allows.

    Raises:
        ConfigError: The objective names no goal.
        TargetUnreachable: No rung reaches the target, or none is as cheap as the budget.
    """
    if objective.budget_usd is not None:
        return _within_budget(fit, objective, objective.budget_usd)
    if objective.quality is None and objective.within is None:
        raise ConfigError("an objective needs a goal: quality=0.9, within=0.02 or budget_usd=0.001.")
    _reachable(fit, objective)
    return _certified(fit, objective, delta)


def reference_only(fit: Fit, objective: Objective, why: str) -> Promise:
    """Serve the reference arm, and say why nothing is promised."""
    quality, cost = float(fit.proof.reference_quality.mean()), float(fit.proof.reference_cost_usd.mean())
    return Promise(objective, None, None, quality, cost, f"{why} The reference arm {fit.reference} is served.")


def target_of(fit: Fit, objective: Objective) -> float:
    """The mean quality that an objective asks for on the training queries."""
    if objective.quality is not None:
        return objective.quality
    return float(fit.train.reference_quality.mean()) - (objective.within or 0.0)


def _reachable(fit: Fit, objective: Objective) -> None:
    best, target = float(fit.train.quality.mean(axis=1).max()), target_of(fit, objective)
    if target > best:
        raise TargetUnreachable(
            f"{100 * target:.1f} % right is beyond this pool: the most that any policy reached on its "
            f"{fit.train.quality.shape[1]:,} training queries is {100 * best:.1f} %. Ask for less, or add models or efforts."
        )


def _certified(fit: Fit, objective: Objective, delta: float) -> Promise:
    order = frontier(fit.train.cost_usd.mean(axis=1), fit.train.quality.mean(axis=1)).point[::-1]
    hashes = [fit.policy_hash(int(rung)) for rung in order]
    if objective.quality is not None:
        found = certify_quality(
            fit.proof.quality[order], hashes, target=objective.quality, delta=delta, label_kind=fit.label_kind, seed=fit.seed
        )
    else:
        drops = fit.proof.reference_quality - fit.proof.quality[order]
        found = certify_drop(drops, hashes, epsilon=objective.within or 0.0, delta=delta, label_kind=fit.label_kind, seed=fit.seed)
    if found.index is None:
        quality, cost = float(fit.proof.reference_quality.mean()), float(fit.proof.reference_cost_usd.mean())
        sentence = f"{found.certificate.sentence} Until then the reference arm {fit.reference} is served."
        return Promise(objective, found.certificate, None, quality, cost, sentence)
    rung = int(order[found.index])
    expected = float(fit.proof.quality[rung].mean()), float(fit.proof.cost_usd[rung].mean())
    return Promise(objective, found.certificate, Mixture(rung, rung, 0.0), *expected, found.certificate.sentence)


def _within_budget(fit: Fit, objective: Objective, budget_usd: float) -> Promise:
    cost, quality = fit.train.cost_usd.mean(axis=1), fit.train.quality.mean(axis=1)
    if budget_usd < cost.min():
        raise TargetUnreachable(
            f"a budget of ${budget_usd:.3g} per query is below the cheapest policy on this pool, ${cost.min():.3g}. "
            "Raise it, or add a cheaper model."
        )
    able = np.flatnonzero(cost <= budget_usd)
    low = int(able[quality[able].argmax()])
    dearer = np.flatnonzero((cost > budget_usd) & (quality > quality[low]))
    slopes = (quality[dearer] - quality[low]) / (cost[dearer] - cost[low])
    high = int(dearer[slopes.argmax()]) if dearer.size else low
    p_high = float((budget_usd - cost[low]) / (cost[high] - cost[low])) if high != low else 0.0
    mixture = Mixture(low, high, p_high)
    means = fit.proof.quality.mean(axis=1), fit.proof.cost_usd.mean(axis=1)
    expected = [float((1 - p_high) * mean[low] + p_high * mean[high]) for mean in means]
    sentence = f"Within ${budget_usd:.3g} per query in the mean; about {100 * expected[0]:.1f} % right on held-out queries, not promised."
    return Promise(objective, None, mixture, expected[0], expected[1], sentence)


def policy_of(
    fit: Fit, assessor: Assessor, mixture: Mixture | None, objective: Objective, reason: str = "", placed: tuple[int, ...] = ()
) -> Policy:
    """Build the policy that serves: rungs of the ladder, or the reference arm; `placed` are the depths of sources that joined the fit's."""
    if mixture is None:
        return FixedArm(fit.reference, float(fit.proof.reference_quality.mean()), reason or "the reference arm, since nothing is certified")
    menu = Menu(tuple(range(len(assessor.sources))), max_draws=(*fit.max_draws, *placed), once=objective.commit == "before")
    cap = float("inf") if objective.cap_usd is None else objective.cap_usd
    low, high = (_rung(fit, assessor, menu, rung, cap) for rung in (mixture.low, mixture.high))
    return low if mixture.low == mixture.high else Blend(low, high, mixture.p_high, fit.seed)


def _rung(fit: Fit, assessor: Assessor, menu: Menu, rung: int, cap_usd: float) -> Policy:
    """The policy of a rung; under a cap, which a fixed arm does not heed, the rule that cost about as much in training."""
    if cap_usd < float("inf") and rung >= len(fit.worths):
        cost = fit.train.cost_usd.mean(axis=1)
        rung = int(np.abs(cost[: len(fit.worths)] - cost[rung]).argmin())
    return rung_policy(assessor, menu, fit.worths, fit.arms, rung, float(fit.train.quality[rung].mean()), cap_usd)
