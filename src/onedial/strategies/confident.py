"""Draw candidates and see how sure the model was of each: the steps that every vote by confidence is made of.

Which votes are made of it is in the strategies' own files, the arithmetic in `core.confidence`.
The model needs the capability `logprobs`; without it the first ask is an error, and nothing is paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import exp

from onedial.core.arm import Source
from onedial.core.ask import Completion, Sample
from onedial.core.confidence import Measure
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Drawn, Reading, put

TOP = 20
"""Likeliest tokens that a token's confidence rests on: as published, and the most that many endpoints give."""


def draw_sure(query: Query, source: Source, n: int, reading: Reading, top: int, first_index: int = 0) -> Steps[Drawn]:
    """Ask once for `n` samples with the log-probabilities of their tokens and of the `top` likeliest at each place."""
    ask = Sample(query.id, source, query.messages, n, first_index, logprobs=True, top_logprobs=top)
    return (yield from put(query, ask, reading))


def sure(drawn: Sequence[Drawn], measure: Measure, window: int) -> tuple[list[Drawn], str]:
    """Give every candidate its confidence, and say what all of them rest on: the same thing, for unlike measures do not compare."""
    found, rests_on = confidences([c for d in drawn for c in d.completions], measure, window)
    those = iter(found)
    return [replace(d, candidates=tuple(replace(c, confidence=next(those)) for c in d.candidates)) for d in drawn], rests_on


def confidences(completions: Sequence[Completion], measure: Measure, window: int) -> tuple[list[float | None], str]:
    """How sure each completion is, above 0 or None, and what that rests on, in words.

    Where no likeliest tokens were given, a group of tokens is as sure as the geometric mean of the probabilities of those chosen.
    That is perplexity, which is neither DeepConf's confidence nor self-certainty.
    """
    top = any(c.confidences for c in completions)
    each = [c.confidences if top else c.logprobs for c in completions]
    found = [measure(tokens, window) if tokens else None for tokens in each]
    known = [one for one in found if one is not None]
    if not known:
        return found, "no log-probabilities came, so plain votes decide"
    missing = f"; {len(found) - len(known)} samples came without and do not vote" if len(known) < len(found) else ""
    if top:
        return found, f"confidence rests on the likeliest tokens{missing}"
    return [None if one is None else exp(one) for one in found], f"confidence rests on the chosen tokens alone{missing}"
