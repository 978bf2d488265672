"""Fit a forecast to recorded outcomes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.cores import one_core
from onedial.core.errors import TableError
from onedial.core.outcome import Floats, Ints, Panel, known_mean
from onedial.forecasts.calibration import apply_logistic, fit_logistic
from onedial.forecasts.dispersion import Dispersion, fit_dispersion, state_chances
from onedial.forecasts.forecast import BEYOND_MOST, COLLISION_EDGE, TOKEN_SCALE, Forecast, scale_of
from onedial.forecasts.latents import P_EDGE, Echo, Latents, at_nodes
from onedial.forecasts.learners.choose import choose_learner
from onedial.forecasts.learners.registry import RECIPES
from onedial.forecasts.sketch import sketch
from onedial.forecasts.token_signal import TokenSignal, fit_token_signal
from onedial.metrics.roc import accept_counts

MIN_QUERIES = 20
RIGHT = 0.5
CANONICAL = 0.75
"""Right samples that agree less often than this are in free form: their agreement is not read as evidence."""
TRAP_EDGE = (0.02, 0.8)
BEYOND_RATE = 0.2
"""A query that the better half of the sources solve no more often than this is called beyond the pool."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A forecast, and the latents it gives its own training queries without having seen their outcomes."""

    forecast: Forecast
    latents: Latents


@one_core()
def fit_forecast(panel: Panel, seed: int = 0, priced: Collection[str] | None = None, learners: Sequence[str] | None = None) -> Fitted:
    """Fit success, spread, wrong answers, verdicts and tokens.

    Args:
        panel: Outcomes; a source may lack samples of some queries.
        seed: Of folds and learners.
        priced: Models whose price accounts for their costs; the others cost what was recorded. None is all.
        learners: Candidates among which the best on unseen queries is taken; None is all.

    Raises:
        TableError: Too few graded queries, or a source without any graded sample.
    """
    draws = np.isfinite(panel.score).sum(axis=2).astype(float)
    _enough(panel, draws)
    right = np.nansum(panel.score, axis=2)
    beyond, guess = _beyond(right, draws)
    targets = np.column_stack((_targets(panel, right, draws), beyond))
    s = len(panel.sources)
    chosen = choose_learner(sketch(panel.queries), targets, right, draws, seed, learners or tuple(RECIPES))
    bag = chosen.out_of_fold / scale_of(s)
    line = fit_logistic(bag[:, :s], right, draws)
    success, beyond_chance = apply_logistic(bag[:, :s], line), np.clip(bag[:, 2 * s + 3], 0.0, BEYOND_MOST)
    spread = fit_dispersion(success, right, draws, beyond_chance, guess)
    accept = _roc(panel)
    tokens = np.where(np.isfinite(panel.output_tokens), panel.output_tokens, np.nan)
    fitted = np.exp(bag[:, s : 2 * s])
    prompt = np.exp(bag[:, 2 * s + 2, None])
    mean_tokens = fitted * (ratio := known_mean(tokens, axis=(0, 2), otherwise=1.0) / fitted.mean(axis=0))
    forecast = Forecast(
        sources=panel.sources,
        reader=chosen.learner,
        learner=chosen.name,
        line=line,
        kappa=spread.kappa,
        pi0=spread.pi0,
        sigma=spread.sigma,
        guess=guess,
        trap=_trap(_collisions(panel), np.clip(bag[:, 2 * s], *COLLISION_EDGE)),
        p_accept_right=accept[0],
        p_accept_wrong=accept[1],
        input_ratio=known_mean(panel.input_tokens / prompt, axis=0, otherwise=1.0),
        tokens_ratio=ratio,
        charged=_charged(panel, priced),
        signal=_signal(panel, mean_tokens, success, beyond_chance, guess, spread, seed),
        free_form=not _agree_when_right(panel),
        echo=_echo(panel),
    )
    return Fitted(forecast, forecast.from_outputs(bag, panel.input_tokens))


def _enough(panel: Panel, draws: Floats) -> None:
    graded = int((draws.sum(axis=1) > 0).sum())
    if graded < MIN_QUERIES:
        raise TableError(f"{graded} queries with graded outcomes; fitting needs at least {MIN_QUERIES}. Collect more, or give references.")
    for source, count in zip(panel.sources, draws.sum(axis=0), strict=True):
        if count == 0:
            raise TableError(f"no graded outcome of {source}; collect some, or leave it out of the pool.")


