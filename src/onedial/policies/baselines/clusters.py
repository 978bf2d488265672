"""k-means of training queries, and what every arm reaches in every cluster."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.vq import kmeans2

from onedial.core.outcome import Floats, Ints

ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Clusters:
    """Centres that have members.

    Attributes:
        centres: (k, d).
        member: (n_train,) cluster of each training query.
    """

    centres: Floats
    member: Ints

    def nearest(self, x: Floats, count: int = 1) -> Ints:
        """(n, count) clusters, nearest first; fewer where there are fewer."""
        away = (x**2).sum(axis=1)[:, None] - 2.0 * x @ self.centres.T + (self.centres**2).sum(axis=1)
        return np.asarray(np.argsort(np.round(away, 9), axis=1, kind="stable")[:, :count], dtype=np.int64)

    def means(self, values: Floats) -> Floats:
        """(k, m) mean of training values, (n_train, m), in each cluster."""
        share = np.eye(len(self.centres))[self.member]
        return np.asarray(share.T @ values / share.sum(axis=0)[:, None])


def cluster(x: Floats, k: int, seed: int) -> Clusters:
    """Group rows by k-means++ and Lloyd's rounds; at most as many clusters as there are different rows."""
    k = min(k, len(np.unique(np.round(x, 9), axis=0)))
    if k < 2:
        return Clusters(x.mean(axis=0, keepdims=True), np.zeros(len(x), dtype=np.int64))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an empty cluster is dropped below
        centres, member = kmeans2(x, k, iter=ROUNDS, minit="++", rng=np.random.default_rng([seed, k]))
    used, member = np.unique(member, return_inverse=True)
    return Clusters(np.asarray(centres[used]), np.asarray(member, dtype=np.int64))


def affordable(counts: Sequence[int], n: int) -> list[int]:
    """Those numbers of clusters that leave five queries for each, or else the smallest.

    >>> affordable((60, 25, 10), 140)
    [25, 10]
    """
    return [k for k in counts if 5 * k <= n] or [min(counts)]
