"""Rows that decode together, one token each per step; they may begin and end at any time.

Rows that end make room at once. Which jobs come in, and in what order, is
decided in `decoder.py`; which token is taken, in `sampling.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from onedial.lab import sampling
from onedial.lab.cache import Bools, Prompts, Rows, moves
from onedial.lab.dice import uniforms
from onedial.lab.llama import Ints, Llama
from onedial.lab.sampling import NEXT, OPENED, THINKING
from onedial.lab.tokenizer import ANSWER, EOS
from onedial.lab.weights import Floats

MAX_OUTPUT = 200
"""No completion is longer than this many tokens."""

_FEW = 32
_WORTHWHILE = 0.75
"""Fewer rows than this are read alike, and so are rows that would be read this much when parted."""

_STATE = np.dtype(
    [(name, np.int64) for name in ("job", "sample", "line", "base", "used", "mode", "token", "deadline", "limit", "thought")]
    + [("temperature", np.float32)]
)


@dataclass(frozen=True, slots=True)
class Written:
    """One completion.

    Attributes:
        tokens: Every generated token, `<ans>` and `<eos>` included.
        thought: How many of them come before `<ans>`.
        logprobs: The model's log-probability of each, or empty if not wanted.
    """

    tokens: tuple[int, ...]
    thought: int
    logprobs: tuple[float, ...] = ()


@dataclass(slots=True, eq=False)
class Job:
    """A prompt with the completions wanted of it.

    Attributes:
        prompt: Token ids, the budget token last.
        n: Completions wanted.
        key: The random stream (see `dice.py`); `first` is the index of the first completion within it.
        limit: Tokens per completion at most, 2 to `MAX_OUTPUT`.
        deadline: Thoughts that are this long are followed by a forced `<ans>`; at most `limit` - 2.
        temperature: Zero takes the likeliest token.
        logprobs: Whether log-probabilities are wanted.
        written: The completions so far, by index; the job is done when none is None.
        cached: Prompt tokens that were not computed again; set when the first completion begins.
    """

    prompt: tuple[int, ...]
    n: int
    key: int
    limit: int
    deadline: int
    first: int = 0
    temperature: float = 1.0
    logprobs: bool = False
    written: list[Written | None] = field(default_factory=list)
    cached: int = 0
    started: int = 0
    ended: int = 0

    def __post_init__(self) -> None:
        self.written = [None] * self.n

    @property
    def done(self) -> bool:
        """Whether every completion is there."""
        return self.ended == self.n


class Batch:
    """Up to `rows` rows. With `sharing`, rows of a prompt share its keys and values; else each row holds its own."""

    def __init__(self, model: Llama, rows: int, sharing: bool) -> None:
        """Make room for `rows` rows."""
        self._model, self.rows, self.count = model, rows, 0
        self._jobs: dict[int, Job] = {}
        self._named = 0
        self._state = np.zeros(rows, _STATE)
        self._uniforms = np.zeros((rows, MAX_OUTPUT), np.float32)
        self._tokens = np.zeros((rows, MAX_OUTPUT), np.int64)
        self._logprobs = np.zeros((rows, MAX_OUTPUT), np.float32)
        self._own = Rows(model.shape, rows)
        self._shared = Prompts(model.shape, rows, 64) if sharing else None
        self._lengths = np.zeros(0, np.int64)
        self._sharpness: Floats | None = None
        self._greedy: Bools | None = None
        self._wanted = False
        self._split = 0
        self._logits = np.zeros((0, model.shape.vocab), np.float32)

    def admit(self, job: Job, count: int, cells: Floats, logits: Floats) -> None:
        """Begin the next `count` completions of a job whose prompt has these cells and last logits."""
        new = slice(self.count, self.count + count)
        line = len(self._lengths)
        if self._shared is None:
            for row in range(new.start, new.stop):
                self._own.put(row, cells)
        else:
            self._shared.put(line, cells)
            self._lengths = np.append(self._lengths, len(job.prompt))
        self._named += 1
        self._jobs[self._named] = job
        state = self._state[new]
        state["job"], state["line"], state["base"] = self._named, line, len(job.prompt)
        state["sample"] = np.arange(job.started, job.started + count)
        state["used"], state["mode"], state["thought"] = 0, THINKING, 0
        state["deadline"], state["limit"] = job.deadline, job.limit
        state["temperature"] = job.temperature
        self._uniforms[new, : job.limit] = uniforms(job.key, job.first + job.started, count, job.limit)
        self._logits = np.concatenate((self._logits, np.broadcast_to(logits, (count, len(logits)))))
        job.started += count
        self.count += count
        self._arrange()

    def step(self) -> list[Job]:
        """Take one token in every row, drop the rows that end, and feed the rest; return the jobs that are done."""
        done = self._take()
        finished = self._finish(done) if done.any() else []
        if self.count:
            self._feed()
        return finished

    def _take(self) -> Bools:
        """Draw, or force, a token in every row; say which rows end with it."""
        rows, state = np.arange(self.count), self._state[: self.count]
        used, mode = state["used"], state["mode"]
        tokens = sampling.draw(self._logits, mode, self._sharpness, self._greedy, self._uniforms[rows, used])
        tokens[(used >= state["deadline"]) & (mode == THINKING)] = ANSWER
        self._tokens[rows, used] = tokens
        if self._wanted:
            self._logprobs[rows, used] = sampling.logprobs(self._logits, tokens)
        state["token"] = tokens
        state["mode"] = NEXT[mode, tokens]
        np.copyto(state["thought"], used, where=state["mode"] == OPENED)
        state["used"] += 1
        done: Bools = (tokens == EOS) | (state["used"] >= state["limit"])
        return done

    def _finish(self, done: Bools) -> list[Job]:
        """Write down what the rows that are done hold, and close the gaps."""
        finished = {}
        for row in np.flatnonzero(done):
            state, job = self._state[row], self._jobs[int(self._state[row]["job"])]
            used = int(state["used"])
            logprobs = tuple(self._logprobs[row, :used].tolist()) if job.logprobs else ()
            job.written[state["sample"]] = Written(tuple(self._tokens[row, :used].tolist()), int(state["thought"]), logprobs)
            job.ended += 1
            finished[id(job)] = job
        self._keep(~done)
        return [job for job in finished.values() if job.done]

    def drop(self, job: Job) -> None:
        """Drop the rows of a job; harmless if there is none."""
        names = [name for name, known in self._jobs.items() if known is job]
        if names:
            self._keep(~np.isin(self._state["job"][: self.count], names))

    def _keep(self, alive: Bools) -> None:
        holes, movers = moves(alive)
        ends, count = self._ends(), int(np.count_nonzero(alive))
        self._own.compact(alive, int(max(ends[count:].max(initial=0), ends[holes].max(initial=0))))
        for array in self._arrays():
            array[holes] = array[movers]
        self.count, self._logits = count, self._logits[:count]
        if self._shared is not None:
            self._keep_prompts(self._shared)
        names = set(self._state[: self.count]["job"].tolist())
        self._jobs = {name: job for name, job in self._jobs.items() if name in names}
        self._arrange()

    def _arrays(self) -> tuple[npt.NDArray[Any], ...]:
        """List what is kept for every row beside keys and values."""
        return self._state, self._uniforms, self._tokens, self._logprobs, self._logits

    def _ends(self) -> Ints:
        """Return how many positions every row has in its own cache once its last token is fed."""
        state = self._state[: self.count]
        ends: Ints = state["used"] if self._shared is not None else state["used"] + state["base"]
        return ends

    def _keep_prompts(self, shared: Prompts) -> None:
        """Let go of the prompts of which no row is left."""
        lines = self._state[: self.count]["line"]
        alive = np.bincount(lines, minlength=len(self._lengths)) > 0
        if alive.all():
            return
        holes, movers = moves(alive)
        shared.compact(alive, int(self._lengths.max()))
        places = np.arange(len(alive))
        places[movers] = holes
        self._state["line"][: self.count] = places[lines]
        self._lengths[holes] = self._lengths[movers]
        self._lengths = self._lengths[: np.count_nonzero(alive)]

    def _arrange(self) -> None:
        """Note what is the same at every step until rows come or go."""
        self._part()
        temperature = self._state["temperature"][: self.count]
        greedy: Bools = temperature == 0
        self._greedy = greedy if greedy.any() else None
        sharpness: Floats = np.reciprocal(temperature, out=np.ones_like(temperature), where=~greedy)
        self._sharpness = None if (sharpness == 1).all() else sharpness[:, None]
        self._wanted = any(job.logprobs for job in self._jobs.values())
        if self._shared is not None and self.count:
            lines: Ints = self._state[: self.count]["line"].copy()
            self._shared.prepare(lines, len(self._lengths), int(self._lengths.max()))

    def _part(self) -> None:
        """Put the longest rows first, if the others then need not be read so far."""
        self._split = 0
        if self.count < _FEW:
            return
        ends, places = self._ends(), np.arange(self.count)
        ranked = np.sort(ends)[::-1]
        reads = places * ranked[0] + (self.count - places) * ranked
        best = int(reads.argmin())
        if reads[best] > _WORTHWHILE * reads[0]:
            return
        far = ends > ranked[best]
        self._split = int(np.count_nonzero(far))
        here, there = np.flatnonzero(~far[: self._split]), self._split + np.flatnonzero(far[self._split :])
        self._own.swap(here, there, int(ranked[0]))
        for array in self._arrays():
            array[np.concatenate((here, there))] = array[np.concatenate((there, here))]

    def _feed(self) -> None:
        """Feed every row its last token; the logits are for the next one."""
        state = self._state[: self.count]
        self._own.prepare(self._ends() - 1, self._split)
        self._logits = self._model.step(state["token"], state["base"] + state["used"] - 1, self._own, self._shared)
