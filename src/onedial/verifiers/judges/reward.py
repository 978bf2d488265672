"""Reward models as judges: one number for a whole response, or one for each of its steps.

A reward model is asked like any other: the conversation that ends with the response goes out, and the reply's text holds
its numbers in [0, 1], in words, one per step. The endpoint's own format is the client's business (`onedial.runtime.reward`).

Source: outcome reward, Cobbe 2110.14168; process reward, and the product of step scores, Lightman 2305.20050; the least of them,
Wang 2312.08935; the last, Snell 2408.03314.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.ask import Completion, Sample
from onedial.core.errors import ConfigError, unknown
from onedial.core.query import Message, Query
from onedial.core.steps import Steps
from onedial.verifiers.judges.contract import Judge, Verdicts, one_by_one
from onedial.verifiers.process import paragraphs

EMPTY = "(no answer)"
"""Stands for a step without text: an empty turn is refused by some endpoints."""
JOINS: dict[str, Callable[[Sequence[float]], float]] = {"last": lambda scores: scores[-1], "least": min, "product": prod}
"""How the scores of steps become that of the whole: the last, the least, or their product."""


def outcome_reward(source: Source) -> Judge:
    """Make the judge that asks a reward model for one number per response."""
    return _rewarded(source, lambda text: [text], lambda scores: scores[0] if len(scores) == 1 else None)


def process_reward(source: Source, join: str = "last", parts: Callable[[str], Sequence[str]] | None = None) -> Judge:
    """Make the judge that asks a process reward model for one number per step of a response, and joins them.

    Args:
        source: Who judges.
        join: Key of `JOINS`.
        parts: Splits a response into steps; by default at blank lines.

    Raises:
        ConfigError: `join` is not known.
    """
    if join not in JOINS:
        raise ConfigError(unknown("way to join step scores", join, JOINS))
    return _rewarded(source, parts or paragraphs, lambda scores: JOINS[join](scores) if scores else None)


def reward_ask(query: Query, source: Source, steps: Sequence[str], index: int = 0) -> Sample:
    """Make the ask for the rewards of a response: every step is a turn of the assistant's."""
    said = [Message("assistant", step.strip() or EMPTY) for step in steps] or [Message("assistant", EMPTY)]
    return Sample(query.id, source, (*query.messages, *said), 1, index, judging=True)


def rewards(completion: Completion) -> list[float] | None:
    """The numbers in a reward model's reply; None unless all are numbers in [0, 1].

    >>> rewards(Completion("0.5 1")), rewards(Completion("-3.2"))
    ([0.5, 1.0], None)
    """
    try:
        found = [float(word) for word in completion.text.split()]
    except ValueError:
        return None
    return found if all(0.0 <= score <= 1.0 for score in found) else None


def _rewarded(source: Source, parts: Callable[[str], Sequence[str]], join: Callable[[Sequence[float]], float | None]) -> Judge:
    def judge(query: Query, candidates: Sequence[Candidate]) -> Steps[Verdicts]:
        def question(candidate: Candidate, asked: int) -> Sample:
            return reward_ask(query, source, parts(candidate.text), asked)

        def read(completion: Completion) -> float | None:
            found = rewards(completion)
            return join(found) if found else None

        return (yield from one_by_one(query, candidates, question, read))

    return judge
