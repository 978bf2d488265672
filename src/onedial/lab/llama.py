"""The arithmetic of a Llama model in NumPy: whole prompts, and one step of many sequences.

Rows that share a prompt share its keys and values: a step attends to the
shared part once for all of them, to each row's own part separately, and joins
the two under one softmax. What is kept where is decided in `cache.py`, which
token is taken in `decoder.py`.

Three rearrangements make a step short. Norm gains and scales are folded into
the matrices. Queries and keys are stored with interleaved halves, so that a
rotation is one complex product. Values carry a 1 behind them, so that the
product with the unnormalised attention weights brings their sum along; where
nothing is stored, that 1 is a 0, and no mask is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from onedial.lab.shape import HEAD_DIM, NORM_EPS, ROPE_THETA, Shape
from onedial.lab.weights import Floats, Weights

Ints = npt.NDArray[np.int64]

CELL = 2 * HEAD_DIM + 2
"""Numbers kept per position and head: key, value, one, and a spare that keeps pairs aligned."""
KEY = slice(0, HEAD_DIM)
VALUE = slice(HEAD_DIM, 2 * HEAD_DIM + 1)
BOTH = slice(0, 2 * HEAD_DIM)
ONE = 2 * HEAD_DIM
_LARGE = 50.0
"""Scores beyond this may overflow before long, as an exponential."""
_LEAST = np.float32(-60)
"""Shifted scores below this are raised to it: a weight of 1e-26 adds nothing, but smaller ones are slow to compute with."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """Matrices as (inputs, outputs); `qkv` has query, key and value of a head side by side."""

    qkv: Floats
    out: Floats
    gate_up: Floats
    down: Floats


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines of a store.

    Attributes:
        of: Which ones.
        keys: Per layer, (lines, heads, head dim, positions).
        values: Per layer, (lines, heads, positions, head dim + 1).
    """

    of: slice
    keys: list[Floats]
    values: list[Floats]


class Own(Protocol):
    """What each row has written itself; `parts` are all rows in order, each part read only as far as its longest row."""

    parts: list[Lines]

    def write(self, layer: int, cells: Floats) -> None:
        """Store (rows, heads, key and value) at every row's next position."""
        ...


class Shared(Protocol):
    """Prompts that several rows share; lines are prompts."""

    lines: Lines

    def spread(self, rows: Floats) -> Floats:
        """Arrange (rows, heads, k) as (prompts, heads, lanes, k)."""
        ...

    def collect(self, lanes: Floats) -> Floats:
        """Undo `spread`."""
        ...


