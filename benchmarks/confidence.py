"""Is a vote by confidence better than a vote, at the same samples? And one of several models? On the embedded models.

    python benchmarks/confidence.py [--queries 200] [--samples 16] [--effort 2] [--top 20] [--window 8] [--seed 0]

Every source is sampled once per query, with log-probabilities; all strategies choose among the same samples. Differences are to the
first line of each table, in points, with 95 % intervals of a paired bootstrap over queries. Weights of the mixture are learned on the
training split, everything else is a default; all numbers are of the test split.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np

from onedial.core.answer import Answer
from onedial.core.arm import Source
from onedial.core.ask import Ask, Completion, Sample, Samples
from onedial.core.outcome import Floats, Outcome
from onedial.core.query import Query
from onedial.core.steps import Steps, drive
from onedial.core.usage import Usage
from onedial.lab.checker import grade
from onedial.lab.client import LabClient
from onedial.lab.prompts import lab_queries
from onedial.metrics.bootstrap import mean_interval
from onedial.metrics.roc import area
from onedial.strategies.deepconf import deepconf
from onedial.strategies.deepconf_online import deepconf_online
from onedial.strategies.draw import Reading
from onedial.strategies.mixture_vote import mixture_vote
from onedial.strategies.self_certainty import self_certainty
from onedial.strategies.self_consistency import self_consistency
from onedial.strategies.vote_weights import VoteWeights, fit_vote_weights

Run = Callable[[Query], Steps[Answer]]
Cells = Mapping[tuple[str, Source], tuple[Completion, ...]]
PRICES = {name: model.price for name, model in LabClient().models.items()}


async def sampled(queries: Sequence[Query], sources: Sequence[Source], n: int, top: int, seed: int) -> Cells:
    """Draw `n` completions of every source for every query."""
    client = LabClient(seed=seed)
    keys = [(query, source) for query in queries for source in sources]
    asks = [Sample(query.id, source, query.messages, n, logprobs=True, top_logprobs=top) for query, source in keys]
    replies = await asyncio.gather(*map(client.sample, asks))
    await client.aclose()
    return {(q.id, s): reply.completions for (q, s), reply in zip(keys, replies, strict=True) if isinstance(reply, Samples)}


def replying(cells: Cells) -> Callable[[Ask], Samples]:
    """Answer asks from the samples."""
    return lambda ask: Samples(cells[ask.query_id, ask.source][ask.first_index : ask.first_index + ask.n], Usage(1), 0.0)


class Played(NamedTuple):
    """Of one run: whether each query is answered right, and per query samples, and the cost of their output in USD."""

    right: Floats
    samples: float
    cost_usd: float


def played(run: Run, queries: Sequence[Query], cells: Cells) -> Played:
    """Run a strategy on every query."""
    answers = [drive(run(query), replying(cells)) for query in queries]
    right = [correct(query, a.answer) for a, query in zip(answers, queries, strict=True)]
    every = [c for a in answers for c in a.candidates]
    cost_usd = sum(PRICES[c.source.model].cost_usd(Usage(output_tokens=c.output_tokens or 0)) for c in every)
    return Played(np.array(right, float), len(every) / len(queries), cost_usd / len(queries))


def correct(query: Query, answer: str | None) -> bool:
    """Grade an answer exactly."""
    return grade(query.prompt, answer) == 1.0


def discerning(source: Source, queries: Sequence[Query], cells: Cells, n: int) -> float:
    """Area under the ROC curve of self-certainty over all samples of a source."""
    found = [(q, c) for q in queries for c in drive(self_certainty(q, source, n, Reading()), replying(cells)).candidates]
    return area(np.array([c.confidence for _, c in found], float), np.array([correct(q, c.answer) for q, c in found]))


def outcomes(queries: Sequence[Query], sources: Sequence[Source], cells: Cells) -> Iterator[Outcome]:
    """The samples as labelled outcomes."""
    for query, source in product(queries, sources):
        for i, completion in enumerate(cells[query.id, source]):
            answer = Reading().extract(completion.text)
            yield Outcome(query.id, source.model, source.effort, i, float(correct(query, answer)), answer)


def show(name: str, run: Run, base: Floats, queries: Sequence[Query], cells: Cells, rng: np.random.Generator) -> None:
    """One line of the table."""
    right, samples, cost_usd = played(run, queries, cells)
    gain = mean_interval(100 * (right - base), rng)
    spent = f"{samples:.1f} | {1e6 * cost_usd:.2f}"
    print(f"| {name} | {100 * right.mean():.1f} | {gain.estimate:+.1f} [{gain.low:+.1f}, {gain.high:+.1f}] | {spent} |", flush=True)


def table(title: str, runs: Mapping[str, Run], queries: Sequence[Query], cells: Cells, seed: int) -> None:
    """Compare runs with the first of them."""
    base = played(next(iter(runs.values())), queries, cells).right
    print(f"\n{title}\n\n| votes | right, % | against the first, points | samples | USD per million queries |\n|---|---|---|---|---|")
    for name, run in runs.items():
        show(name, run, base, queries, cells, np.random.default_rng(seed))


def of_one(source: Source, n: int, window: int) -> dict[str, Run]:
    """Votes of one source."""
    return {
        "vote": lambda q: self_consistency(q, source, n, Reading()),
        "certain": lambda q: self_certainty(q, source, n, Reading()),
        "deepconf": lambda q: deepconf(q, source, n, Reading(), window=window),
        "deepconf/keep=0.25": lambda q: deepconf(q, source, n, Reading(), keep=0.25, window=window),
        "deepstop": lambda q: deepconf_online(q, source, n, Reading(), window=window),
    }


def of_all(sources: Sequence[Source], n: int, weights: VoteWeights) -> dict[str, Run]:
    """Votes of all sources together, beside those of the last one alone."""
    return {
        f"{sources[-1]}/vote": lambda q: self_consistency(q, sources[-1], n, Reading()),
        "mix": lambda q: mixture_vote(q, sources[0], n, Reading(), sources[1:]),
        "mix, learned weights": lambda q: mixture_vote(q, sources[0], n, Reading(), sources[1:], weights),
    }


def main() -> None:
    """Sample, then compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("queries", 200), ("samples", 16), ("top", 20), ("window", 8), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--effort", default="2")
    asked = parser.parse_args()
    train, test = (lab_queries(asked.queries, split, asked.seed) for split in ("train", "test"))
    sources = [Source(name, asked.effort) for name in PRICES]
    cells = asyncio.run(sampled([*train, *test], sources, asked.samples, asked.top, asked.seed))
    for source in sources:
        title = f"{source}: area under the ROC curve of self-certainty {discerning(source, test, cells, asked.samples):.3f}"
        runs = of_one(source, asked.samples, asked.window)
        as_many = round(played(runs["deepstop"], test, cells).samples)
        runs[f"vote of {as_many}, as many as deepstop draws"] = partial(self_consistency, source=source, n=as_many, reading=Reading())
        table(title, runs, test, cells, asked.seed)
    weights = fit_vote_weights(outcomes(train, sources, cells))
    runs = of_all(sources, asked.samples, weights)
    alone, together = (played(run, test, cells).cost_usd for run in [*runs.values()][:2])
    as_much = round(asked.samples * together / alone)
    runs[f"vote of {as_much}, for as much as mix costs"] = partial(self_consistency, source=sources[-1], n=as_much, reading=Reading())
    table("Several models", runs, test, cells, asked.seed)


if __name__ == "__main__":
    main()
