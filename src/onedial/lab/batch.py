"""Completions that decode together, one token each per step; they may begin and end at any time.

Completions of a job that have begun alike share a row, until a draw parts
them. Completions that end make room at once. Which jobs come in, and in what
order, is decided in `decoder.py`; which token is taken, in `sampling.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from onedial.lab import sampling
from onedial.lab.dice import uniforms
from onedial.lab.llama import Llama
from onedial.lab.prefix import Prefix
from onedial.lab.sampling import NEXT, OPENED, THINKING
from onedial.lab.tokenizer import ANSWER, EOS
from onedial.lab.tree import Ints, Tree
from onedial.lab.weights import Floats

MAX_OUTPUT = 200
"""No completion is longer than this many tokens."""

Bools = npt.NDArray[np.bool_]

_ROOM = 16
"""Tokens per completion that a tree has room for at first."""
_STATE = np.dtype(
    [(name, np.int64) for name in ("bundle", "row", "sample", "base", "used", "mode", "token", "deadline", "limit", "thought", "cut")]
    + [("temperature", np.float32)]
)


@dataclass(frozen=True, slots=True)
class Written:
    """One completion.

    Attributes:
        tokens: Every generated token, `<ans>` and `<eos>` included.
        thought: How many of them come before `<ans>`, or before the end where the thought was cut.
        logprobs: The model's log-probability of each, or empty if not wanted.
        confidences: Of each, minus the mean log-probability of the likeliest tokens at its place, or empty if not wanted.
    """

    tokens: tuple[int, ...]
    thought: int
    logprobs: tuple[float, ...] = ()
    confidences: tuple[float, ...] = ()


@dataclass(slots=True, eq=False)
class Job:
    """A prompt with the completions wanted of it.

    Attributes:
        prompt: Token ids, the budget token last.
        n: Completions wanted.
        key: The random stream (see `dice.py`); `first` is the index of the first completion within it.
        limit: Tokens per completion at most, 2 to `MAX_OUTPUT`.
        deadline: Thoughts that are this long are followed by a forced `<ans>`; at most `limit` - 2.
        cut: Whether such thoughts end there instead, without an answer; needs a deadline of at least 1.
        mode: Where the prompt leaves off, one of `sampling`'s: a text that is continued may have come to its answer.
        temperature: Zero takes the likeliest token.
        logprobs: Whether log-probabilities are wanted.
        top: How many of the likeliest tokens confidences rest on; 0 if none are wanted.
        written: The completions so far, by index; the job is done when none is None.
        cached: Prompt tokens that were not computed again; set when the prompt is read.
    """

    prompt: tuple[int, ...]
    n: int
    key: int
    limit: int
    deadline: int
    first: int = 0
    temperature: float = 1.0
    logprobs: bool = False
    cut: bool = False
    mode: int = THINKING
    top: int = 0
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
    """Up to `room` completions, in bundles: each is a job and the tree in which some of its completions grow."""

    def __init__(self, model: Llama, room: int) -> None:
        """Make room."""
        self._model, self._room, self.count = model, room, 0
        self._bundles: list[tuple[Job, Tree]] = []
        self._logits: Floats = np.zeros((0, model.shape.vocab), np.float32)
        self._state = np.zeros(room, _STATE)
        self._uniforms = np.zeros((room, MAX_OUTPUT), np.float32)
        self._tokens = np.zeros((room, MAX_OUTPUT), np.int64)
        self._logprobs = np.zeros((room, MAX_OUTPUT), np.float32)
        self._confidences = np.zeros((room, MAX_OUTPUT), np.float32)

    @property
    def free(self) -> int:
        """How many more completions have room."""
        return self._room - self.count

    def admit(self, job: Job, count: int, prompt: Prefix) -> None:
        """Begin the next `count` completions of a job whose prompt was read."""
        new = slice(self.count, self.count + count)
        state = self._state[new]
        state["bundle"], state["row"], state["base"] = len(self._bundles), len(self._logits), len(job.prompt)
        state["sample"] = np.arange(job.started, job.started + count)
        state["used"], state["mode"], state["thought"], state["cut"] = 0, job.mode, 0, job.cut
        state["deadline"], state["limit"], state["temperature"] = job.deadline, job.limit, job.temperature
        self._uniforms[new, : job.limit] = uniforms(job.key, job.first + job.started, count, job.limit)
        self._bundles.append((job, prompt.tree.fork(len(job.prompt), len(job.prompt) + _ROOM * count)))
        self._logits = np.concatenate((self._logits, prompt.logits[None]))
        job.started += count
        self.count += count

    def step(self) -> list[Job]:
        """Take one token for every completion, drop those that end, and feed the rest; return the jobs that are done."""
        done = self._take()
        finished = self._finish(done) if done.any() else []
        self._feed()
        return finished

    def drop(self, job: Job) -> None:
        """Drop the completions of a job; harmless if there is none. Their rows go with the next step."""
        bundles = [index for index, (known, _) in enumerate(self._bundles) if known is job]
        if bundles:
            self._keep(~np.isin(self._state["bundle"][: self.count], bundles))

    def _take(self) -> Bools:
        """Draw, or force, a token for every completion; say which end with it."""
        lines, state = np.arange(self.count), self._state[: self.count]
        used, mode, row = state["used"], state["mode"], state["row"]
        tokens = sampling.draw(self._logits, row, mode, state["temperature"], self._uniforms[lines, used])
        tokens[(used >= state["deadline"]) & (mode == THINKING)] = ANSWER
        self._tokens[lines, used] = tokens
        if any(job.logprobs for job, _ in self._bundles):
            self._logprobs[lines, used] = sampling.logprobs(self._logits, row, tokens)
        tops = np.array([job.top for job, _ in self._bundles])
        for top in {*tops.tolist()} - {0}:
            at = np.flatnonzero(tops[state["bundle"]] == top)
            self._confidences[at, used[at]] = sampling.confidences(self._logits, row[at], top)
        state["token"] = tokens
        state["mode"] = NEXT[mode, tokens]
        np.copyto(state["thought"], used, where=state["mode"] == OPENED)
        state["used"] += 1
        over = (state["cut"] == 1) & (state["mode"] == THINKING) & (state["used"] >= state["deadline"])
        np.copyto(state["thought"], state["used"], where=over)
        done: Bools = (tokens == EOS) | (state["used"] >= state["limit"]) | over
        return done

    def _finish(self, done: Bools) -> list[Job]:
        """Write down the completions that are done, and drop them."""
        finished = {}
        for line in np.flatnonzero(done):
            state = self._state[line]
            job, _ = self._bundles[state["bundle"]]
            used = int(state["used"])
            logprobs = tuple(self._logprobs[line, :used].tolist()) if job.logprobs else ()
            confidences = tuple(self._confidences[line, :used].tolist()) if job.top else ()
            tokens = tuple(self._tokens[line, :used].tolist())
            job.written[state["sample"]] = Written(tokens, int(state["thought"]), logprobs, confidences)
            job.ended += 1
            finished[id(job)] = job
        self._keep(~done)
        return [job for job in finished.values() if job.done]

    def _keep(self, alive: Bools) -> None:
        """Move the last lines that are alive into the holes, so that the first ones are in use."""
        count = int(np.count_nonzero(alive))
        holes, movers = np.flatnonzero(~alive[:count]), count + np.flatnonzero(alive[count:])
        for array in (self._state, self._uniforms, self._tokens, self._logprobs, self._confidences):
            array[holes] = array[movers]
        self.count = count

    def _feed(self) -> None:
        """Feed every distinct continuation, in the order of the rows that it continues; the logits are for the next token."""
        state = self._state[: self.count]
        first, rows = _distinct(state["row"] * self._model.shape.vocab + state["token"])
        fed = state[first]
        self._branch(fed["row"], fed["bundle"])
        state["row"], trees = rows, [tree for _, tree in self._bundles]
        self._logits = self._model.forward(fed["token"], fed["base"] + fed["used"] - 1, trees)

    def _branch(self, parents: Ints, bundles: Ints) -> None:
        """Grow each bundle's tree behind these rows of the last step, and drop the bundles without any."""
        counts = np.bincount(bundles, minlength=len(self._bundles)).tolist()
        begin = end = 0
        for (_, tree), count in zip(self._bundles, counts, strict=True):
            rows, end = tree.rows, end + count
            if count:
                tree.branch(parents[end - count : end] - begin)
            begin += rows
        if 0 in counts:
            self._bundles = [bundle for bundle, count in zip(self._bundles, counts, strict=True) if count]
            state = self._state[: self.count]
            state["bundle"] = (np.cumsum(np.sign(counts)) - 1)[state["bundle"]]


def _distinct(keys: Ints) -> tuple[Ints, Ints]:
    """Say where each distinct key is, in ascending order, and of every key which one it is.

    >>> [indices.tolist() for indices in _distinct(np.array([7, 5, 7]))]
    [[1, 0], [1, 0, 1]]
    """
    order = keys.argsort(kind="stable")
    ranked = keys[order]
    fresh = np.empty(len(keys), np.bool_)
    fresh[:1] = True
    np.not_equal(ranked[1:], ranked[:-1], out=fresh[1:])
    which = np.empty_like(order)
    which[order] = fresh.cumsum() - 1
    return order[fresh], which
