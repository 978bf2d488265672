"""The questions of the mix as queries, so that they can be collected, fitted and reported like a user's own."""

from __future__ import annotations

from onedial.core.errors import ConfigError, unknown
from onedial.core.query import Query
from onedial.lab.mix import SPLITS, queries


def lab_queries(n: int, split: str = "train", seed: int = 0) -> list[Query]:
    """Return the first `n` questions of a split with their references; the data set is the family.

    Raises:
        ConfigError: `split` is not one of `SPLITS`, or `n` is below 1.

    >>> [(query.dataset, query.reference is None) for query in lab_queries(2)]
    [('arith', False), ('swap', False)]
    """
    if split not in SPLITS:
        raise ConfigError(unknown("split", split, SPLITS))
    if n < 1:
        raise ConfigError(f"{n} questions were asked for; expected at least 1.")
    asked = queries(n, seed, split)
    return [Query(q.id, q.example.prompt, reference=q.example.answer, dataset=q.example.family) for q in asked]
