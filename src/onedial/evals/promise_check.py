"""The promise on generated worlds whose truth is known: how often it is made, how often it is wrong, what it saves.

A world is a ladder of routers between a reference model and a cheaper one: a rung sends to the cheaper model what it
believes to be easy, on a noisy view of how hard a query is. Its true mean drop is an integral, so no sample
decides whether a promise was broken. Recorded tables are in `resplits`; certificates of real fits in `benchmarks/promise.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr
from scipy.stats import beta

from onedial.core.errors import ConfigError
from onedial.core.outcome import Floats
from onedial.policies.bounds import named_test
from onedial.policies.certificate import passed_in_order

RUNGS = 8
CHEAP = 0.05
"""Cost of the cheaper model; the reference costs 1."""
SURE = 0.95
"""Confidence of each one-sided bound on a rate."""
_GRID = np.linspace(-6.0, 6.0, 121)
_WEIGHT = np.exp(-(_GRID**2) / 2) / np.exp(-(_GRID**2) / 2).sum()
_SLOPE = 1.5


@dataclass(frozen=True, slots=True)
class LadderWorld:
    """A ladder with known truth.

    Attributes:
        reference: Ability of the reference model; a query of difficulty h is solved with chance expit(1.5 (ability - h)).
        cheap: Ability of the cheaper model.
        blur: Standard deviation of the error with which difficulty is seen.
        cuts: (n_rungs,) rising: what is seen as easier goes to the cheaper model.
    """

    reference: float
    cheap: float
    blur: float
    cuts: Floats

    @property
    def true_drop(self) -> Floats:
        """(n_rungs,) mean quality lost against the reference model."""
        lost = expit(_SLOPE * (self.reference - _GRID)) - expit(_SLOPE * (self.cheap - _GRID))
        return np.asarray(self.sent @ (_WEIGHT * lost))

    @property
    def sent(self) -> Floats:
        """(n_rungs, grid) chance that a query of each difficulty goes to the cheaper model."""
        return np.asarray(ndtr((self.cuts[:, None] - _GRID) / self.blur))

    @property
    def true_cost(self) -> Floats:
        """(n_rungs,) mean cost, the reference's being 1."""
        return np.asarray(1.0 - (1.0 - CHEAP) * (self.sent @ _WEIGHT))

    def drops(self, n: int, rng: np.random.Generator) -> Floats:
        """(n_rungs, n) drops of n queries drawn afresh: one sample of each model per query, shared by all rungs."""
        hard = rng.standard_normal(n)
        seen = hard + self.blur * rng.standard_normal(n)
        right, right_cheap = (rng.random(n) < expit(_SLOPE * (a - hard)) for a in (self.reference, self.cheap))
        return np.where(seen < self.cuts[:, None], right.astype(float) - right_cheap, 0.0)


Draw = Callable[[float, np.random.Generator], LadderWorld]
"""A world for an epsilon."""


def spread_world(epsilon: float, rng: np.random.Generator) -> LadderWorld:
    """A ladder whose true drops run from a tenth of epsilon to three times epsilon: some rungs are good, some are not."""
    return _with_drops(epsilon * np.geomspace(0.1, 3.0, RUNGS), rng)


def narrow_world(epsilon: float, rng: np.random.Generator) -> LadderWorld:
    """A ladder whose every rung is within a tenth of epsilon on one side or the other."""
    return _with_drops(epsilon * np.linspace(0.9, 1.1, RUNGS), rng)


def worst_world(epsilon: float, rng: np.random.Generator) -> LadderWorld:
    """A ladder whose safest rung is just too bad: every certificate is a violation, as often as a test ever lets one pass."""
    return _with_drops(epsilon * np.linspace(1.01, 1.5, RUNGS), rng)


WORLDS: dict[str, Draw] = {"spread": spread_world, "narrow": narrow_world, "worst": worst_world}


def _with_drops(wanted: Floats, rng: np.random.Generator) -> LadderWorld:
    """Draw models and a blur, and place the cuts where the true drops are those wanted."""
    reference, blur = rng.uniform(1.5, 3.0), rng.uniform(0.2, 1.2)
    cheap = reference - rng.uniform(1.0, 2.5)
    fine = LadderWorld(reference, cheap, blur, np.linspace(-7.0, 7.0, 113))
    return LadderWorld(reference, cheap, blur, np.interp(np.log(wanted), np.log(fine.true_drop), fine.cuts))


