"""Promises about a frozen policy, kept with probability 1 - delta, or the honest refusal to make one.

Policies are ordered from safest to cheapest *before* the held-out outcomes are
looked at; the walk down that order stops at the first that cannot be shown to be
good enough (fixed-sequence testing, so the level is not divided among them).
The tests themselves are in `bounds` and `betting`.

Source: Learn then Test 2110.01052, section 3 (fixed sequence).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Literal

import numpy as np
from scipy.special import ndtri

from onedial.core.errors import ConfigError, TableError
from onedial.core.outcome import Floats, Ints
from onedial.policies.bounds import lower_bound, named_test

VERSION = 1
POWER = 0.8
POWER_RUNS = 200
MAX_SIMULATED = 20_000
Kind = Literal["drop", "quality"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is promised of one frozen policy, and on what evidence.

    Attributes:
        policy_hash: Identifies the frozen policy; any change makes it another one.
        kind: `drop` (mean quality lost against the reference arm) or `quality` (mean quality reached).
        limit: Epsilon, the drop allowed, for `drop`; the target, the quality required, for `quality`.
        delta: Probability of a wrong certificate, at most.
        n: Held-out outcomes used.
        test: Name of the test.
        label_kind: What the labels are: `reference`, `checker`, `feedback`, `agreement`, ...
        mean: Observed mean drop, or mean quality.
        bound: Confidence bound at level 1 - delta: upper for a drop, lower for a quality.
        p_value: Of the hypothesis that the policy is not good enough.
        certified: Whether that hypothesis is rejected.
        outcomes_needed: Further outcomes for an 80 % chance of certifying if things are as observed;
            None if certified, or if as observed no number would do.
        seed: Order in which the outcomes were tested.
    """

    policy_hash: str
    kind: Kind
    limit: float
    delta: float
    n: int
    test: str
    label_kind: str
    mean: float
    bound: float
    p_value: float
    certified: bool
    outcomes_needed: int | None = None
    seed: int = 0

    @property
    def sentence(self) -> str:
        """The promise, or why there is none, in one sentence for a person."""
        drop, limit = self.kind == "drop", f"{100 * self.limit:.4g}"
        what = f"at most {limit} points below the reference" if drop else f"at least {limit} % right"
        sure = f"with {100 * (1 - self.delta):g} % confidence"
        seen = f"{100 * self.mean:.1f} {'points of drop' if drop else '% right'} on {self.n:,} {self.label_kind} outcomes"
        if self.certified:
            return f"Certified: {what}, {sure} (observed {seen})."
        if self.outcomes_needed is None:
            return f"Cannot certify {what}: observed {seen}, which is no better than the limit, so more outcomes will not help."
        return f"Cannot certify {what} {sure}: observed {seen}; about {self.outcomes_needed:,} more outcomes are needed."

    def to_json(self) -> str:
        """Write as a JSON object with its format version."""
        return json.dumps({"version": VERSION, **asdict(self)}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Certificate:
        """Read back what `to_json` wrote.

        Raises:
            ConfigError: Not a certificate, or of a version not known here.
        """
        try:
            data = json.loads(text)
            version = data.pop("version")
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            raise ConfigError("not a certificate: expected a JSON object with a version. Certify again.") from error
        if version != VERSION or set(data) != {field.name for field in fields(cls)}:
            raise ConfigError(f"certificate of version {version} with fields {sorted(data)}; expected version {VERSION}. Certify again.")
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Certification:
    """The end of a walk.

    Attributes:
        index: Row of the policy that may serve; None: the reference arm only.
        certificate: Of that policy, or, if none was good enough, of the safest one.
        p_values: Of every row, also those the walk did not come to.
    """

    index: int | None
    certificate: Certificate
    p_values: tuple[float, ...]


def certify_drop(
    drops: Floats,
    policy_hashes: Sequence[str],
    *,
    epsilon: float,
    delta: float = 0.1,
    test: str = "betting",
    label_kind: str = "reference",
    seed: int = 0,
) -> Certification:
    """Certify that a policy loses at most `epsilon` of mean quality against the reference arm.

    Args:
        drops: (n_policies, n), quality of the reference less quality of the policy on the same held-out
            query, in [-1, 1]; rows from safest to cheapest, an order fixed without these outcomes.
        policy_hashes: One per row.
        epsilon: Drop allowed, in [0, 1).
        delta: Probability of a wrong certificate, in (0, 1).
        test: `betting` or `hoeffding-bentkus`.
        label_kind: What the labels are.
        seed: Order in which outcomes are tested; fix it beforehand.

    Raises:
        TableError: No outcomes, an ungraded one, or a value out of range.
        ConfigError: A level out of range, or an unknown test.
    """
    if not 0 <= epsilon < 1:
        raise ConfigError(f"epsilon is {epsilon}; expected a drop in [0, 1), such as 0.02 for 2 points.")
    values = (1.0 - _checked(drops, -1.0, policy_hashes)) / 2.0
    return _walk(values, policy_hashes, "drop", epsilon, delta, test, label_kind, seed)


def certify_quality(
    qualities: Floats,
    policy_hashes: Sequence[str],
    *,
    target: float,
    delta: float = 0.1,
    test: str = "betting",
    label_kind: str = "reference",
    seed: int = 0,
) -> Certification:
    """Certify that a policy's mean quality is at least `target`.

    Args:
        qualities: (n_policies, n) in [0, 1], rows from safest to cheapest, an order fixed without these outcomes.
        policy_hashes: One per row.
        target: Quality required, in (0, 1).
        delta: Probability of a wrong certificate, in (0, 1).
        test: `betting` or `hoeffding-bentkus`.
        label_kind: What the labels are.
        seed: Order in which outcomes are tested; fix it beforehand.

    Raises:
        TableError: No outcomes, an ungraded one, or a value out of range.
        ConfigError: A level out of range, or an unknown test.
    """
    if not 0 < target < 1:
        raise ConfigError(f"target is {target}; expected a mean quality in (0, 1), such as 0.92. No test can show a mean of exactly 1.")
    values = _checked(qualities, 0.0, policy_hashes)
    return _walk(values, policy_hashes, "quality", target, delta, test, label_kind, seed)


def _checked(values: Floats, lowest: float, policy_hashes: Sequence[str]) -> Floats:
    array = np.atleast_2d(np.asarray(values, dtype=float))
    if array.shape[-1] == 0 or array.shape[0] != len(policy_hashes):
        raise TableError(
            f"certifying needs one row per policy and at least 1 outcome, found {array.shape} for {len(policy_hashes)} policies."
        )
    bad = int((~np.isfinite(array)).sum())
    if bad:
        raise TableError(f"{bad} of {array.size} outcomes are ungraded; certify on graded queries only, the same ones for every policy.")
    if array.min() < lowest or array.max() > 1.0:
        raise TableError(f"values from {array.min():g} to {array.max():g}; expected [{lowest:g}, 1].")
    return array


def _walk(
    values: Floats, hashes: Sequence[str], kind: Kind, limit: float, delta: float, test: str, label_kind: str, seed: int
) -> Certification:
    """Test rows in order while they are rejected; all rows see the outcomes in one shuffled order."""
    if not 0 < delta < 1:
        raise ConfigError(f"delta is {delta}; expected a probability in (0, 1), such as 0.1.")
    null = (1.0 - limit) / 2.0 if kind == "drop" else limit
    shuffled = values[:, np.random.default_rng(seed).permutation(values.shape[1])]
    p_values = named_test(test)(shuffled, null, delta)
    passed = int(passed_in_order(p_values, delta))
    row = max(passed - 1, 0)
    x, certified = shuffled[row], passed > 0
    mean, low = float(x.mean()), lower_bound(x, delta, test)
    certificate = Certificate(
        policy_hash=hashes[row],
        kind=kind,
        limit=limit,
        delta=delta,
        n=int(x.size),
        test=test,
        label_kind=label_kind,
        mean=1.0 - 2.0 * mean if kind == "drop" else mean,
        bound=1.0 - 2.0 * low if kind == "drop" else low,
        p_value=float(p_values[row]),
        certified=certified,
        outcomes_needed=None if certified else outcomes_needed(x, null, delta, test, seed),
        seed=seed,
    )
    return Certification(row if certified else None, certificate, tuple(float(p) for p in p_values))


def passed_in_order(p_values: Floats, delta: float) -> Ints:
    """Count, along the last axis, how many hypotheses are rejected before the first that is not.

    >>> passed_in_order(np.array([[0.01, 0.2, 0.01], [0.01, 0.1, 0.05]]), 0.1).tolist()
    [1, 3]
    """
    return np.asarray(np.logical_and.accumulate(p_values <= delta, axis=-1).sum(axis=-1), dtype=np.int64)


def power(values: Floats, null_mean: float, delta: float, n: int, test: str, rng: np.random.Generator) -> float:
    """Chance of certifying with `n` outcomes like those observed, by resampling them."""
    drawn = rng.choice(values, size=(POWER_RUNS, n))
    return float((named_test(test)(drawn, null_mean, delta) <= delta).mean())


def outcomes_needed(values: Floats, null_mean: float, delta: float, test: str, seed: int = 0) -> int | None:
    """Estimate how many further outcomes give an 80 % chance of certifying, if things are as observed.

    Starts from the number that a normal test would need and grows it by a quarter
    until the simulated power suffices; beyond 20,000 outcomes the estimate is one
    and a half times the normal test's, without simulation.

    Returns:
        A positive number, or None if the observed mean is no better than the limit.
    """
    margin = float(values.mean()) - null_mean
    if margin <= 1e-12:
        return None
    reach = float(ndtri(1.0 - delta) + ndtri(POWER))
    n = max(int(np.ceil((reach * float(values.std()) / margin) ** 2)), 8)
    rng = np.random.default_rng(seed)
    while n <= MAX_SIMULATED and power(values, null_mean, delta, n, test, rng) < POWER:
        n = int(np.ceil(n * 1.25))
    total = n if n <= MAX_SIMULATED else int(np.ceil(1.5 * n / 100) * 100)
    return max(total - int(values.size), 1)