class Llama:
    """A model that computes. Nothing about a prompt is remembered here."""

    def __init__(self, weights: Weights) -> None:
        """Rearrange the matrices."""
        self.name, self.shape = weights.name, weights.shape
        tensors, root = weights.tensors, np.float32(weights.shape.width**0.5)
        self._embedding = tensors["model.embed_tokens.weight"]
        self._head = np.ascontiguousarray((self._embedding * tensors["model.norm.weight"] * root).T)
        self._layers = [_rearranged(tensors, f"model.layers.{index}.", self.shape) for index in range(self.shape.layers)]
        self._phases = _phases(self.shape.context)
        self._eps = np.float32(NORM_EPS * self.shape.width)
        self._shifted = [False] * self.shape.layers

    def step(self, tokens: Ints, positions: Ints, own: Own, shared: Shared | None = None) -> Floats:
        """Feed one token of every row; return logits (rows, vocabulary) and leave keys and values in `own`.

        Attention weights are exponentials. In layers whose scores have been
        small they go without the usual shift by the largest score, which is
        as exact unless that is beyond +-80. If it is, the sums overflow or
        vanish, and the step is computed again with the shift.
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            logits = self._step(tokens, positions, own, shared)
            if not np.isfinite(logits[:, 0]).all():
                logits = self._step(tokens, positions, own, shared, shift=True)
        return logits

    def _step(self, tokens: Ints, positions: Ints, own: Own, shared: Shared | None, shift: bool = False) -> Floats:
        x = self._embedding[tokens]
        phases = self._phases[positions]
        for index, layer in enumerate(self._layers):
            heads = self._heads(x, layer, phases)
            own.write(index, heads[..., HEAD_DIM:])
            mixed = self._attend(heads[..., :HEAD_DIM], index, own, shared, shift)
            x += (mixed[..., :HEAD_DIM] / mixed[..., HEAD_DIM:]).reshape(x.shape) @ layer.out
            self._feed_forward(x, layer)
        return self._normed(x) @ self._head

    def _attend(self, queries: Floats, layer: int, own: Own, shared: Shared | None, shift: bool) -> Floats:
        """Return (rows, heads, head dim + 1): weighted values, and the sum of the weights."""
        scores = [queries[part.of, :, None] @ part.keys[layer] for part in own.parts]
        asked = None if shared is None else shared.spread(queries) @ shared.lines.keys[layer]
        if shift or self._shifted[layer]:
            self._shifted[layer] |= _shift(scores, asked, layer, own, shared) > _LARGE
        weighted = [(np.exp(s, out=s) @ part.values[layer])[:, :, 0] for s, part in zip(scores, own.parts, strict=True)]
        mixed: Floats = weighted[0] if len(weighted) == 1 else np.concatenate(weighted)
        if shared is not None and asked is not None:
            mixed += shared.collect(np.exp(asked, out=asked) @ shared.lines.values[layer])
        return mixed

    def prefill(self, prompts: Sequence[Sequence[int]], pasts: Sequence[Floats | None] | None = None) -> list[tuple[Floats, Floats]]:
        """Read several prompts at once.

        Args:
            prompts: Token ids, at least one each.
            pasts: Per prompt the cells of a beginning that is shorter than it, or None.

        Returns:
            Per prompt its cells (layers, positions, heads, CELL) and the logits (vocabulary) after its last token.
        """
        pasts = pasts or [None] * len(prompts)
        starts = np.array([0 if past is None else past.shape[1] for past in pasts])
        sizes = np.array([len(prompt) for prompt in prompts]) - starts
        rows, width = len(prompts), int(sizes.max())
        length = int(starts.max()) + width
        tokens = np.zeros((rows, width), np.int64)
        cells = np.zeros((self.shape.layers, rows, length, self.shape.heads, CELL), np.float32)
        cells[..., ONE] = 1
        for row, (prompt, past) in enumerate(zip(prompts, pasts, strict=True)):
            tokens[row, : sizes[row]] = prompt[starts[row] :]
            if past is not None:
                cells[:, row, : starts[row]] = past
        positions = starts[:, None] + np.arange(width)
        logits = self._read(tokens, positions, sizes - 1, cells)
        return [(cells[:, row, : len(prompt)].copy(), logits[row]) for row, prompt in enumerate(prompts)]

    def _read(self, tokens: Ints, positions: Ints, last: Ints, cells: Floats) -> Floats:
        """Fill `cells` (layers, rows, length, heads, CELL) and return the logits at index `last` of every row."""
        rows, width = tokens.shape
        length, final = cells.shape[2], (np.arange(rows), last)
        unseen = np.where(np.arange(length) > positions[:, :, None], np.float32(-np.inf), np.float32(0))[:, None]
        places = (np.arange(rows)[:, None] * length + positions).ravel()
        phases = self._phases[np.minimum(positions, self.shape.context - 1).ravel()]
        x = self._embedding[tokens.ravel()]
        for index, layer in enumerate(self._layers):
            heads = self._heads(x, layer, phases)
            cells[index].reshape(rows * length, self.shape.heads, CELL)[places, :, BOTH] = heads[..., HEAD_DIM:]
            queries = heads[..., :HEAD_DIM].reshape(rows, width, self.shape.heads, HEAD_DIM)
            if index == self.shape.layers - 1:  # Only the last token's output is wanted.
                x, queries, unseen = x.reshape(rows, width, -1)[final], queries[final][:, None], unseen[final[0], :, last][:, :, None]
            scores = queries.transpose(0, 2, 1, 3) @ cells[index, ..., KEY].transpose(0, 2, 3, 1)
            self._shifted[index] = self._shifted[index] or bool(scores.max() > _LARGE or scores.min() < -_LARGE)
            scores += unseen
            scores -= scores.max(-1, keepdims=True)
            np.maximum(scores, _LEAST, out=scores)
            mixed = np.exp(scores, out=scores) @ cells[index, ..., VALUE].transpose(0, 2, 1, 3)
            x += (mixed[..., :HEAD_DIM] / mixed[..., HEAD_DIM:]).transpose(0, 2, 1, 3).reshape(x.shape) @ layer.out
            self._feed_forward(x, layer)
        return self._normed(x) @ self._head

    def _heads(self, x: Floats, layer: _Layer, phases: npt.NDArray[np.complex64]) -> Floats:
        """Return (rows, heads, 3 * head dim): rotated query, rotated key, value."""
        heads = (self._normed(x) @ layer.qkv).reshape(len(x), self.shape.heads, 3 * HEAD_DIM)
        pairs = heads.view(np.complex64)[..., :HEAD_DIM]
        pairs *= phases
        return heads

    def _feed_forward(self, x: Floats, layer: _Layer) -> None:
        """Add the feed-forward part to `x`; the gate comes halved, for SiLU(2 g) = g (1 + tanh g)."""
        both = self._normed(x) @ layer.gate_up
        gate, up = both[:, : self.shape.ff], both[:, self.shape.ff :]
        smooth = np.tanh(gate)
        smooth += 1
        smooth *= gate
        smooth *= up
        x += smooth @ layer.down

    def _normed(self, x: Floats) -> Floats:
        """Divide by the root of the sum of squares; the width is in the matrices that follow."""
        size = np.vecdot(x, x)
        size += self._eps
        np.sqrt(size, size)
        normed: Floats = x / size[:, None]
        return normed


def _shift(scores: list[Floats], asked: Floats | None, layer: int, own: Own, shared: Shared | None) -> float:
    """Subtract each row's largest score from all parts, in place; return the largest of these in size."""
    for some, part in zip(scores, own.parts, strict=True):
        _leave_out(some, part.values[layer])
    top: Floats = np.concatenate([some.max(-1) for some in scores])
    if shared is not None and asked is not None:
        _leave_out(asked, shared.lines.values[layer])
        top = np.maximum(top, shared.collect(asked.max(-1, keepdims=True)))
        asked -= shared.spread(top)
        np.maximum(asked, _LEAST, out=asked)
    for some, part in zip(scores, own.parts, strict=True):
        some -= top[part.of, :, None]
        np.maximum(some, _LEAST, out=some)
    return float(np.abs(top).max())


