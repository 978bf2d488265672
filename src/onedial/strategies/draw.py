"""Draw candidates: the step that every sampling strategy is made of, and what they share afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isnan

from onedial.core.answer import Answer, Candidate, Spend
from onedial.core.arm import Source
from onedial.core.ask import Completion, Sample
from onedial.core.errors import TableError
from onedial.core.query import Query
from onedial.core.steps import Steps, bring
from onedial.verifiers.equal.registry import Equal
from onedial.verifiers.extract import Extractor, words
from onedial.verifiers.judges.contract import Judge, metered
from onedial.verifiers.process import Process
from onedial.verifiers.verifier import Verifier, no_opinion


@dataclass(frozen=True, slots=True)
class Reading:
    """How completions become candidates: which answer is in them, and what the verifier makes of it.

    Attributes:
        extract: Reads the answer.
        verify: Scores it, for nothing.
        judge: Is asked, and paid, by strategies that use scores, about candidates that `verify` leaves without one; see `judged`.
        process: How searches draw and score steps; None is the usual steps, without a score.
        equal: When two answers are one, so that 3/4 and .75 are two votes for the same; None where only equal strings are. It compares
            candidates with each other, never with a reference.
    """

    extract: Extractor = words
    verify: Verifier = no_opinion
    judge: Judge | None = None
    process: Process | None = None
    equal: Equal | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one ask brought.

    Attributes:
        candidates: The completions as read, in order.
        spend: What the ask cost.
        trouble: Why it brought fewer than asked for; '' if it did not.
        completions: The completions as they came, in the same order.
    """

    candidates: tuple[Candidate, ...]
    spend: Spend
    trouble: str = ""
    completions: tuple[Completion, ...] = ()


def draw(
    query: Query, source: Source, n: int, reading: Reading, first_index: int = 0, max_thinking_tokens: int | None = None
) -> Steps[Drawn]:
    """Ask once for `n` samples, continuing the stream of (query, source) at `first_index`; thoughts are cut at the cap, if there is one."""
    ask = Sample(query.id, source, query.messages, n, first_index, max_thinking_tokens=max_thinking_tokens)
    return (yield from put(query, ask, reading))


def put(query: Query, ask: Sample, reading: Reading) -> Steps[Drawn]:
    """Put one ask, whatever its messages, and read what comes."""
    brought = yield from bring(ask)
    read = [candidate(query, ask.source, ask.first_index + i, c, reading) for i, c in enumerate(brought.completions)]
    return Drawn(tuple(read), brought.spend, brought.trouble, brought.completions)


def judged(query: Query, drawn: Sequence[Drawn], reading: Reading) -> Steps[list[Drawn]]:
    """Ask the judge, if there is one, about every candidate that has an answer and no score.

    Returns:
        What was drawn, with the scores in; and what judging cost and lacked, as something drawn without candidates.
    """
    waiting = [c for d in drawn for c in d.candidates if c.score is None and c.answer is not None]
    if reading.judge is None or not waiting:
        return [*drawn]
    verdicts, spend = yield from metered(reading.judge, query, waiting)
    scores = iter(verdicts.scores)
    scored = [replace(d, candidates=tuple(_with_score(c, scores) for c in d.candidates)) for d in drawn]
    return [*scored, Drawn((), spend, verdicts.complaint)]


def _with_score(c: Candidate, scores: Iterator[float | None]) -> Candidate:
    return c if c.score is not None or c.answer is None else replace(c, score=_number(next(scores, None)))


def candidate(query: Query, source: Source, index: int, completion: Completion, reading: Reading) -> Candidate:
    """Read one completion; an answer or a score that came with a recording is kept."""
    answer = completion.answer if completion.answer is not None else reading.extract(completion.text)
    score = completion.verifier_score
    if score is None and answer is not None:
        score = reading.verify(query, answer)
    mean = sum(completion.logprobs) / len(completion.logprobs) if completion.logprobs else None
    return Candidate(source, index, completion.text, answer, completion.output_tokens, _number(score), mean)


def _number(score: float | None) -> float | None:
    """The score; None for one that is not a number, which is no opinion and must not be compared."""
    return None if score is None or isnan(score) else score


def alike(candidates: Sequence[Candidate], equal: Equal | None) -> list[str | None]:
    """What each candidate votes for: of all answers that are equal to each other the first one given; None where there is no answer."""
    known: dict[str, str] = {}
    for c in candidates:
        if c.answer is not None and c.answer not in known:
            groups = dict.fromkeys(known.values()) if equal else {}
            known[c.answer] = next((first for first in groups if equal and _same(c.answer, first, equal)), c.answer)
    return [None if c.answer is None else known[c.answer] for c in candidates]


def _same(answer: str, other: str, equal: Equal) -> bool:
    """Whether an equality says so; where it cannot read an answer or cannot decide, they are two."""
    try:
        return equal(answer, other) is True
    except TableError:
        return False


def plurality(candidates: Iterable[Candidate], equal: Equal | None = None) -> Candidate | None:
    """The first candidate of the most frequent answer, the earliest answer on ties; without any answer, the first candidate."""
    pool = list(candidates)
    votes = Counter(voices := alike(pool, equal))
    answered = [(votes[voice], c) for c, voice in zip(pool, voices, strict=True) if voice is not None]
    return max(answered, key=lambda one: one[0])[1] if answered else next(iter(pool), None)


def conclude(drawn: Sequence[Drawn], chosen: Candidate | None, stopped: str) -> Answer:
    """Close a strategy's run: every candidate, all spend, and why it stopped; trouble is named where there was any."""
    spend = sum((d.spend for d in drawn), Spend())
    trouble = "; ".join(d.trouble for d in drawn if d.trouble)
    return Answer(
        text=chosen.text if chosen else None,
        answer=chosen.answer if chosen else None,
        candidates=tuple(c for d in drawn for c in d.candidates),
        spend=spend,
        stopped=f"{stopped} ({trouble})" if trouble else stopped,
    )
