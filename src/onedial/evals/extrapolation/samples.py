"""Predicting the quality of more samples from one or two per (query, source): coverage and plurality votes.

Ours are `forecasts.sample_curves`; the rivals are the nearest budget that was
sampled, a ridge per budget, item response theory with a free ability per budget, a power law, and a plain beta-binomial per source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betaln, expit

from onedial.core.arm import Source
from onedial.core.outcome import Floats, Ints, Panel, known_mean
from onedial.core.usage import Price
from onedial.evals.extrapolation.item_response import fit_items
from onedial.evals.extrapolation.ridge_heads import RidgeHeads
from onedial.evals.extrapolation.scores import Actions, Cells, difficulty_groups, regret, score_cells, score_regret
from onedial.evals.extrapolation.truth import Halves, Truth, coverage_truth, cut, vote_truth
from onedial.forecasts.latents import log_run
from onedial.forecasts.sample_curves import fit_sample_curves

SIZES = (1, 2, 3, 4, 6, 8, 16)
COVERED = 0.9
"""Share of the queries on which an arm's sample count must be estimable."""
KINDS = ("coverage", "vote")
_KAPPAS = np.geomspace(0.1, 100.0, 25)
Predictor = Callable[[str, int], Floats]


@dataclass(frozen=True, slots=True)
class Seen:
    """What every method may learn from: samples seen, text features, sources.

    Attributes:
        halves: The samples; methods read `right`, `answer`, `cost` and `prompt` only.
        heads: Ridge regressions on the text.
        sources: Column order.
    """

    halves: Halves
    heads: RidgeHeads
    sources: tuple[Source, ...]

    @property
    def budget(self) -> int:
        """Samples seen per (query, source)."""
        return int(self.halves.right.shape[2])

    def quality(self, kind: str, n: int) -> Floats:
        """(n, S) quality of `n` samples, at most as many as were seen."""
        right = self.halves.right[..., :n] if n == self.budget else self.halves.right
        if kind == "vote" or n == 1:
            return known_mean(right)
        return np.asarray(np.where(np.isfinite(right).all(axis=2), np.nanmax(np.nan_to_num(right), axis=2), np.nan))


def run_samples(panel: Panel, prices: Mapping[str, Price], heads: RidgeHeads, seed: int, weights: Floats) -> dict[str, Any]:
    """Pose the task with one and with two samples seen, for both kinds; a table without repeats says so in `reason`."""
    parts = []
    for seen in (1, 2):
        rng = np.random.default_rng([seed, seen])
        halves = cut(panel, prices, seen, rng)
        for kind in KINDS:
            part = _part(panel, halves, heads, kind, rng, weights)
            if part is not None:
                parts.append({"fit_samples": seen, "kind": kind} | part)
    reason = None if parts else "no source has enough samples per query to see one or two and keep more of them apart than that"
    return {"reason": reason, "parts": parts}


def _part(panel: Panel, halves: Halves, heads: RidgeHeads, kind: str, rng: np.random.Generator, weights: Floats) -> dict[str, Any] | None:
    usable = _usable(halves, kind)
    if usable.size == 0:
        return None
    sources = tuple(panel.sources[int(j)] for j in usable)
    seen = Seen(_columns(halves, usable), heads, sources)
    truths = _truths(seen.halves, kind, rng)
    if not any(n > seen.budget for n, _ in truths):
        return None
    methods = {name: make(seen) for name, make in METHODS.items()}
    return _scored(seen, kind, truths, methods, weights)


def _usable(halves: Halves, kind: str) -> Ints:
    """Sources with what it takes to be seen and scored; for votes those that also record what wrong samples answered."""
    full = np.isfinite(halves.right).all(axis=2).mean(axis=0) >= COVERED
    rest = np.isfinite(halves.held_right).sum(axis=2)
    able = full & ((rest >= halves.right.shape[2] + 1).mean(axis=0) >= COVERED)
    if kind == "vote":
        wrong = halves.held_right < 0.5
        told = (wrong & (halves.held_answer >= 0)).sum(axis=(0, 2)) / np.maximum(wrong.sum(axis=(0, 2)), 1)
        able &= told >= 0.5
    return np.asarray(np.flatnonzero(able), dtype=np.int64)


def _columns(halves: Halves, index: Ints) -> Halves:
    return Halves(*(getattr(halves, name)[:, index] for name in Halves.__slots__))


def _truths(halves: Halves, kind: str, rng: np.random.Generator) -> list[tuple[int, Truth]]:
    found = []
    for n in SIZES:
        enough = np.isfinite(halves.held_right).sum(axis=2) >= n
        if ((enough.mean(axis=0)) >= COVERED).any():
            right, answer = halves.held_right, halves.held_answer
            found.append((n, coverage_truth(right, n) if kind == "coverage" else vote_truth(right, answer, n, rng)))
    return found


