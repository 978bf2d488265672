"""Text to a vector: hashed words and word pairs, and the shape of the query. Takes tens of microseconds.

Nothing else about a query is a feature: not its data set, its id or its reference.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from zlib import crc32

import numpy as np

from onedial.core.outcome import Floats
from onedial.core.query import Query

HASHED = 1024
SHAPE = (
    "log words",
    "log characters",
    "log numbers",
    "largest number",
    "share of distinct words",
    "log lines",
    "log punctuation",
    "mean word length",
    "log capitals",
    "log longest word",
)
WIDTH = HASHED + len(SHAPE)

_WORD = re.compile(r"[#]?\w+|[^\w\s]")
_NUMBER = re.compile(r"\d+")


def features(queries: Sequence[Query]) -> Floats:
    """Describe queries, (n_queries, WIDTH): log counts of hashed n-grams first, then the shape."""
    return np.stack([_features(f"{q.system}\n{q.prompt}" if q.system else q.prompt) for q in queries]) if queries else np.zeros((0, WIDTH))


def _features(text: str) -> Floats:
    words = words_of(text)
    grams = words + [f"{one} {two}" for one, two in pairwise(words)]
    codes = np.fromiter((crc32(gram.encode()) % HASHED for gram in grams), dtype=np.int64, count=len(grams))
    hashed = np.log1p(np.bincount(codes, minlength=HASHED))
    return np.concatenate((hashed, shape_of(text, words)))


def words_of(text: str) -> list[str]:
    """Split into words, numbers and punctuation marks, folded to lower case."""
    return _WORD.findall(text.casefold())


def shape_of(text: str, words: list[str]) -> Floats:
    """Describe the shape of a text, (len(SHAPE),), given its words."""
    numbers = [int(n[:6]) for n in _NUMBER.findall(text)]
    count = max(len(words), 1)
    return np.array(
        [
            math.log1p(len(words)),
            math.log1p(len(text)),
            math.log1p(len(numbers)),
            math.log1p(max(numbers, default=0)),
            len(set(words)) / count,
            math.log1p(text.count("\n")),
            math.log1p(sum(not w[0].isalnum() for w in words)),
            sum(map(len, words)) / count,
            math.log1p(sum(c.isupper() for c in text)),
            math.log1p(max(map(len, words), default=0)),
        ]
    )
