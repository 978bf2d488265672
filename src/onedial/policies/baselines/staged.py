"""Cascades: draw an arm, look at what came, answer with it or go on to the next arm.

The policy is what is replayed. `cascade` computes the same on a tape, for many
settings at once; `Staged.on` joins the two, and a test holds them equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from onedial.core.answer import Candidate
from onedial.core.arm import Arm
from onedial.core.decision import Decision
from onedial.core.outcome import Floats
from onedial.core.query import Query
from onedial.policies.baselines.tape import Tape
from onedial.policies.baselines.text_ridge import TextRidge
from onedial.policies.baselines.votes import Seen, leaders

Flags = npt.NDArray[np.bool_]


class Scorer(Protocol):
    """How good the answer of a block looks."""

    def __call__(self, seen: Seen, ante: Floats) -> Floats:
        """(rows,) scores; `ante` is (rows,) what was forecast of the source before the first token, 0 without a forecast."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """One arm of a cascade.

    Attributes:
        arm: What is drawn, in one ask.
        scorer: Judges it; None for the last stage.
        enough: Answer if the score is at least this.
        output: Which output of the cascade's forecast is about this source.
        first: Answer with the first sample, not with the plurality.
    """

    arm: Arm
    scorer: Scorer | None = None
    enough: float = -np.inf
    output: int = 0
    first: bool = False

    def stops(self, seen: Seen, ante: Floats) -> Flags:
        """(rows,) whether to answer here."""
        return np.ones(len(seen.answer), dtype=bool) if self.scorer is None else self.scorer(seen, ante) >= self.enough

    def picks(self, seen: Seen) -> npt.NDArray[np.int64]:
        """(rows,) which sample is the answer."""
        if self.first:
            return np.zeros(len(seen.answer), dtype=np.int64)
        return leaders(seen, by_verdict=self.arm.strategy == "best")


@dataclass(frozen=True, slots=True)
class Staged:
    """A cascade of arms of different sources; each answers for itself.

    Attributes:
        stages: In order.
        quality: Mean training quality, reported as the chance of being right.
        forecast: Of sources before the first token, if a scorer wants one.
    """

    stages: tuple[Stage, ...]
    quality: float = 0.0
    forecast: TextRidge | None = None

    def choose(self, query: Query, tried: tuple[Candidate, ...] = (), spent_usd: float = 0.0) -> Decision:
        """Draw what is missing of the first stage that is not complete; answer with the first complete one that is good enough."""
        start, pick = 0, None
        for number, stage in enumerate(self.stages, 1):
            block = tried[start : start + stage.arm.n]
            if len(block) < stage.arm.n:
                return self._draw(stage, stage.arm.n - len(block), tried, pick, number)
            seen = Seen.of(block)
            pick = start + int(stage.picks(seen)[0])
            if stage.stops(seen, self._ante(query, stage))[0]:
                return Decision(None, tried[pick].answer, self.quality, f"stage {number}, {stage.arm}, is good enough", pick=pick)
            start += stage.arm.n
        return Decision(None, tried[pick].answer if pick is not None else None, self.quality, "that was the last stage", pick=pick)

    def _draw(self, stage: Stage, n: int, tried: tuple[Candidate, ...], pick: int | None, number: int) -> Decision:
        arm = Arm(stage.arm.source, "vote" if n > 1 else "direct", n)
        answer = None if pick is None else tried[pick].answer
        return Decision(arm, answer, self.quality, f"stage {number} of {len(self.stages)}: {stage.arm}", pick=pick)

    def _ante(self, query: Query, stage: Stage) -> Floats:
        return np.zeros(1) if self.forecast is None else self.forecast.of(query)[[stage.output]]

    def on(self, tape: Tape, columns: Sequence[int]) -> tuple[Floats, Floats]:
        """(rows,) quality and cost on a tape that holds stage k's source in `columns[k]`."""
        seen = [tape.seen(j, stage.arm.n) for j, stage in zip(columns, self.stages, strict=True)]
        antes = [self._antes(tape, stage) for stage in self.stages]
        return cascade(
            [tape.value(j, s.picks(x)) for j, s, x in zip(columns, self.stages, seen, strict=True)],
            [tape.ask_usd(j, s.arm.n, warm=warm(tape, columns[:k], j)) for k, (j, s) in enumerate(zip(columns, self.stages, strict=True))],
            [s.stops(x, ante) for s, x, ante in zip(self.stages, seen, antes, strict=True)],
        )

    def _antes(self, tape: Tape, stage: Stage) -> Floats:
        if self.forecast is None:
            return np.zeros(len(tape.row))
        return np.array([self.forecast.of(query)[stage.output] for query in tape.queries])[tape.row]


def warm(tape: Tape, asked: Sequence[int], column: int) -> bool:
    """Whether the model of a column has been asked by one of the columns before."""
    return tape.models[column] in {tape.models[j] for j in asked}


def cascade(quality: Sequence[Floats], cost_usd: Sequence[Floats], stops: Sequence[Flags]) -> tuple[Floats, Floats]:
    """(rows,) quality and cost of a cascade whose stages have these, and stop there; the last one stops in any case."""
    live = np.ones(len(quality[0]), dtype=bool)
    reached, paid = np.zeros(len(live)), np.zeros(len(live))
    for k, (value, usd, stop) in enumerate(zip(quality, cost_usd, stops, strict=True)):
        paid = paid + np.where(live, usd, 0.0)
        ends = live & (stop | (k == len(quality) - 1))
        reached = np.where(ends, value, reached)
        live = live & ~ends
    return reached, paid