def _scored(
    seen: Seen, kind: str, truths: Sequence[tuple[int, Truth]], methods: Mapping[str, tuple[Predictor, Floats]], weights: Floats
) -> dict[str, Any]:
    groups = difficulty_groups(known_mean(seen.halves.right))
    arms = [(n, t, np.isfinite(t.quality).mean(axis=0) >= COVERED) for n, t in truths]
    beyond = [(n, t, able) for n, t, able in arms if n > seen.budget and able.any()]
    cells = {name: _cells(seen, predictor, cost, kind, beyond) for name, (predictor, cost) in methods.items()}
    exact = np.concatenate([t.exact[:, able].mean(axis=0) >= COVERED for _, t, able in beyond])
    sizes = np.concatenate([np.full(int(able.sum()), n) for n, _, able in beyond])
    report = score_cells(cells, groups, exact, weights)
    lost = {name: _regret(seen, predictor, cost, kind, arms, groups) for name, (predictor, cost) in methods.items()}
    by_size = {
        str(n): {name: _root_mean(c.error[:, sizes == n], c.noise[:, sizes == n]) for name, c in cells.items()}
        for n in sorted({int(n) for n in sizes})
    }
    losses = {name: values for name, values in lost.items() if values is not None}
    head = {"n_cells": int(sizes.size), "n_exact": int(exact.sum()), "n_queries": len(groups), "n_groups": int(groups.max()) + 1}
    return head | report | {"regret": score_regret(losses, weights) if losses else None, "arm_rmse_by_size": by_size}


def _root_mean(error: Floats, noise: Floats) -> float:
    mean = known_mean(error, axis=0) ** 2 - known_mean(noise, axis=0) / np.maximum(np.isfinite(error).sum(axis=0), 1)
    return float(np.sqrt(max(mean.mean(), 0.0)))


def _cells(seen: Seen, predictor: Predictor, cost: Floats, kind: str, beyond: Sequence[tuple[int, Truth, Any]]) -> Cells:
    error, noise, cost_error, cost_noise = [], [], [], []
    for n, truth, able in beyond:
        error.append((predictor(kind, n) - truth.quality)[:, able])
        noise.append(truth.noise[:, able])
        billed, spread = _true_cost(seen.halves, n)
        scale = known_mean(billed, axis=0)[None, :]
        cost_error.append(((seen.halves.prompt + n * cost - billed) / scale)[:, able])
        cost_noise.append((spread / scale**2)[:, able])
    return Cells(*(np.concatenate(part, axis=1) for part in (error, noise, cost_error, cost_noise)))


def _true_cost(halves: Halves, n: int) -> tuple[Floats, Floats]:
    """(n, S) mean cost of asking for n samples together and the variance of that estimate, from the samples left out."""
    known = np.isfinite(halves.held_cost).sum(axis=2)
    mean = known_mean(halves.held_cost)
    apart = np.where(np.isfinite(halves.held_cost), halves.held_cost - mean[..., None], 0.0)
    variance = (apart**2).sum(axis=2) / np.maximum(known - 1, 1) / np.maximum(known, 1)
    return halves.prompt + n * mean, np.where(known > 1, n**2 * variance, np.nan)


def _regret(
    seen: Seen, predictor: Predictor, cost: Floats, kind: str, arms: Sequence[tuple[int, Truth, Any]], groups: Ints
) -> Floats | None:
    true_q, true_c, guess_q, guess_c = [], [], [], []
    for n, truth, able in arms:
        billed, _ = _true_cost(seen.halves, n)
        guess = seen.halves.prompt + n * cost
        able = able & (np.isfinite(billed).mean(axis=0) >= COVERED) & (np.isfinite(guess).mean(axis=0) >= COVERED)
        true_q.append(truth.quality[:, able])
        true_c.append(billed[:, able])
        guess_q.append(predictor(kind, n)[:, able])
        guess_c.append(guess[:, able])
    joined = [np.concatenate(part, axis=1) for part in (guess_q, guess_c, true_q, true_c)]
    if joined[0].shape[1] < 2:
        return None
    return regret(Actions(joined[0], joined[1]), Actions(joined[2], joined[3]), groups)


def _onedial(seen: Seen) -> tuple[Predictor, Floats]:
    curves = fit_sample_curves(seen.halves.right, seen.halves.answer, seen.sources, known_mean(seen.halves.tokens, axis=(0, 2)))
    return lambda kind, n: curves.coverage(n) if kind == "coverage" else curves.vote(n), _shrunken(seen.halves.cost)