def _leave_out(scores: Floats, values: Floats) -> None:
    """Give no score to positions where nothing is stored."""
    np.copyto(scores, -np.inf, where=values[:, :, None, :, HEAD_DIM] == 0)


def _rearranged(tensors: dict[str, Floats], prefix: str, shape: Shape) -> _Layer:
    def matrix(name: str) -> Floats:
        return tensors[f"{prefix}{name}.weight"]

    root = np.float32(shape.width**0.5)
    per_head = (shape.heads, HEAD_DIM, shape.width)
    pairs = np.arange(HEAD_DIM).reshape(2, -1).T.ravel()
    query = matrix("self_attn.q_proj").reshape(per_head)[:, pairs] * np.float32(HEAD_DIM**-0.5)
    key, value = matrix("self_attn.k_proj").reshape(per_head)[:, pairs], matrix("self_attn.v_proj").reshape(per_head)
    qkv = np.concatenate((query, key, value), 1).reshape(-1, shape.width) * (matrix("input_layernorm") * root)
    gate_up = np.concatenate((matrix("mlp.gate_proj") * np.float32(0.5), matrix("mlp.up_proj"))) * (
        matrix("post_attention_layernorm") * root
    )
    parts = (qkv, matrix("self_attn.o_proj"), gate_up, matrix("mlp.down_proj"))
    return _Layer(*(np.ascontiguousarray(part.T) for part in parts))


def _phases(context: int) -> npt.NDArray[np.complex64]:
    """Return rotations (positions, 1, head dim) for the pairs of a query and of a key."""
    frequencies = ROPE_THETA ** (-np.arange(0, HEAD_DIM, 2) / HEAD_DIM)
    angles = np.arange(context)[:, None] * frequencies
    phases: npt.NDArray[np.complex64] = np.exp(1j * np.concatenate((angles, angles), 1)).astype(np.complex64)
    return phases[:, None]
