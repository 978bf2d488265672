"""The arithmetic of a Llama model in NumPy: any number of tokens in any number of trees, at once.

A prompt is read and a step is taken by the same few lines. What a row attends
to is kept in `tree.py`; which token is taken is decided in `batch.py`.

Three rearrangements make a step short. Norm gains and scales are folded into
the matrices. Queries and keys are stored with interleaved halves, so that a
rotation is one complex product. Values carry a 1 behind them, so that the
product with the unnormalised attention weights brings their sum along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from onedial.lab.shape import HEAD_DIM, NORM_EPS, ROPE_THETA, Shape
from onedial.lab.tree import MIXED, Ints, Tree
from onedial.lab.weights import Floats, Weights


@dataclass(frozen=True, slots=True)
class _Layer:
    """Matrices as (inputs, outputs); `qkv` has query, key and value of a head side by side."""

    qkv: Floats
    out: Floats
    gate_up: Floats
    down: Floats


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

    def forward(self, tokens: Ints, positions: Ints, trees: Sequence[Tree], wanted: Ints | None = None) -> Floats:
        """Feed tokens to the rows of some trees, which keep their keys and values.

        Args:
            tokens: (rows,), the trees' rows one tree after the other.
            positions: (rows,), from 0.
            trees: Already grown by these rows.
            wanted: The rows whose logits are wanted; None is all.

        Returns:
            Logits, (rows wanted, vocabulary).
        """
        x, phases = self._embedding[tokens], self._phases[positions]
        mixed = np.empty((len(x), self.shape.heads, MIXED), np.float32)
        ends = accumulate(tree.rows for tree in trees)
        parts = [(tree, slice(end - tree.rows, end)) for tree, end in zip(trees, ends, strict=True)]
        with np.errstate(over="ignore"):
            for index, layer in enumerate(self._layers):
                heads = self._heads(x, layer, phases)
                for tree, rows in parts:
                    tree.attend(index, heads[rows], mixed[rows])
                if wanted is not None and index == len(self._layers) - 1:
                    x, mixed = x[wanted], mixed[wanted]
                x += (mixed[..., :HEAD_DIM] / mixed[..., HEAD_DIM:]).reshape(x.shape) @ layer.out
                self._feed_forward(x, layer)
        return self._normed(x) @ self._head

    def _heads(self, x: Floats, layer: _Layer, phases: npt.NDArray[np.complex64]) -> Floats:
        """Return (rows, heads, 3 * head dim): rotated query, rotated key, value."""
        heads = (self._normed(x) @ layer.qkv).reshape(len(x), self.shape.heads, 3 * HEAD_DIM)
        pairs = heads.view(np.complex64)[..., :HEAD_DIM]
        pairs *= phases
        return heads

    def _feed_forward(self, x: Floats, layer: _Layer) -> None:
        """Add the feed-forward part to `x`; the gate comes with its sign changed."""
        both = self._normed(x) @ layer.gate_up
        gate, up = both[:, : self.shape.ff], both[:, self.shape.ff :]
        smooth = np.exp(gate)
        smooth += 1
        up /= smooth
        up *= gate
        x += up @ layer.down

    def _normed(self, x: Floats) -> Floats:
        """Divide by the root of the sum of squares; the width is in the matrices that follow."""
        size = np.vecdot(x, x)
        size += self._eps
        np.sqrt(size, size)
        normed: Floats = x / size[:, None]
        return normed


def _rearranged(tensors: dict[str, Floats], prefix: str, shape: Shape) -> _Layer:
    def matrix(name: str) -> Floats:
        return tensors[f"{prefix}{name}.weight"]

    root = np.float32(shape.width**0.5)
    per_head = (shape.heads, HEAD_DIM, shape.width)
    pairs = np.arange(HEAD_DIM).reshape(2, -1).T.ravel()
    query = matrix("self_attn.q_proj").reshape(per_head)[:, pairs] * np.float32(HEAD_DIM**-0.5)
    key, value = matrix("self_attn.k_proj").reshape(per_head)[:, pairs], matrix("self_attn.v_proj").reshape(per_head)
    qkv = np.concatenate((query, key, value), 1).reshape(-1, shape.width) * (matrix("input_layernorm") * root)
    gate_up = np.concatenate((-matrix("mlp.gate_proj"), matrix("mlp.up_proj"))) * (matrix("post_attention_layernorm") * root)
    parts = (qkv, matrix("self_attn.o_proj"), gate_up, -matrix("mlp.down_proj"))
    return _Layer(*(np.ascontiguousarray(part.T) for part in parts))


def _phases(context: int) -> npt.NDArray[np.complex64]:
    """Return rotations (positions, 1, head dim) for the pairs of a query and of a key."""
    frequencies = ROPE_THETA ** (-np.arange(0, HEAD_DIM, 2) / HEAD_DIM)
    angles = np.arange(context)[:, None] * frequencies
    phases: npt.NDArray[np.complex64] = np.exp(1j * np.concatenate((angles, angles), 1)).astype(np.complex64)
    return phases[:, None]
