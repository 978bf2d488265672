"""The tuned two-arm gate: draw one to three cheap samples; a logistic on their agreement and the tokens they took decides for a second arm.

One logistic per probe and count, on agreement, log tokens, blanks and verdicts;
thresholds are chosen on out-of-fold probabilities. Settings: up to 10 probes, k of 1
to 3, 12 thresholds, up to 16 followers; at most 5,800.

Source: THEORY.md section 2, "the first cheap sample is the best feature".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onedial.core.decision import Policy
from onedial.core.outcome import Floats, Ints
from onedial.forecasts.logit import Logit, cross_fitted, folds_of
from onedial.policies.baselines.contract import Lesson, StepperRecipe
from onedial.policies.baselines.pool import Pool, pool_of
from onedial.policies.baselines.staged import Stage
from onedial.policies.baselines.two_arm import Opening, levels, tuned
from onedial.policies.baselines.votes import Seen, leaders, signals

SIZES = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class SignalScorer:
    """Chance that the leading answer is right, by what its samples show."""

    logit: Logit

    def __call__(self, seen: Seen, ante: Floats) -> Floats:
        """(rows,) in [0, 1]."""
        return self.logit(signals(seen))


def openings(pool: Pool, seed: int) -> list[Opening]:
    """Every probe with every count, its logistic fitted."""
    fold = folds_of(pool.tape.row, seed)
    return [_opening(pool, j, n, fold) for j in pool.probes for n in SIZES if n <= pool.depth(j)]


def _opening(pool: Pool, j: int, n: int, fold: Ints) -> Opening:
    seen = pool.tape.seen(j, n)
    right = pool.tape.value(j, leaders(seen))
    logit, held = cross_fitted(signals(seen), right, fold, 1.0 / pool.tape.copies)
    return Opening(j, Stage(pool.block(j, n), SignalScorer(logit)), held, levels(held))


def fit(lesson: Lesson) -> Sequence[Policy]:
    """Tune it."""
    pool = pool_of(lesson)
    return tuned(pool, openings(pool, lesson.seed))


TOKEN_GATE = StepperRecipe("token-gate", "THEORY.md section 2", fit)