def _targets(panel: Panel, right: Floats, draws: Floats) -> Floats:
    """(n, 2S + 3) what is learned: success, log tokens, agreement of wrong answers, a verdict or none, log prompt tokens; NaN for unknown.

    What comes last among the outputs, being beyond every source, is found by `_beyond`.
    """
    rate = right / np.where(draws > 0, draws, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        log_tokens = known_mean(np.log(np.maximum(panel.output_tokens, 1.0)), axis=2, otherwise=np.nan)
    verdict = np.isfinite(panel.verdict).any(axis=(1, 2)).astype(float)
    prompt = known_mean(np.log(np.maximum(panel.input_tokens, 1.0)), axis=1, otherwise=np.nan)
    return np.column_stack((rate, TOKEN_SCALE * log_tokens, _collisions(panel), verdict, TOKEN_SCALE * prompt))


def _collisions(panel: Panel) -> Floats:
    """(n,) share of pairs of wrong samples of a query that agree; NaN without such a pair.

    The better half of the sources counts: guesses scatter, and would hide that
    those who mostly know better are wrong alike.
    """
    found, able = np.full(len(panel.queries), np.nan), _abler(panel)
    for i, (answers, scores) in enumerate(zip(panel.answer[:, able], panel.score[:, able], strict=True)):
        wrong = answers[np.isfinite(scores) & (scores < 0.5) & (answers >= 0)]
        if wrong.size > 1:
            count = np.bincount(wrong).astype(float)
            found[i] = (count * (count - 1)).sum() / (wrong.size * (wrong.size - 1))
    return found


def _abler(panel: Panel) -> Ints:
    """Columns of the better half of the sources, of two at least: one sample of one source has nothing to agree with."""
    skill = known_mean(panel.score, axis=(0, 2), otherwise=0.0)
    order = np.argsort(-skill, kind="stable")
    return np.sort(order[: max(2, int((skill >= np.median(skill)).sum()))])


def _beyond(right: Floats, draws: Floats) -> tuple[Floats, Floats]:
    """(n,) whether even the better half of the sources hardly ever solved a query, and (S,) how often each got such queries right."""
    rate = right / np.where(draws > 0, draws, np.nan)
    skill = known_mean(rate, axis=0, otherwise=0.0)
    able = skill >= np.median(skill)
    beyond = known_mean(rate[:, able], axis=1, otherwise=1.0) <= BEYOND_RATE
    guess = known_mean(rate[beyond], axis=0, otherwise=0.0) if beyond.any() else np.zeros(len(skill))
    return beyond.astype(float), np.clip(guess, 1e-3, BEYOND_RATE)


def _charged(panel: Panel, priced: Collection[str] | None) -> Floats:
    """Recorded cost over output tokens of every source that has no price; over samples, as if each were one token, without tokens."""
    cost, tokens = (known_mean(values, axis=(0, 2)) for values in (panel.cost_usd, panel.output_tokens))
    billed = np.array([priced is None or source.model in priced for source in panel.sources])
    return np.where(billed, np.nan, cost / np.where(tokens > 0, tokens, 1.0))


def _signal(
    panel: Panel, mean_tokens: Floats, success: Floats, beyond: Floats, guess: Floats, spread: Dispersion, seed: int
) -> TokenSignal:
    """What tokens say, given the states that all outcomes of a query point to."""
    right, draws = np.nansum(panel.score, axis=2), np.isfinite(panel.score).sum(axis=2).astype(float)
    states = state_chances(success, right, draws, beyond, guess, spread)
    mean, weights = at_nodes(np.clip(success / (1.0 - spread.pi0), P_EDGE, 1.0 - P_EDGE), spread.sigma, beyond, guess)
    with np.errstate(invalid="ignore", divide="ignore"):
        residual = np.log(np.maximum(panel.output_tokens, 1.0) / np.maximum(mean_tokens, 1.0)[:, :, None])
    return fit_token_signal(residual, panel.score, states, (1.0 - spread.pi0[:, None]) * mean, weights, seed)


def _agree_when_right(panel: Panel) -> bool:
    """Whether two right samples of a query mostly give one answer; the better half of the sources counts."""
    pairs, same, able = 0.0, 0.0, _abler(panel)
    for answers, scores in zip(panel.answer[:, able], panel.score[:, able], strict=True):
        right = answers[scores >= RIGHT]
        count = np.bincount(right[right >= 0]).astype(float)
        pairs += right.size * (right.size - 1) / max(right.size, 1)
        same += (count * (count - 1)).sum() / max(right.size, 1)
    return pairs == 0 or same >= CANONICAL * pairs


def _echo(panel: Panel) -> Echo:
    """How often samples of different sources on one query have the same text, both right and both wrong; see `Latents`."""
    first, score, found = panel.answer[:, :, 0], panel.score[:, :, 0], []
    for wanted in (score >= RIGHT, score < RIGHT):
        pairs, same = 2.0, 0.2
        for codes, kept in zip(first, wanted, strict=True):
            total, count = int(kept.sum()), np.bincount(codes[kept & (codes >= 0)])
            pairs += (total - 1) / 2 if total > 1 else 0.0  # a query counts by its sources, not by their pairs
            same += float((count * (count - 1)).sum()) / (2 * total) if total > 1 else 0.0
        found.append(min(same / pairs, 0.98))
    return Echo(*found)


def _trap(seen: Floats, forecast: Floats) -> float:
    """How far agreement varies beyond its forecast, as a share of the most that it could; see `Latents`."""
    known = np.isfinite(seen)
    if not known.any():
        return TRAP_EDGE[0]
    share = ((seen - forecast)[known] ** 2).mean() / (forecast * (1.0 - forecast))[known].mean()
    return float(np.clip(share, *TRAP_EDGE))


def _roc(panel: Panel) -> tuple[float, float]:
    """How often the verifier accepts right and wrong answers, each with one pseudo-observation in its favour."""
    accepted_right, right, accepted_wrong, wrong = accept_counts(panel.verdict, panel.score)
    return (accepted_right + 1.0) / (right + 1.0), accepted_wrong / (wrong + 1.0)