@dataclass(frozen=True, slots=True)
class PromiseCheck:
    """What many runs came to.

    Attributes:
        world: A key of `WORLDS`.
        test: Name of the test.
        epsilon: Drop allowed.
        delta: Level.
        n: Held-out outcomes per run.
        runs: Worlds drawn.
        violations: Runs whose certified rung truly drops by more than epsilon.
        rate_low: Lower one-sided bound of the violation rate at 95 % confidence; above delta the promise would be refuted.
        rate_high: Upper one-sided bound; at most delta it is shown to be kept.
        issued_rate: Share of runs with a certificate.
        saving_when_issued: Mean true share of the reference's cost saved; NaN without any certificate.
        saving_possible: The same for the cheapest rung whose true drop is within epsilon, over all runs (0 where none is).
    """

    world: str
    test: str
    epsilon: float
    delta: float
    n: int
    runs: int
    violations: int
    rate_low: float
    rate_high: float
    issued_rate: float
    saving_when_issued: float
    saving_possible: float


def check_promise(
    world: str, epsilon: float, *, delta: float = 0.1, n: int = 1000, runs: int = 500, seed: int = 0, test: str = "betting"
) -> PromiseCheck:
    """Draw worlds, certify in each by fixed-sequence testing, and count what the truth says.

    Args:
        world: A key of `WORLDS`.
        epsilon: Drop allowed, in (0, 1).
        delta: Level, in (0, 1).
        n: Held-out outcomes per run.
        runs: Worlds, at least 1.
        seed: Of everything drawn; the same worlds and outcomes for every test.
        test: A key of `policies.bounds.TESTS`.

    Raises:
        ConfigError: An unknown world or test, or a count below 1.
    """
    if world not in WORLDS or runs < 1 or n < 1:
        raise ConfigError(f"world {world!r}, {runs} runs of {n} outcomes; expected one of {', '.join(WORLDS)} and at least 1 of each.")
    rng = np.random.default_rng([seed, *world.encode()])
    worlds = [WORLDS[world](epsilon, rng) for _ in range(runs)]
    values = (1.0 - np.stack([one.drops(n, rng) for one in worlds])) / 2.0
    passed = passed_in_order(named_test(test)(values, (1.0 - epsilon) / 2.0, delta), delta)
    issued, rung, rows = passed > 0, np.maximum(passed - 1, 0), np.arange(runs)
    drop, saving = (np.stack(found) for found in zip(*((one.true_drop, 1.0 - one.true_cost) for one in worlds), strict=True))
    broken = int((issued & (drop[rows, rung] > epsilon)).sum())
    low, high = rate_bounds(broken, runs)
    saved = saving[rows, rung][issued]
    return PromiseCheck(
        world=world,
        test=test,
        epsilon=epsilon,
        delta=delta,
        n=n,
        runs=runs,
        violations=broken,
        rate_low=low,
        rate_high=high,
        issued_rate=float(issued.mean()),
        saving_when_issued=float(saved.mean()) if saved.size else float("nan"),
        saving_possible=float(np.where(drop <= epsilon, saving, 0.0).max(axis=1).mean()),
    )


def rate_bounds(events: int, runs: int, confidence: float = SURE) -> tuple[float, float]:
    """Lower and upper one-sided bound of a rate, each at `confidence`.

    Source: Clopper and Pearson 1934.

    >>> low, high = rate_bounds(0, 29)
    >>> low, round(high, 3)
    (0.0, 0.098)
    """
    low = float(beta.ppf(1.0 - confidence, events, runs - events + 1)) if events else 0.0
    high = float(beta.ppf(confidence, events + 1, runs - events)) if events < runs else 1.0
    return low, high


def power_curve(
    epsilon: float,
    sizes: Sequence[int],
    *,
    discordance: float = 0.1,
    drop: float = 0.0,
    delta: float = 0.1,
    runs: int = 500,
    seed: int = 0,
    test: str = "betting",
) -> list[float]:
    """Share of runs in which one policy is certified, per number of held-out outcomes.

    Args:
        epsilon: Drop allowed.
        sizes: Numbers of outcomes.
        discordance: Share of queries on which policy and reference differ.
        drop: True mean drop, at most `discordance` in size.
        delta: Level.
        runs: Per size.
        seed: Of the outcomes.
        test: A key of `policies.bounds.TESTS`.

    Source: THEORY.md section 4, "power is part of the message".
    """
    rng, found = np.random.default_rng(seed), []
    for n in sizes:
        u = rng.random((runs, n))
        drops = np.where(u < (discordance + drop) / 2, 1.0, np.where(u < discordance, -1.0, 0.0))
        p = named_test(test)((1.0 - drops) / 2.0, (1.0 - epsilon) / 2.0, delta)
        found.append(float((p <= delta).mean()))
    return found
