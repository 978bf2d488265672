"""Errors of predictions against truths that are themselves estimates, with the noise of the estimates subtracted.

If T' estimates T without bias and with variance v, then (P - T')^2 - v has the
expectation (P - T)^2 for any prediction P made without T'. It can be negative by luck: then the error is not told
apart from nothing. Means over resampled queries weigh errors by w and variances by w^2.
"""

from __future__ import annotations

import numpy as np

from onedial.core.outcome import Floats, Ints


def query_error(errors: Floats, noise: Floats, weights: Floats) -> Floats:
    """Mean squared error per query and cell, noise subtracted.

    Args:
        errors: (n_queries, n_cells) prediction less estimated truth; NaN where there is none.
        noise: (n_queries, n_cells) variance of the estimated truth.
        weights: (n_resamples, n_queries), rows summing to 1.

    Returns:
        (n_resamples,), the mean over cells; NaN without any cell.
    """
    known = np.isfinite(errors) & np.isfinite(noise)
    total = weights @ np.where(known, errors**2 - noise, 0.0)
    mass = weights @ known.astype(float)
    return _mean(np.where(mass > 0, total / np.maximum(mass, 1e-300), np.nan))


def group_error(errors: Floats, noise: Floats, weights: Floats, groups: Ints) -> Floats:
    """Mean squared error of the mean over each group of queries, noise subtracted, over cells and groups.

    Args:
        errors: As in `query_error`.
        noise: As in `query_error`; noise of different queries is independent.
        weights: As in `query_error`.
        groups: Group of each query, (n_queries,), or in each cell, (n_queries, n_cells); all zero gives the error of whole means.
    """
    known = np.isfinite(errors) & np.isfinite(noise)
    member = np.broadcast_to(groups[:, None] if groups.ndim == 1 else groups, known.shape)
    found = []
    for group in np.unique(groups):
        here = known & (member == group)
        mass = weights @ here.astype(float)
        mass = np.where(mass > 0, mass, np.nan)
        mean = (weights @ np.where(here, errors, 0.0)) / mass
        variance = (weights**2 @ np.where(here, noise, 0.0)) / mass**2
        found.append(mean**2 - variance)
    return _mean(np.concatenate(found, axis=1))


def root(squared: Floats | float) -> Floats:
    """Square root; 0 where the noise subtracted exceeds what was found."""
    return np.asarray(np.sqrt(np.maximum(np.asarray(squared, dtype=float), 0.0)))


def _mean(values: Floats) -> Floats:
    known = np.isfinite(values)
    count = known.sum(axis=1)
    return np.asarray(np.where(count > 0, np.where(known, values, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan))
