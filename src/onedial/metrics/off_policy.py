"""What another policy would have reached and cost, from the log of the one that ran: inverse propensity and doubly robust.

Numbers in, numbers out. A log has, per query, one action, the probability with which it was chosen, and what came of it. Who
logged and who would act instead is known elsewhere.

Source: Dudik, Langford, Li 1103.4601; self-normalised: Swaminathan and Joachims 2015; effective sample size: Kong 1992.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from onedial.core.errors import TableError
from onedial.core.outcome import Floats, Ints


class Estimate(NamedTuple):
    """A mean per query, and its standard error."""

    mean: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class Log:
    """One decision per query, checked.

    Attributes:
        action: (n,) what was chosen, a column.
        propensity: (n,) probability with which it was chosen, in (0, 1].
        value: (n,) what came of it: quality, or cost in USD.
        target: (n, n_actions) probability with which the other policy would choose each action; rows sum to 1.
    """

    action: Ints
    propensity: Floats
    value: Floats
    target: Floats

    def __post_init__(self) -> None:
        _check(self.action, self.propensity, self.value, self.target)

    @property
    def ratio(self) -> Floats:
        """(n,) how much more often the other policy would have chosen what was chosen."""
        return np.asarray(self.target[np.arange(len(self.action)), self.action] / self.propensity)

    @property
    def effective_n(self) -> float:
        """Queries that an equally sure plain mean would rest on: (sum of ratios)^2 / sum of squared ratios."""
        return float(self.ratio.sum() ** 2 / (self.ratio**2).sum())


def inverse_propensity(log: Log) -> Estimate:
    """Weigh every value by how much more often the other policy would have chosen its action; unbiased.

    >>> log = Log(np.array([0, 1]), np.array([0.5, 0.5]), np.array([1.0, 0.0]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    >>> inverse_propensity(log).mean
    1.0
    """
    return _mean_of(log.ratio * log.value)


def self_normalised(log: Log) -> Estimate:
    """Divide by the mean weight as well: a little biased, never outside the range of the values, and steadier."""
    ratio = log.ratio
    mean = float((ratio * log.value).sum() / ratio.sum())
    spread = ratio / ratio.mean() * (log.value - mean)
    return Estimate(mean, _error(spread))


def doubly_robust(log: Log, predicted: npt.ArrayLike) -> Estimate:
    """Take a model's word for the other policy's actions, and correct it by what was logged.

    Unbiased whatever the model says, if the propensities are true and the model has
    not seen the logged values; the better the model, the smaller the error.

    Args:
        log: The log.
        predicted: (n, n_actions) the model's prediction of the value of each action.

    Raises:
        TableError: Predictions that are missing or do not match the log.
    """
    model = np.asarray(predicted, dtype=float)
    if model.shape != log.target.shape or not np.isfinite(model).all():
        raise TableError(
            f"predictions of shape {model.shape}, {int((~np.isfinite(model)).sum())} of them not finite; "
            f"expected one number for each of {log.target.shape} queries and actions."
        )
    said = model[np.arange(len(log.action)), log.action]
    return _mean_of((log.target * model).sum(axis=1) + log.ratio * (log.value - said))


def _mean_of(values: Floats) -> Estimate:
    return Estimate(float(values.mean()), _error(values - values.mean()))


def _error(spread: Floats) -> float:
    n = spread.size
    return float(np.sqrt((spread**2).sum() / (n * (n - 1)))) if n > 1 else float("nan")


def _check(action: Ints, propensity: Floats, value: Floats, target: Floats) -> None:
    n = len(action)
    if not n or propensity.shape != (n,) or value.shape != (n,) or target.ndim != 2 or len(target) != n:
        raise TableError(
            f"a log of {n} actions, {propensity.shape} propensities, {value.shape} values and {target.shape} target probabilities; "
            "expected one of each per query, and a row of target probabilities."
        )
    if not (np.isfinite(value).all() and np.isfinite(target).all()):
        raise TableError(f"{int((~np.isfinite(value)).sum())} of {n} logged values are missing; leave ungraded queries out of the log.")
    _check_propensity(propensity)
    if target.min() < 0 or np.abs(target.sum(axis=1) - 1.0).max() > 1e-6:
        raise TableError("target probabilities must be non-negative and sum to 1 per query; give every action a column.")
    if action.min() < 0 or action.max() >= target.shape[1]:
        raise TableError(f"actions {action.min()} to {action.max()} were logged, but the target policy has {target.shape[1]} columns.")
    _check_support(action, target)


def _check_propensity(propensity: Floats) -> None:
    absent = int((~np.isfinite(propensity)).sum())
    bad = int(((propensity <= 0) | (propensity > 1)).sum())
    if absent or bad:
        raise TableError(
            f"of {propensity.size} logged propensities {absent} are absent and {bad} are not in (0, 1]; "
            "what was chosen had some chance of it. Log the propensity of every decision, or leave the others out."
        )


def _check_support(action: Ints, target: Floats) -> None:
    """The other policy may only do what the log shows."""
    seen = np.zeros(target.shape[1], dtype=bool)
    seen[action] = True
    unseen = np.flatnonzero((target.sum(axis=0) > 1e-12) & ~seen)
    if unseen.size:
        share = float(target[:, unseen].sum(axis=1).mean())
        raise TableError(
            f"the target policy plays actions {unseen.tolist()} on {100 * share:.3g} % of the queries, and the log has none of them: "
            "nothing is known of what they do. Log them with a small probability first, or restrict the target to what was logged."
        )
    if not target[np.arange(len(action)), action].any():
        raise TableError("the target policy never plays what was logged for the same query: nothing is known of it. Log more queries.")
