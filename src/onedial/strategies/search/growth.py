"""How texts grow: what every search is made of. A search only chooses which text goes on.

Whatever a search does, it draws at most `n` completions. A completion is a step, cut at the tokens of one, or runs to the end
of the text. Everything that is generated is billed; of a step that was cut, an incomplete last part is not built upon.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from onedial.core.answer import Answer, Candidate
from onedial.core.arm import Source
from onedial.core.ask import Completion, Sample
from onedial.core.query import Query
from onedial.core.steps import Steps, bring
from onedial.strategies.best_of_n import highest
from onedial.strategies.draw import Drawn, Reading, candidate, conclude, judged, plurality
from onedial.verifiers.equal.registry import Equal
from onedial.verifiers.judges.contract import metered
from onedial.verifiers.process import Process, in_range

NEUTRAL = 0.5
"""Stands for a score that is not there, where a number is needed: neither for a text nor against it."""

Choose = Callable[[Sequence[Candidate], Equal | None], Candidate | None]
"""From answers, and when two of them are one, to the one that is chosen."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text that has begun, or ended.

    Attributes:
        thought: The thought so far, where the endpoint shows it apart.
        visible: The visible text so far.
        ended: Whether nothing follows.
        score: What the scorer makes of it, in [0, 1]; None if nothing.
        added: What its last step added.
        opening: The mark before the thought, for a text that continues it.
    """

    thought: str = ""
    visible: str = ""
    ended: bool = False
    score: float | None = None
    added: str = ""
    opening: str = ""

    @property
    def said(self) -> str:
        """What a later ask continues: the thought where there is one, from its opening mark on, and else the visible text."""
        return self.opening + self.thought if self.thought else self.visible

    @property
    def whole(self) -> str:
        """Thought and visible text, as scorers are shown them."""
        return "\n\n".join(part for part in (self.thought, self.visible) if part)

    @property
    def value(self) -> float:
        """Its score, or `NEUTRAL`."""
        return NEUTRAL if self.score is None else self.score


ROOT = Text()


def best_answer(answers: Sequence[Candidate], equal: Equal | None) -> Candidate | None:
    """The plurality among the highest-scored answers."""
    return plurality(highest(answers), equal)


class Growth:
    """The run of one search: counts completions, and keeps every one with what it cost.

    Attributes:
        left: Completions that may still be drawn; 0 after the first ask that brings nothing.
    """

    def __init__(self, query: Query, source: Source, n: int, reading: Reading) -> None:
        self._query, self._source, self._n, self._reading = query, source, n, reading
        self._process = reading.process or Process()
        self._drawn: list[Drawn] = []
        self._count, self._scored, self.left = 0, False, n

    def step(self, text: Text, count: int, steps: int = 1, temperature: float | None = None) -> Steps[list[Text]]:
        """Go on from a text by `steps` steps, `count` times in one ask; fewer where fewer are left."""
        return (yield from self._grow(text, count, steps * self._process.tokens, temperature))

    def finish(self, text: Text, count: int) -> Steps[list[Text]]:
        """Go on from a text to its end, `count` times in one ask; fewer where fewer are left."""
        return (yield from self._grow(text, count, None, None))

    def first_part(self, text: Text, begun: Text) -> Text:
        """The text as it was when the first part of its last step was there; the whole of it where that is all there is."""
        parts = self._process.parts(text.added)
        if len(parts) < 2:
            return text
        if text.thought:
            return Text(begun.thought + parts[0], added=parts[0], opening=text.opening)
        return Text("", begun.visible + parts[0], added=parts[0])

    def conclude(self, choose: Choose, how: str) -> Steps[Answer]:
        """Choose among the answers that are there, the judge asked where it is needed; of texts without one, the best scored is shown."""
        drawn = yield from judged(self._query, self._drawn, self._reading)
        candidates = [c for d in drawn for c in d.candidates]
        answered = [c for c in candidates if c.answer is not None]
        chosen = choose(answered, self._reading.equal) if answered else next(iter(highest(candidates)), None)
        stopped = f"{self._count} of {self._n} completions are in, {len(answered)} of them answers, {how}"
        unscored = "" if self._scored else "; no step was scored, so only answers were compared"
        return conclude(drawn, chosen, stopped + unscored)

    def _grow(self, text: Text, count: int, tokens: int | None, temperature: float | None) -> Steps[list[Text]]:
        if min(count, self.left) < 1 or text.ended:
            return []
        ask = Sample(
            query_id=self._query.id,
            source=self._source,
            messages=self._query.messages,
            n=min(count, self.left),
            first_index=self._count,
            max_tokens=tokens,
            temperature=temperature,
            continue_from=text.said,
            in_steps=True,
        )
        brought = yield from bring(ask)
        came = brought.completions
        self._count, self.left = self._count + len(came), self.left - ask.n if came else 0
        grown = [self._grown(text, c) for c in came]
        read = [self._read(text, c, ask.first_index + i) for i, c in enumerate(came)]
        scores, judging = yield from self._scores(grown, read)
        candidates = tuple(replace(c, score=score) for c, score in zip(read, scores, strict=True))
        self._drawn += [Drawn(candidates, brought.spend, brought.trouble, came), *judging]
        scored = [replace(each, score=score) for each, score in zip(grown, scores, strict=True)]
        return [each for each, c in zip(scored, candidates, strict=True) if c.answer is not None or not each.ended]

    def _grown(self, text: Text, c: Completion) -> Text:
        """The text with a completion at its end; of one that was cut, the part that is built upon."""
        ended, apart, added = c.finish != "length", bool(text.thought or c.thinking), c.thinking or c.text
        opening = text.opening or c.opening
        if not ended:
            added = self._built_upon(added)
            thought, visible = (text.thought + added, "") if apart else ("", text.visible + added)
            return Text(thought, visible, added=added, opening=opening)
        return Text(text.thought + c.thinking, c.text if apart else text.visible + c.text, ended=True, added=added, opening=opening)

    def _built_upon(self, piece: str) -> str:
        parts = self._process.parts(piece)
        return piece if self._process.mid_part or len(parts) < 2 else "".join(parts[:-1])

    def _read(self, text: Text, c: Completion, index: int) -> Candidate:
        """The candidate that a completion makes with the text before it; what was cut has no answer."""
        apart = text.thought or c.thinking
        whole = replace(c, text=c.text if apart else text.visible + c.text)
        if c.finish == "stop":
            return candidate(self._query, self._source, index, whole, self._reading)
        return Candidate(self._source, index, whole.text, None, c.output_tokens)

    def _scores(self, texts: Sequence[Text], read: Sequence[Candidate]) -> Steps[tuple[list[float | None], list[Drawn]]]:
        """The verifier's score of each where it has one; else the scorer's; else that of the judge of steps, who is paid."""
        scores = [in_range(c.score) for c in read]
        for i, text in enumerate(texts):
            if scores[i] is None:
                scores[i] = in_range(self._process.score(self._query, text.whole))
                self._scored |= scores[i] is not None
        waiting = [i for i, score in enumerate(scores) if score is None]
        if self._process.judge is None or not waiting:
            return scores, []
        shown = [replace(read[i], text=texts[i].whole) for i in waiting]
        verdicts, spend = yield from metered(self._process.judge, self._query, shown)
        for i, score in zip(waiting, verdicts.scores, strict=False):
            scores[i] = in_range(score)
            self._scored |= scores[i] is not None
        return scores, [Drawn((), spend, verdicts.complaint)]
