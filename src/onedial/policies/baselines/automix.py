"""AutoMix: a small model answers, its own verification says how sure it is, a large model takes over where it is not.

The paper verifies by sampling "is this answer right?" from the small model. What is
recorded are samples of answers, so the verification is k more samples of the small
model, asked for together with the answer: confidence is the share of them that give the
answer again. Where verifier scores are recorded the answer's own score is the
confidence. The answer is the first sample, never the plurality.

`AUTOMIX_THRESHOLD` goes on below a threshold. `AUTOMIX_POMDP` estimates, for every level of confidence, what the
large model adds and costs, and goes on where that pays; it need not be monotone.
Settings: up to 10 small models, k of 1 to 3 or the verifier, up to 16 large arms, up to 12 levels; at most 5,800 and 5,800.

Source: Aggarwal 2310.12963, sections 3.2 and 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from onedial.core.decision import Policy
from onedial.core.outcome import Floats
from onedial.forecasts.logit import folds_of
from onedial.policies.baselines.contract import Lesson, StepperRecipe
from onedial.policies.baselines.pool import Pool, pool_of
from onedial.policies.baselines.staged import Stage
from onedial.policies.baselines.two_arm import Opening, levels, tuned
from onedial.policies.baselines.votes import Seen

CHECKS = (1, 2, 3)
PSEUDO = 2.0
"""Rows of the overall mean that every level of confidence is shrunk by, per copy."""


@dataclass(frozen=True, slots=True)
class Confidence:
    """The verifier's score of the first sample, or the share of the later ones that agree with it; one half where neither is there."""

    def __call__(self, seen: Seen, ante: Floats) -> Floats:
        """(rows,) in [0, 1]."""
        answer = seen.answer
        same = (answer[:, 1:] == answer[:, :1]) & (answer[:, :1] >= 0)
        share = same.mean(axis=1) if answer.shape[1] > 1 else np.full(len(answer), 0.5)
        return np.where(np.isfinite(seen.verdict[:, 0]), seen.verdict[:, 0], share)


@dataclass(frozen=True, slots=True)
class Gain:
    """Quality that going on does not buy per USD, by level of confidence: minus the gain over the cost.

    Attributes:
        edges: (k - 1,) between the levels.
        rate: (k,) gain per USD of the large arm, at each level.
    """

    edges: Floats
    rate: Floats

    def __call__(self, seen: Seen, ante: Floats) -> Floats:
        """(rows,)."""
        return self.at(Confidence()(seen, ante))

    def at(self, confidence: Floats) -> Floats:
        """(rows,) by confidence."""
        return np.asarray(-self.rate[np.searchsorted(self.edges, confidence, side="right")])


def openings(pool: Pool) -> list[Opening]:
    """Every small model with every way of verifying."""
    found = []
    for j in pool.probes:
        sizes = [1] if np.isfinite(pool.tape.verdict[:, j, 0]).any() else []
        for n in (*sizes, *(1 + k for k in CHECKS if 1 + k <= pool.depth(j))):
            seen = pool.tape.seen(j, n)
            score = Confidence()(seen, np.zeros(len(pool.tape.row)))
            found.append(Opening(j, Stage(pool.block(j, n), Confidence(), first=True), score, levels(score)))
    return found


def fit_threshold(lesson: Lesson) -> Sequence[Policy]:
    """Tune the threshold variant."""
    pool = pool_of(lesson)
    return tuned(pool, openings(pool))


def fit_pomdp(lesson: Lesson) -> Sequence[Policy]:
    """Tune the variant that estimates what going on brings; rates are held out while choosing."""
    pool = pool_of(lesson)
    return tuned(pool, [_with_gain(pool, o, f, lesson.seed) for o in openings(pool) for f in range(len(pool.arms))])


def _with_gain(pool: Pool, opening: Opening, follower: int, seed: int) -> Opening:
    tape = pool.tape
    value, usd = tape.arm(pool.homes[follower], pool.arms[follower])
    gain = value - tape.value(opening.column, np.zeros(len(tape.row), dtype=np.int64))
    edges, fold = opening.thresholds, folds_of(tape.row, seed)
    held = np.empty(len(gain))
    for k in np.unique(fold):
        out = fold == k
        held[out] = _gain(edges, opening.score[~out], gain[~out], usd[~out], tape.copies).at(opening.score[out])
    fitted = _gain(edges, opening.score, gain, usd, tape.copies)
    stage = replace(opening.stage, scorer=fitted)
    return Opening(opening.column, stage, held, np.unique(-fitted.rate) + 1e-12, (follower,))


def _gain(edges: Floats, score: Floats, gain: Floats, usd: Floats, copies: int) -> Gain:
    """Mean gain and cost by level, shrunk towards those of all levels."""
    level = np.searchsorted(edges, score, side="right")
    count = np.bincount(level, minlength=len(edges) + 1) + PSEUDO * copies
    total = np.bincount(level, gain, minlength=len(edges) + 1) + PSEUDO * copies * gain.mean()
    paid = np.bincount(level, usd, minlength=len(edges) + 1) + PSEUDO * copies * usd.mean()
    return Gain(edges, (total / count) / np.maximum(paid / count, 1e-300))


AUTOMIX_THRESHOLD = StepperRecipe("automix-threshold", "Aggarwal 2310.12963", fit_threshold)
AUTOMIX_POMDP = StepperRecipe("automix-pomdp", "Aggarwal 2310.12963", fit_pomdp)
