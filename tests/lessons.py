"""Lessons for baselines: recorded outcomes of generated worlds, split into training and test queries."""

from dataclasses import dataclass

import numpy as np

from onedial.core.arm import Source
from onedial.core.model import Model
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.core.usage import Price
from onedial.engine.recorded import Recorded
from onedial.forecasts.features import features
from onedial.policies.baselines.contract import Lesson
from onedial.policies.grid import fixed_arms
from worlds import MODELS, World


@dataclass
class Case:
    """A lesson, the same queries to be replayed, and others that nothing was fitted to."""

    lesson: Lesson
    train: Recorded
    test: Recorded


def case_of(outcomes, queries, models, seed=0):
    """Split queries in two halves; the grid is of the arms that are complete on all of them."""
    whole = Recorded.of(queries, outcomes, models)
    grid = fixed_arms(whole.panel, whole.prices, np.random.default_rng(seed)).complete()
    half = np.arange(len(whole.queries) // 2)
    kept = [whole.queries[i] for i in half]
    train, test = (Recorded.of(part, outcomes, models) for part in (kept, whole.queries[len(kept) :]))
    lesson = Lesson(train.panel, features(kept), grid.rows(half), train.prices, seed, train.caches)
    return Case(lesson, train, test)


def skill_case(n=160, samples=4, seed=3):
    """The common world: three models of rising skill, two efforts, verdicts on one kind of query, cached prompts."""
    world = World(seed)
    queries = world.queries(n)
    return case_of(list(world.outcomes(queries, samples)), queries, MODELS)


def pair_models(caches=True):
    """Two models at a hundredfold price."""
    can = frozenset({"n", "cache"} if caches else {"n"})
    return {
        name: Model(name, Price(p, p, p / 10), capabilities=can, max_output_tokens=5000) for name, p in (("cheap", 0.1), ("dear", 10.0))
    }


def token_case(n=240, samples=3, answers=True, caches=False, seed=0):
    """The cheap model is wrong on half of the queries, always with the same answer; then it takes ten times the tokens.

    The dear one is right. Nothing about the query tells which half; without `answers` nothing is recorded but grades and tokens.
    """
    rng = np.random.default_rng(seed)
    queries = [Query(f"q{i}", f"item {rng.integers(1 << 30)}", reference="yes") for i in range(n)]
    hard = rng.random(n) < 0.5

    def one(query, model, wrong, index, tokens):
        answer = ("no" if wrong else "yes") if answers else None
        return Outcome(query.id, model, None, index, float(not wrong), answer, input_tokens=20, output_tokens=int(tokens))

    outcomes = []
    for query, lost in zip(queries, hard, strict=True):
        for index in range(samples):
            outcomes.append(one(query, "cheap", lost, index, (400 if lost else 40) * rng.uniform(0.8, 1.25)))
            outcomes.append(one(query, "dear", False, index, 100 * rng.uniform(0.8, 1.25)))
    return case_of(outcomes, queries, pair_models(caches))


def scatter_case(n=240, samples=8, seed=0):
    """The cheap model knows half of the queries and guesses among many answers on the others; tokens tell nothing."""
    rng = np.random.default_rng(seed)
    queries = [Query(f"q{i}", f"item {rng.integers(1 << 30)}", reference="yes") for i in range(n)]
    outcomes = []
    for query, lost in zip(queries, rng.random(n) < 0.5, strict=True):
        for index in range(samples):
            guess = f"no{rng.integers(50)}" if lost else "yes"
            outcomes.append(Outcome(query.id, "cheap", None, index, float(not lost), guess, input_tokens=20, output_tokens=50))
            outcomes.append(Outcome(query.id, "dear", None, index, 1.0, "yes", input_tokens=20, output_tokens=50))
    return case_of(outcomes, queries, pair_models())


def uneven_case(n=80, seed=0):
    """Recorded costs alone for one model, one source with a single sample, one that lacks a query, and fractional scores."""
    rng = np.random.default_rng(seed)
    queries = [Query(f"q{i}", f"item {rng.integers(1 << 30)}") for i in range(n)]
    depth = {Source("free"): 5, Source("once"): 1, Source("gone", "low"): 3}
    models = {name: Model(name, Price(1.0, 2.0)) for name in ("free", "once", "gone")}
    outcomes = [
        Outcome(
            query.id,
            source.model,
            source.effort,
            2 * index,
            float(rng.integers(0, 5)) / 4,
            rng.choice(["a", "b", None]),
            input_tokens=None if source.model == "free" else 10,
            output_tokens=int(rng.integers(5, 50)),
            cost_usd=float(rng.uniform(1e-6, 1e-5)) if source.model == "free" else None,
        )
        for i, query in enumerate(queries)
        for source, most in depth.items()
        if (i, source.model) != (3, "gone")
        for index in range(most + int(rng.integers(0, 2)) * (source.model == "free"))
    ]
    return case_of(outcomes, queries, models)


def topic_case(n=200, samples=2, seed=0):
    """The words of a query say whether the cheap model can do it; the dear one can do most, at a hundred times the price.

    It takes four times the tokens, so that who counts tokens instead of money also sees what it costs.
    """
    rng = np.random.default_rng(seed)
    words = {"sums": "add carry digit total column", "verse": "rhyme meter stanza line word"}
    kinds = [list(words)[k] for k in rng.integers(0, 2, n)]
    queries = [Query(f"q{i}", " ".join(rng.choice(words[kind].split(), 12)), dataset=kind) for i, kind in enumerate(kinds)]
    able = {("cheap", "sums"): 0.99, ("cheap", "verse"): 0.1, ("dear", "sums"): 0.9, ("dear", "verse"): 0.95}
    outcomes = []
    for query in queries:
        for model in ("cheap", "dear"):
            for index in range(samples):
                right = rng.random() < able[model, query.dataset]
                answer = "yes" if right else f"no{rng.integers(9)}"
                tokens = int(rng.integers(20, 40)) * (1 if model == "cheap" else 4)
                outcomes.append(Outcome(query.id, model, None, index, float(right), answer, input_tokens=20, output_tokens=tokens))
    return case_of(outcomes, queries, pair_models())
