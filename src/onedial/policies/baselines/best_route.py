"""BEST-Route: a head per (model, n) for the chance of matching a reference arm; the cheapest head that is sure enough.

Heads are those of the training frontier, at most sixteen; the reference is the most accurate arm on training. Two
recipes differ in the cost that "cheapest" means. As published: prompt tokens once, n times the model's mean output length. Corrected:
the mean of what the arm was billed, every prompt included.

Source: 2506.22716, Algorithm 1; the remark on prompts is in its public reviews.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.outcome import Floats, Ints, known_mean
from onedial.core.query import Query
from onedial.core.usage import TOKENS_PER_PRICE
from onedial.policies.baselines.contract import Lesson, Router, RouterRecipe
from onedial.policies.baselines.embedding import embedded
from onedial.policies.baselines.heads import Heads, fit_heads
from onedial.policies.baselines.matches import draws_of, p_at_least
from onedial.policies.baselines.rungs import RUNGS, few_arms, sorted_ladder
from onedial.policies.grid import most_accurate


@dataclass(frozen=True, slots=True)
class Bill:
    """Estimated cost of arms: fixed + per_character * characters of the prompt, both (k,) in USD."""

    fixed: Floats
    per_character: Floats

    def cost(self, queries: Sequence[Query]) -> Floats:
        """(n, k) in USD."""
        return np.asarray(self.fixed + characters(queries)[:, None] * self.per_character)


def characters(queries: Sequence[Query]) -> Floats:
    """(n,) length of what is sent."""
    return np.array([float(len(q.system) + len(q.prompt)) for q in queries])


def billed(lesson: Lesson, arms: Ints) -> Bill:
    """What arms cost on average on training."""
    mean = lesson.grid.cost_usd[:, arms].mean(axis=0)
    return Bill(mean, np.zeros(len(arms)))


def published(lesson: Lesson, arms: Ints) -> Bill:
    """The published formula; a model without a price, or without tokens, is billed as recorded.

    The prompt tokens of a query that was never sent are its characters at the model's mean tokens per character.
    """
    actual, length = billed(lesson, arms), float(characters(lesson.queries).mean())
    fixed, per_character = actual.fixed.copy(), actual.per_character.copy()
    prompt, output = known_mean(lesson.panel.input_tokens, axis=0), known_mean(lesson.panel.output_tokens, axis=(0, 2))
    for k, arm in enumerate(lesson.grid.arms[int(j)] for j in arms):
        price, at = lesson.prices.get(arm.source.model), lesson.panel.sources.index(arm.source)
        if price is not None and np.isfinite(prompt[at] + output[at]):
            fixed[k] = arm.n * output[at] * price.output_usd_per_mtok / TOKENS_PER_PRICE
            per_character[k] = prompt[at] / max(length, 1.0) * price.input_usd_per_mtok / TOKENS_PER_PRICE
    return Bill(fixed, per_character)


def cheapest_sure(chance: Floats, cost: Floats, threshold: float, reference: int) -> Ints:
    """(n,) the cheapest of the arms whose chance, (n, k), is at least the threshold, at (n, k) costs; the reference if none is."""
    dear = np.where(chance >= threshold, cost, np.inf)
    return np.where(np.isfinite(dear).any(axis=1), np.argmin(dear, axis=1), reference).astype(np.int64)


@dataclass(frozen=True, slots=True)
class BestRoute:
    """Fitted heads.

    Attributes:
        heads: One per arm.
        arms: Their columns, the reference last.
        bill: Their costs.
        thresholds: (n_settings,).
    """

    heads: Heads
    arms: Ints
    bill: Bill
    thresholds: Floats

    def choose(self, queries: Sequence[Query], features: Floats) -> Ints:
        """(n_settings, n_queries) columns."""
        chance, cost, last = self.heads(features), self.bill.cost(queries), len(self.arms) - 1
        return np.stack([self.arms[cheapest_sure(chance, cost, t, last)] for t in self.thresholds])


def best_route(bill: Callable[[Lesson, Ints], Bill]) -> Callable[[Lesson], Router]:
    """A fitting function with one of the two bills."""

    def fit(lesson: Lesson) -> Router:
        reference = most_accurate(lesson.grid)
        found = few_arms(lesson)
        arms = np.concatenate((found[found != reference], [reference]))
        top = draws_of(lesson, reference)
        labels = np.stack([p_at_least(draws_of(lesson, int(j)), top) for j in arms], axis=1)
        heads, held = fit_heads(lesson.features, labels, lesson.seed)
        thresholds = np.concatenate((np.quantile(held, np.linspace(0.0, 1.0, RUNGS - 1)), [np.inf]))
        return sorted_ladder(lesson, BestRoute(heads, arms, bill(lesson, arms), thresholds).choose)

    return embedded(fit)


BEST_ROUTE = RouterRecipe("best-route", "BEST-Route 2506.22716, cost corrected", best_route(billed))
BEST_ROUTE_AS_PUBLISHED = RouterRecipe("best-route-as-published", "BEST-Route 2506.22716, Algorithm 1", best_route(published))
