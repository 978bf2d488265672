"""Cascade routing: after every answer, take the set of models whose best answer is worth most net of cost; run the next of them.

Quality is forecast before an answer by a ridge on the query and judged after it by
a logistic on the forecast, the answer's tokens, blank and verdict, and the share of the other models
run that gave it. Models not yet run are uncertain, and correlated with those that were. Up to 6
models (64 sets; the paper prunes larger pools), one sample each. The rungs are
16 worths of quality; nothing else is chosen.

Source: Dekoninck 2410.10347, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from onedial.core.answer import Candidate
from onedial.core.arm import Arm, Source
from onedial.core.decision import Decision, Policy
from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.forecasts.logit import Logit, cross_fitted, folds_of
from onedial.policies.baselines.contract import Lesson, StepperRecipe
from onedial.policies.baselines.pool import Pool, pool_of, thinned, worths
from onedial.policies.baselines.supermodels import Flags, Residuals, best_of_sets
from onedial.policies.baselines.text_ridge import TextRidge, forecast_scores
from onedial.policies.baselines.votes import Seen, signals

MODELS = 6


@dataclass(frozen=True, slots=True)
class Assessment:
    """One query at one moment.

    Attributes:
        run: (k,) models that were run.
        post: (k,) chance that each of their answers is right.
        value: (sets,) expected quality of the best answer of each set.
        sets: (sets, models) which models each set has.
    """

    run: Ints
    post: Floats
    value: Floats
    sets: Flags


@dataclass(frozen=True, slots=True)
class Estimates:
    """What is known of the models.

    Attributes:
        sources: The models, cheapest first.
        outputs: Which output of the forecast is about each.
        forecast: Of mean scores.
        judges: One per model.
        cost_usd: (models,) mean training cost of one sample.
        residuals: Of judgements against forecasts.
        kept: Assessments made, since the rungs of a ladder ask for the same ones.
    """

    sources: tuple[Source, ...]
    outputs: Ints
    forecast: TextRidge
    judges: tuple[Logit, ...]
    cost_usd: Floats
    residuals: Residuals
    kept: dict[tuple[str, tuple[Candidate, ...]], Assessment] = field(default_factory=dict, compare=False, repr=False)

    def assess(self, query: Query, tried: tuple[Candidate, ...]) -> Assessment:
        """Judge what was run, and value every set that contains it."""
        key = (query.id, tried)
        if key not in self.kept:
            ante = self.forecast.of(query)[self.outputs]
            run = np.array([self.sources.index(c.source) for c in tried], dtype=np.int64)
            post = self.judged(ante, run, tried) if tried else np.zeros(0)
            self.kept[key] = Assessment(run, post, *best_of_sets(self.residuals.draws(ante, run, post), run))
        return self.kept[key]

    def judged(self, ante: Floats, run: Ints, tried: Sequence[Candidate]) -> Floats:
        """(k,) chance that each answer is right, given all of them."""
        agree = _agreement(Seen.of(tried).answer)[0]
        rows = [_described(Seen.of([c]), ante[[m]], agree[[k]]) for k, (m, c) in enumerate(zip(run, tried, strict=True))]
        return np.array([float(self.judges[int(m)](x)[0]) for m, x in zip(run, rows, strict=True)])


@dataclass(frozen=True, slots=True)
class CascadeRouting:
    """The rule at one worth of quality, USD per unit."""

    estimates: Estimates
    worth: float

    def choose(self, query: Query, tried: tuple[Candidate, ...] = (), spent_usd: float = 0.0) -> Decision:
        """Run the cheapest missing model of the best set; stop when the best set has been run."""
        known, now = self.estimates, self.estimates.assess(query, tried)
        best = now.sets[int(np.argmax(self.worth * now.value - now.sets @ known.cost_usd))].copy()
        best[now.run] = False
        pick = int(now.post.argmax()) if tried else None
        answer, quality = (tried[pick].answer, float(now.post[pick])) if pick is not None else (None, 0.0)
        if not best.any():
            return Decision(None, answer, quality, "no further model is worth its cost", pick=pick)
        source = known.sources[int(np.flatnonzero(best)[0])]
        return Decision(Arm(source), answer, quality, f"{source} is the next of the best set", pick=pick)


def fit(lesson: Lesson) -> Sequence[Policy]:
    """Fit the estimates; one rung per worth."""
    pool = pool_of(lesson)
    outputs = thinned(np.array(pool.probes), MODELS)
    forecast, held = forecast_scores(lesson, pool.sources)
    ante = held[:, outputs][pool.tape.row]
    judges, post = _judges(pool, outputs, ante, lesson.seed)
    cost = np.array([float(pool.tape.ask_usd(int(j), 1).mean()) for j in outputs])
    residuals = Residuals.of(post - ante, lesson.seed)
    known = Estimates(tuple(pool.source(int(j)) for j in outputs), outputs, forecast, judges, cost, residuals)
    return [CascadeRouting(known, float(w)) for w in worths(cost)]


def _judges(pool: Pool, outputs: Ints, ante: Floats, seed: int) -> tuple[tuple[Logit, ...], Floats]:
    """One judge per model, and (rows, models) held-out judgements; which others were run is drawn at random for each row."""
    tape, rng = pool.tape, np.random.default_rng(seed)
    fold, zero = folds_of(tape.row, seed), np.zeros(len(tape.row), dtype=np.int64)
    judges, post = [], []
    for k, j in enumerate(outputs):
        others = tape.answer[:, np.delete(outputs, k), 0]
        run = rng.random(others.shape) < rng.random((len(others), 1))
        own = tape.answer[:, [j], 0]
        same = (others == own) & (own >= 0) & run
        agree = np.where(run.any(axis=1), same.sum(axis=1) / np.maximum(run.sum(axis=1), 1), np.nan)
        x = _described(tape.seen(int(j), 1), ante[:, k], agree)
        judge, held = cross_fitted(x, tape.value(int(j), zero), fold, 1.0 / tape.copies)
        judges.append(judge)
        post.append(held)
    return tuple(judges), np.stack(post, axis=1)


def _agreement(answer: Ints) -> Floats:
    """(rows, k) share of the other samples that gave the same answer; NaN for a lone one.

    >>> _agreement(np.array([[0, 0, 1]])).tolist()
    [[0.5, 0.5, 0.0]]
    """
    same = (answer[:, :, None] == answer[:, None, :]) & (answer >= 0)[:, None, :]
    others = answer.shape[1] - 1
    if not others:
        return np.full(answer.shape, np.nan)
    return np.asarray((same.sum(axis=2) - (answer >= 0)) / others)


def _described(seen: Seen, ante: Floats, agree: Floats) -> Floats:
    """(rows, 6) the forecast, the agreement of the others, then the answer's own signals."""
    return np.column_stack((ante, agree, signals(seen)))


CASCADE_ROUTING = StepperRecipe("cascade-routing", "Dekoninck 2410.10347", fit)
