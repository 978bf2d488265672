"""RouteLLM's own comparison on RouteLLM's labels: two models, and the share of calls to the strong one as the only cost.

Contaminated prompts are dropped, thresholds lie at the deciles of the score, and what learns from labels is scored on
queries that it has not seen. Reading files is up to `benchmarks/routellm.py`; the curve and its areas are in `metrics.routing`.

Source: 2406.18665, section 5 and the released evaluator.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onedial.core.errors import TableError
from onedial.core.outcome import Floats, Ints, Outcome
from onedial.core.query import Query
from onedial.forecasts.answer_shape import answer_shapes
from onedial.forecasts.learners.choose import choose_learner
from onedial.forecasts.learners.contract import fold_of
from onedial.forecasts.learners.registry import RECIPES
from onedial.forecasts.sketch import Sketch, sketch
from onedial.metrics.routing import apgr, cpt, decile_curve

TIE = 1e-9
"""Noise that tells equal scores apart, so that there are ten steps."""
LEARNERS = tuple(RECIPES)
_EDGE = 4.0  # Standard deviations beyond which a shape is cut.


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models on the queries of one data set.

    Attributes:
        name: Of the data set.
        queries: Those kept.
        weak: (n,) score of the weak model.
        strong: (n,) score of the strong model.
        dropped: Contaminated queries left out.
    """

    name: str
    queries: tuple[Query, ...]
    weak: Floats
    strong: Floats
    dropped: int

    @property
    def outcomes(self) -> Floats:
        """(n, 2) weak, strong."""
        return np.stack((self.weak, self.strong), axis=1)


@dataclass(frozen=True, slots=True)
class Marks:
    """One ranking: average gap recovered, and the share of strong calls that recovers half and four fifths of it; NaN if none does."""

    apgr: float
    cpt50: float
    cpt80: float


def pair_of(
    name: str, queries: Iterable[Query], outcomes: Iterable[Outcome], weak: str, strong: str, contaminated: Collection[str] = ()
) -> Pair:
    """Take the queries of a data set that both models have answered.

    Args:
        name: A data set, or what its name begins with up to a slash.
        queries: Of the whole table.
        outcomes: Of the whole table.
        weak: Model.
        strong: Model.
        contaminated: Prompts to drop, compared without blanks at their ends.

    Raises:
        TableError: No query is left.
    """
    known = {(o.query_id, o.model): o.score for o in outcomes if o.score is not None and o.model in (weak, strong)}
    own = [q for q in queries if q.dataset.partition("/")[0] == name and (q.id, weak) in known and (q.id, strong) in known]
    stained = {prompt.strip() for prompt in contaminated}
    kept = tuple(q for q in own if q.prompt.strip() not in stained)
    if not kept:
        raise TableError(f"no query of data set {name!r} has scores of both {weak} and {strong}; check the names.")
    scores = np.array([[known[q.id, weak], known[q.id, strong]] for q in kept], dtype=float)
    return Pair(name, kept, scores[:, 0], scores[:, 1], len(own) - len(kept))


def marks_of(score: Floats, weak: Floats, strong: Floats, seed: int = 0) -> Marks:
    """Score a ranking: the higher, the sooner a query goes to the strong model."""
    told_apart = score + TIE * np.random.default_rng(seed).standard_normal(score.size)
    curve, ends = decile_curve(told_apart, weak, strong), (float(weak.mean()), float(strong.mean()))
    return Marks(apgr(curve, *ends), cpt(curve, *ends, 0.5), cpt(curve, *ends, 0.8))


def without_labels(pair: Pair, rows: Ints, seed: int) -> dict[str, Marks]:
    """Rankings that learn nothing, on some of the queries: at random, by length, and the bound of hindsight."""
    weak, strong = pair.weak[rows], pair.strong[rows]
    length = np.array([len(pair.queries[i].prompt) for i in rows], dtype=float)
    scores = {"random": np.random.default_rng(seed).random(len(rows)), "prompt length": length, "hindsight": strong - weak}
    return {name: marks_of(score, weak, strong, seed) for name, score in scores.items()}