def _shrunken(cost: Floats) -> Floats:
    """(n, S) cost per sample: halfway from what was seen to source mean times what the query costs other sources."""
    seen = known_mean(cost)
    column = known_mean(seen, axis=0)
    factor = known_mean(seen / column, axis=1, otherwise=1.0)
    structural = column * factor[:, None]
    return np.asarray(np.where(np.isfinite(seen), 0.5 * seen + 0.5 * structural, structural))


def _nearest(seen: Seen) -> tuple[Predictor, Floats]:
    return lambda kind, n: seen.quality(kind, min(n, seen.budget)), known_mean(seen.halves.cost)


def _ridge(seen: Seen) -> tuple[Predictor, Floats]:
    heads = {(k, b): seen.heads.predict(seen.quality(k, b)) for k in KINDS for b in range(1, seen.budget + 1)}

    def predict(kind: str, n: int) -> Floats:
        return np.clip(_straight([heads[kind, b] for b in range(1, seen.budget + 1)], n), 0.0, 1.0)

    return predict, seen.heads.predict(known_mean(seen.halves.cost))


def _straight(at: Sequence[Floats], n: int) -> Floats:
    """Extend values at 1, 2 samples along a straight line in log n; a single one stays as it is."""
    return at[n - 1] if n <= len(at) else at[-1] + (at[1] - at[0]) * np.log2(n / 2) if len(at) > 1 else at[0]


def _free_theta(seen: Seen) -> tuple[Predictor, Floats]:
    fitted = {}
    for kind in KINDS:
        rate = np.concatenate([seen.quality(kind, b) for b in range(1, seen.budget + 1)], axis=1)
        fitted[kind] = fit_items(np.nan_to_num(rate), np.isfinite(rate).astype(float))
    s = len(seen.sources)

    def predict(kind: str, n: int) -> Floats:
        items = fitted[kind]
        theta = _straight([items.ability[b * s : (b + 1) * s] for b in range(seen.budget)], n)
        return np.asarray(expit(items.discrimination[:, None] * (theta - items.difficulty[:, None])))

    return predict, known_mean(seen.halves.cost)


def _power_law(seen: Seen) -> tuple[Predictor, Floats]:
    def predict(kind: str, n: int) -> Floats:
        if n <= seen.budget:
            return seen.quality(kind, n)
        means = [np.clip(known_mean(seen.quality(kind, b), axis=0), 1e-3, 1.0 - 1e-6) for b in range(1, seen.budget + 1)]
        slope = np.log2(np.log(means[1]) / np.log(means[0])) if len(means) > 1 else 0.0
        grown = means[-1] ** ((n / seen.budget) ** slope)  # -log q = a n^slope
        return np.asarray(np.clip(seen.quality(kind, seen.budget) * (grown / means[-1]), 0.0, 1.0))

    return predict, known_mean(seen.halves.cost)


def _beta_binomial(seen: Seen) -> tuple[Predictor, Floats]:
    draws, right = np.isfinite(seen.halves.right).sum(axis=2).astype(float), np.nansum(seen.halves.right, axis=2)
    mean = np.clip(right.sum(axis=0) / np.maximum(draws.sum(axis=0), 1.0), 1e-3, 1.0 - 1e-3)
    fits = np.stack([log_run(right, draws, mean[None, :], np.array(k), np.array(0.0)).sum(axis=0) for k in _KAPPAS])
    kappa = _KAPPAS[fits.argmax(axis=0)] if seen.budget > 1 else np.full(len(mean), 2.0)
    alpha, beta = mean * kappa + right, (1.0 - mean) * kappa + draws - right

    def predict(kind: str, n: int) -> Floats:
        if kind == "coverage":
            return np.asarray(1.0 - np.exp(betaln(alpha, beta + n) - betaln(alpha, beta)))
        return _majority(alpha, beta, n)

    return predict, known_mean(seen.halves.cost)


def _majority(alpha: Floats, beta: Floats, n: int) -> Floats:
    """Chance that more than half of n samples are right, half of it at a tie: all wrong answers taken for one."""
    total = np.zeros(alpha.shape)
    ways = 1.0
    for k in range(n + 1):
        share = 1.0 if 2 * k > n else 0.5 if 2 * k == n else 0.0
        total += share * ways * np.exp(betaln(alpha + k, beta + n - k) - betaln(alpha, beta))
        ways *= (n - k) / (k + 1)
    return total


METHODS: dict[str, Callable[[Seen], tuple[Predictor, Floats]]] = {
    "onedial": _onedial,
    "nearest": _nearest,
    "ridge_per_budget": _ridge,
    "free_theta_irt": _free_theta,
    "power_law": _power_law,
    "beta_binomial": _beta_binomial,
}
