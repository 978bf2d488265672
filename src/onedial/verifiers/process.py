"""How a text is written and scored step by step: what searches need to know beyond reading and verifying whole answers.

A step score says how promising a text is that has only begun. It comes for nothing from a `ProcessScorer`, or is paid
for by asking a judge, such as a process reward model (`onedial.verifiers.judges.reward.process_reward`), which is shown
the text so far as a candidate without an answer.

Source: process verification, Lightman 2305.20050.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from onedial.core.errors import ConfigError
from onedial.core.query import Query
from onedial.verifiers.judges.contract import Judge

ProcessScorer: TypeAlias = Callable[[Query, str], float | None]
"""From (query, text so far) to a score in [0, 1]; None: it has no opinion.

The text so far is thought and visible text as they came, with a blank line between them where there are both.
It is pure, sees no reference, and is given beginnings and whole texts alike.
"""

TOKENS = 256
"""Of one step at most, unless set."""
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")


def unscored(query: Query, text: str) -> float | None:
    """Abstain on everything: the scorer of a user who has none."""
    return None


def paragraphs(text: str) -> list[str]:
    r"""Split behind every blank line, so that the parts join to the text.

    >>> paragraphs("Add 2 and 2.\n\nSo it")
    ['Add 2 and 2.\n\n', 'So it']
    """
    ends = [found.end() for found in _BLANK_LINE.finditer(text) if found.end() < len(text)]
    return [text[i:j] for i, j in zip([0, *ends], [*ends, len(text)], strict=True) if i < j]


@dataclass(frozen=True, slots=True)
class Process:
    """How steps are drawn, told apart and scored.

    Attributes:
        score: Scores a text so far, for nothing.
        judge: Is asked, and paid, about texts that `score` leaves without one.
        tokens: Of one step at most. All of it is billed; a step is what came, up to the end of its last complete part.
        parts: Splits a text into parts that join to it.
        mid_part: Whether a text may be continued in the middle of a part; else an incomplete part is dropped, unless it is all there is.

    Raises:
        ConfigError: `tokens` is below 1.
    """

    score: ProcessScorer = unscored
    judge: Judge | None = None
    tokens: int = TOKENS
    parts: Callable[[str], Sequence[str]] = paragraphs
    mid_part: bool = False

    def __post_init__(self) -> None:
        if self.tokens < 1:
            raise ConfigError(f"a step of {self.tokens} tokens was asked for; expected at least 1.")


def in_range(score: float | None) -> float | None:
    """A score as it is if it lies in [0, 1]; anything else, not a number included, is no score.

    >>> in_range(0.5), in_range(7.0), in_range(float("nan"))
    (0.5, None, None)
    """
    return score if score is not None and 0.0 <= score <= 1.0 else None
