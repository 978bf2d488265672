"""How sure a model was of what it wrote, by the probabilities of its tokens. Pure arithmetic; what votes are made of it is elsewhere.

A token is sure where the model gave all other tokens little: its confidence is minus
the mean log-probability of the likeliest tokens at its place. A text is cut into
groups, every run of `window` tokens, and is as sure as some of them are.

Source: DeepConf, Fu 2508.15260, section 2; self-certainty, Kang 2502.18581, section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from math import ceil, fsum

WINDOW = 2048
"""Tokens in a group, as published for thoughts of tens of thousands; a shorter text is one group."""
BOTTOM = 0.1
"""Share of the groups, the least sure ones, that `bottom` is about."""
LEAST_LOGPROB = -100.0
"""Endpoints write numbers such as -9999 for a token that is next to impossible; one of them must not drown a whole text."""

Measure = Callable[[Sequence[float], int], float]
"""From the values of a text's tokens, at least one, and a window to how sure the text is."""


def of_token(likeliest: Sequence[float]) -> float:
    """Minus the mean log-probability of the likeliest tokens at one place, which is at least one; higher is surer.

    With the whole vocabulary, of V tokens, in view this less ln V is self-certainty: the divergence of the model's choice from a
    uniform one. With the first k of them in view it is the token confidence of DeepConf. It says nothing with one.

    >>> of_token([-0.5, -1.5, -9999.0])
    34.0
    """
    return -fsum(max(one, LEAST_LOGPROB) for one in likeliest) / len(likeliest)


def mean(tokens: Sequence[float], window: int = WINDOW) -> float:
    """Mean over all tokens; the window plays no part."""
    return fsum(tokens) / len(tokens)


def groups(tokens: Sequence[float], window: int) -> list[float]:
    """Mean of every run of `window` tokens, in order; of a text that is shorter, its mean.

    >>> groups([1.0, 2.0, 6.0], 2)
    [1.5, 4.0]
    """
    size = min(window, len(tokens))
    sums = [0.0, *accumulate(tokens)]
    return [(end - begin) / size for begin, end in zip(sums, sums[size:], strict=False)]


def lowest(tokens: Sequence[float], window: int = WINDOW) -> float:
    """Mean of the least sure group."""
    return min(groups(tokens, window))


def bottom(tokens: Sequence[float], window: int = WINDOW) -> float:
    """Mean of the `BOTTOM` share of the groups that are the least sure; of one group at least."""
    found = sorted(groups(tokens, window))
    return mean(found[: ceil(BOTTOM * len(found))])


def tail(tokens: Sequence[float], window: int = WINDOW) -> float:
    """Mean of the last `window` tokens."""
    return mean(tokens[-window:])


MEASURES: dict[str, Measure] = {"mean": mean, "lowest": lowest, "bottom": bottom, "tail": tail}