def forecast_marks(forecast: Floats, pair: Pair, rows: Ints, seed: int) -> dict[str, Marks]:
    """Both ways to use a forecast, (n, 2) of weak and strong: by the gain it predicts, and by difficulty for the weak model."""
    scores = {"predicted gain": forecast[:, 1] - forecast[:, 0], "difficulty (1 - P_weak)": -forecast[:, 0]}
    return {name: marks_of(score, pair.weak[rows], pair.strong[rows], seed) for name, score in scores.items()}


Forecaster = Callable[[Ints, Ints, int], Floats]
"""From labelled rows, rows to forecast and a seed to (n, 2): chances that the weak and the strong model are right."""


def from_query(pair: Pair, learners: Sequence[str] = LEARNERS) -> Forecaster:
    """Forecast from the text of the query alone."""
    return _learned(pair, lambda train, seen: seen, sketch(pair.queries), learners)


def from_weak_answer(pair: Pair, answers: Mapping[str, str], learners: Sequence[str] = LEARNERS) -> Forecaster:
    """Forecast from the query and the weak model's answer to it, which costs a weak call on every query.

    Args:
        pair: The queries.
        answers: Text by query id.
        learners: To choose among, on folds of the labelled queries.

    Raises:
        TableError: A query without an answer.
    """
    missing = [q.id for q in pair.queries if q.id not in answers]
    if missing:
        raise TableError(f"{len(missing)} of {len(pair.queries)} queries have no answer of the weak model, such as {missing[0]!r}.")
    prompts, texts = [q.prompt for q in pair.queries], [answers[q.id] for q in pair.queries]
    shapes = answer_shapes(prompts, texts)

    def beside(train: Ints, seen: Sketch) -> Sketch:
        centre, scale = shapes[train].mean(axis=0), shapes[train].std(axis=0) + 1e-9
        return replace(seen, embedding=np.clip((shapes - centre) / scale, -_EDGE, _EDGE))

    both = [replace(query, prompt=f"{query.prompt}\n{text}") for query, text in zip(pair.queries, texts, strict=True)]
    return _learned(pair, beside, sketch(both), learners)


def _learned(pair: Pair, ready: Callable[[Ints, Sketch], Sketch], seen: Sketch, learners: Sequence[str]) -> Forecaster:
    """Whichever learner does best on folds of the labelled rows."""

    def forecast(train: Ints, test: Ints, seed: int) -> Floats:
        x, y = ready(train, seen), pair.outcomes[train]
        chosen = choose_learner(x.rows(train), y, y, np.ones_like(y), seed, learners)
        return np.clip(chosen.learner.predict(x.rows(test)), 0.0, 1.0)

    return forecast


def on_split(pair: Pair, forecaster: Forecaster, n_labels: int, seed: int) -> dict[str, Marks]:
    """Learn from so many random queries, and score every ranking on all the others.

    Raises:
        TableError: No query would be left to score on.
    """
    n = len(pair.queries)
    if not 0 < n_labels < n:
        raise TableError(f"{n_labels} labels of {n} queries of {pair.name}; expected at least 1, and fewer than all.")
    order = np.random.default_rng(seed).permutation(n)
    train, test = order[:n_labels], order[n_labels:]
    return forecast_marks(forecaster(train, test, seed), pair, test, seed)


def on_folds(pair: Pair, forecaster: Forecaster, folds: int, seed: int) -> dict[str, Marks]:
    """Forecast every query from the other folds, and score the rankings over all of them."""
    fold, n = fold_of(len(pair.queries), seed, folds), len(pair.queries)
    forecast = np.empty((n, 2))
    for held in range(int(fold.max()) + 1):
        test = np.flatnonzero(fold == held)
        forecast[test] = forecaster(np.flatnonzero(fold != held), test, seed)
    return forecast_marks(forecast, pair, np.arange(n), seed)


def spread_of(runs: Sequence[Mapping[str, Marks]]) -> dict[str, tuple[Marks, Marks]]:
    """Mean and standard deviation over runs, by name of the ranking."""
    found = {}
    for name in runs[0]:
        table = np.array([[run[name].apgr, run[name].cpt50, run[name].cpt80] for run in runs])
        found[name] = (Marks(*table.mean(axis=0).tolist()), Marks(*table.std(axis=0).tolist()))
    return found
