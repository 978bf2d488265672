"""Bandit allocation: sample every query until a response is good enough, and give what that saves to the queries after it.

The paper allocates one budget over a batch known in advance. Here queries come one
after the other, so that it is the uniform rule in stream form: every query adds its
allowance to a bank, is sampled one at a time until the reward passes the threshold,
its samples are used up or the bank is, and what is left stays in the bank. The reward is the
best verifier score where there is one, else (votes of the leader + 1) / (samples + 2).

A policy object serves one stream, in the order in which queries come; copy it for
another. Settings: up to 10 probes, 5 thresholds, 5 allowances; at most 250.

Source: 2506.12721, algorithm 1 (elimination), uniform rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from onedial.core.answer import Candidate
from onedial.core.arm import Arm, Source
from onedial.core.decision import Decision, Policy
from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.policies.baselines.contract import Lesson, StepperRecipe
from onedial.policies.baselines.pool import ladder, pool_of
from onedial.policies.baselines.tape import Tape
from onedial.policies.baselines.votes import Seen, leaders, tally

THRESHOLDS = (0.7, 0.75, 0.8, 0.84, 0.99)
ALLOWANCES = (1.0, 1.5, 2.0, 3.0, 5.0)


def reward(seen: Seen) -> Floats:
    """(rows,) in [0, 1]: the best verdict, else how far the vote has come."""
    vote = (tally(seen.answer)[:, 0] + 1.0) / (seen.answer.shape[1] + 2.0)
    verdict = np.where(np.isfinite(seen.verdict), seen.verdict, -1.0).max(axis=1)
    return np.asarray(np.where(verdict >= 0, verdict, vote))


@dataclass(slots=True)
class BankedSampling:
    """Sampling of one source from a bank of samples.

    Attributes:
        source: Of whom.
        threshold: Reward that is good enough.
        allowance: Samples that every query adds to the bank, at least 1.
        cap: Samples of one query at most.
        quality: Mean training quality.
    """

    source: Source
    threshold: float
    allowance: float
    cap: int
    quality: float = 0.0
    _bank: float = field(default=0.0, repr=False)
    _current: tuple[str, int] = field(default=("", 0), repr=False)

    def choose(self, query: Query, tried: tuple[Candidate, ...] = (), spent_usd: float = 0.0) -> Decision:
        """Draw one more, or stop."""
        name, drawn = self._current
        if query.id != name:
            self._bank += self.allowance - drawn
        self._current = (query.id, len(tried))
        if not tried:
            return Decision(Arm(self.source), None, 0.0, "every query is sampled once")
        seen = Seen.of(tried)
        pick = int(leaders(seen, by_verdict=True)[0])
        why = self._why(len(tried), float(reward(seen)[0]))
        return Decision(None if why else Arm(self.source), tried[pick].answer, self.quality, why or "not good enough yet", pick=pick)

    def _why(self, drawn: int, reached: float) -> str:
        """Why to stop; empty to go on."""
        if reached >= self.threshold:
            return f"the reward of {reached:.2f} is good enough"
        return "no more samples are left" if drawn >= min(self.cap, int(self._bank + 1e-9)) else ""

    def on(self, tape: Tape, columns: Sequence[int]) -> tuple[Floats, Floats]:
        """(rows,) quality and cost on a tape that holds the source in `columns[0]`, copies one after the other, from an empty bank."""
        sized = _sizes(tape, columns[0], self.cap, self.threshold)
        return _outcome(tape, columns[0], _spend(sized, self.allowance, _stream(tape)))


def fit(lesson: Lesson) -> Sequence[Policy]:
    """Try every setting on the training stream; the training hull is the ladder."""
    pool = pool_of(lesson)
    made, runs = [], []
    for j in pool.probes:
        for threshold in THRESHOLDS:
            sized = _sizes(pool.tape, j, pool.depth(j), threshold)
            for allowance in ALLOWANCES:
                runs.append(_outcome(pool.tape, j, _spend(sized, allowance, _stream(pool.tape))))
                made.append(partial(BankedSampling, pool.source(j), threshold, allowance, pool.depth(j)))
    quality, cost = (np.array([float(run[k].mean()) for run in runs]) for k in (0, 1))
    return [made[k](float(quality[k])) for k in ladder(cost, quality)]


def _stream(tape: Tape) -> Ints:
    """Rows in the order of a stream: the first copy of every query, then the second, ..."""
    return np.asarray(np.arange(len(tape.row)).reshape(-1, tape.copies).T.ravel(), dtype=np.int64)


def _sizes(tape: Tape, column: int, cap: int, threshold: float) -> Ints:
    """(rows,) samples until the reward is good enough; the cap where it never is."""
    passed = np.stack([reward(tape.seen(column, n)) >= threshold for n in range(1, cap + 1)], axis=1)
    return np.asarray(np.where(passed.any(axis=1), passed.argmax(axis=1) + 1, cap), dtype=np.int64)


def _spend(sized: Ints, allowance: float, order: Ints) -> Ints:
    """(rows,) samples drawn when the bank allows what is wanted."""
    drawn, bank = np.zeros_like(sized), 0.0
    for row in order:
        bank += allowance
        drawn[row] = min(int(sized[row]), int(bank + 1e-9))
        bank -= float(drawn[row])
    return drawn


def _outcome(tape: Tape, column: int, drawn: Ints) -> tuple[Floats, Floats]:
    """(rows,) quality and cost of drawing these numbers, one at a time."""
    quality, cost = np.zeros(len(drawn)), np.zeros(len(drawn))
    for n in range(1, int(drawn.max()) + 1):
        cost += np.where(drawn >= n, tape.ask_usd(column, 1, n - 1, warm=n > 1), 0.0)
        quality = np.where(drawn == n, tape.value(column, leaders(tape.seen(column, n), by_verdict=True)), quality)
    return quality, cost


BANDIT = StepperRecipe("bandit-allocation", "2506.12721", fit)
