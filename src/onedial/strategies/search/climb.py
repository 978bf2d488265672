"""Rounds of steps in which the best texts go on: what beam search, DVTS and lookahead search share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isqrt

from onedial.core.steps import Steps
from onedial.strategies.search.growth import ROOT, Growth, Text

BRANCHES = 4
"""Continuations of a text that goes on; what Snell 2408.03314 and its followers take."""

Look = Callable[[Sequence[Text]], Steps[list[Text]]]
"""Scores texts anew before the best are kept."""


def round_size(n: int) -> int:
    """Completions per round: as many as there are rounds, so that `n` of them go as far as they go wide.

    >>> [round_size(n) for n in (1, 8, 16, 64)]
    [1, 2, 4, 8]
    """
    return max(1, isqrt(n))


def climb(growth: Growth, budget: int, size: int, keep: int, look: Look | None = None) -> Steps[None]:
    """Grow from the root: in every round `size` steps behind the texts kept, of which the best `keep` are kept.

    When fewer than two rounds are left, what is left of the budget runs to the ends of the texts kept. It is over
    before that if all of them have ended; a text that has ended holds its place among the best.

    Args:
        growth: The run; its `left` is at least `budget`.
        budget: Completions at most, those of `look` included.
        size: Completions per round.
        keep: Texts kept.
        look: By default they are kept by the scores that they have.
    """
    spare, kept = growth.left - budget, [ROOT]
    while kept and growth.left > spare:
        left = growth.left - spare
        last = left < (2 if look is None else 4) * size
        grown = [text for text in kept if text.ended]
        for text, count in shared(kept, left if last else size):
            grown += yield from growth.finish(text, count) if last else growth.step(text, count)
        kept = best((yield from look(grown)) if look and not last else grown, keep)
        if last or all(text.ended for text in kept):
            return


def shared(texts: Sequence[Text], count: int) -> list[tuple[Text, int]]:
    """Share out `count` continuations among the texts that have not ended, evenly, the first ones getting what is over."""
    live = [text for text in texts if not text.ended]
    return [(text, count // len(live) + (i < count % len(live))) for i, text in enumerate(live)]


def best(texts: Sequence[Text], keep: int) -> list[Text]:
    """The `keep` texts of the highest scores, the earliest on ties; those that say the same count once."""
    distinct: dict[tuple[str, str], Text] = {}
    for text in texts:
        distinct.setdefault((text.thought, text.visible), text)
    return sorted(distinct.values(), key=lambda text: -text.value)[:keep]
