"""Try, have the answer checked, say in words what went wrong, and try again with that in mind, until the check is passed.

What distinguishes this from `self_refine` is the checker: it decides whether there
is anything to mend, and it ends the run. A new attempt does not see the old one,
only what was learnt from the last few. Without a checker there is nothing to reflect on.

Source: Reflexion, Shinn 2303.11366, algorithm 1; the reflections kept in view are the paper's three at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from onedial.core.answer import Answer, Candidate
from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.core.errors import ConfigError
from onedial.core.query import Message, Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Drawn, Reading, conclude, judged, put
from onedial.strategies.follow_up import follow_up
from onedial.strategies.self_refine import latest_best
from onedial.verifiers.verifier import no_opinion

ACCEPT = 1.0
"""Score from which an attempt is accepted: that of a checker that is sure."""
MEMORY = 3
"""Reflections in view at most."""
REFLECT = (
    "A check has rejected this answer. Do not answer again yet. In a few sentences, say what most likely went wrong "
    "and what to do differently in the next attempt."
)
RETRY = (
    "With these lessons in mind, work the whole task out again from the start, and give the complete answer in the form first asked for."
)


def reflexion(query: Query, source: Source, n: int, reading: Reading, accept: float = ACCEPT) -> Steps[Answer]:
    """Make up to `n` attempts, with a reflection between each two; the first one accepted, else the latest of the highest score.

    Each attempt is checked before the next is asked for. It ends as well where the checker has no opinion on an answer, and at the
    first ask that brings nothing. At most 2 `n` - 1 asks, and what a judge asks.

    Args:
        query: What to ask.
        source: Of whom.
        n: Attempts at most.
        reading: How they are read and checked.
        accept: Score from which an attempt is accepted, in (0, 1].

    Raises:
        ConfigError: There is no checker.
    """
    if reading.verify is no_opinion and reading.judge is None:
        raise ConfigError("'reflect' needs a checker and there is none: name a verifier or a judge, or use 'refine', which needs neither.")
    run = _Run(query, source, reading)
    messages = query.messages
    for attempt in range(1, n + 1):
        last = yield from run.attempt(messages)
        ended = _ended(last, accept)
        if ended or attempt == n or last is None:
            break
        if not (yield from run.reflect(last)):
            ended = "no reflection came"
            break
        messages = follow_up(query, ["\n\n".join(run.lessons[-MEMORY:])], RETRY)
    return conclude(run.drawn, latest_best(run.candidates), f"{attempt} of {n} attempts are made: {ended or 'none is accepted'}")


def _ended(last: Candidate | None, accept: float) -> str:
    """Why this attempt is the last; '' if it was rejected, as one without an answer is."""
    if last is None:
        return "nothing came"
    if last.answer is not None and last.score is None:
        return "the checker has no opinion on the last"
    return "the last is accepted" if last.score is not None and last.score >= accept else ""


@dataclass(slots=True)
class _Run:
    """What has been asked so far, and what was learnt from it."""

    query: Query
    source: Source
    reading: Reading
    drawn: list[Drawn] = field(default_factory=list)
    lessons: list[str] = field(default_factory=list)
    asked: int = 0

    @property
    def candidates(self) -> list[Candidate]:
        """The attempts."""
        return [c for d in self.drawn for c in d.candidates]

    def attempt(self, messages: Sequence[Message]) -> Steps[Candidate | None]:
        """Ask for an attempt and have it checked; None if none came."""
        came = yield from self._put(messages, self.reading)
        checked = yield from judged(self.query, [came], self.reading)
        self.drawn += checked
        return next(iter(checked[0].candidates), None)

    def reflect(self, rejected: Candidate) -> Steps[bool]:
        """Ask what went wrong and remember it; whether anything was said."""
        came = yield from self._put(follow_up(self.query, [rejected.text], REFLECT), Reading())
        self.drawn.append(replace(came, candidates=()))
        said = [text for c in came.completions if (text := c.text.strip())]
        self.lessons += said
        return bool(said)

    def _put(self, messages: Sequence[Message], reading: Reading) -> Steps[Drawn]:
        ask = Sample(self.query.id, self.source, tuple(messages), 1, self.asked)
        self.asked += 1
        return (yield from put(self.query, ask, reading))
