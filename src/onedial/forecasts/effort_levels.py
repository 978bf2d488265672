"""What labels say about themselves: words from least to most thinking, budgets in tokens, and the words of a model's name.

A label that says nothing ("cot", "tool calls") has no place on the ladder; its effect is learned from those who share it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

WORDS = {
    "none": 0.0,
    "no-thinking": 0.0,
    "minimal": 0.5,
    "low": 1.0,
    "medium": 2.0,
    "high": 3.0,
    "xhigh": 4.0,
    "max": 4.5,
}
_BUDGET = re.compile(r"^(?:thinking|budget|think)?[-_= ]?(\d+)(k?)$")
_TOKENS_AT_LOW = 2_000.0  # A budget of so many tokens stands beside "low", and every doubling is half a rung.


def parts(label: str | None) -> frozenset[str]:
    """The words of a label, with and without their digits: labels that share one are alike.

    >>> sorted(parts("cot2|T0.4"))
    ['cot', 'cot2', 't', 't0.4']
    """
    words = [word for word in re.split(r"[|,;/+\s]+", str(label).lower()) if word]
    return frozenset(words) | {stem for stem in (re.sub(r"[-_]*[\d.]+k?$", "", word) for word in words) if stem}


def kinship(models: Sequence[str]) -> tuple[str, ...]:
    """Words that the names of some models share, versions left out: a family.

    >>> kinship(["a/claude-opus-4", "a/claude-haiku-4", "b/gpt-5", "b/gpt-5-mini"])
    ('a', 'b', 'claude', 'gpt')
    """
    counts = Counter(word for model in set(models) for word in family(model))
    return tuple(sorted(word for word, count in counts.items() if 1 < count < len(set(models))))


def family(model: str) -> frozenset[str]:
    """The words of a model's name."""
    return frozenset(word for word in re.split(r"[^a-z]+", model.lower()) if word)


def rung(label: str | None) -> float:
    """Place a label on the ladder of effort, from 0 (no thinking) up; NaN where it does not say.

    >>> rung("high"), rung("thinking-16000"), rung("cot")
    (3.0, 2.5, nan)
    """
    if label is None:
        return 0.0
    word = label.lower()
    if word in WORDS:
        return WORDS[word]
    budget = _BUDGET.match(word)
    if budget is None:
        return float("nan")
    tokens = float(budget[1]) * (1_000.0 if budget[2] else 1.0)
    return max(0.0, 1.0 + 0.5 * math.log2(max(tokens, 1.0) / _TOKENS_AT_LOW))
