"""Start a larger model from a trained smaller one, without losing its skill.

Everything that is new begins silent: extra heads and feed-forward units have
zero output weights, extra layers add nothing, extra residual dimensions are
zero. Norm gains shrink by the square root of old over new width, because the
new dimensions dilute the mean square. Training does not live here.

Source: T. Chen, I. Goodfellow, J. Shlens, "Net2Net: accelerating learning via
knowledge transfer", ICLR 2016.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from onedial.lab.shape import Shape

Weights = dict[str, NDArray[np.float32]]

_INPUTS = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
)
_OUTPUTS = ("self_attn.o_proj", "mlp.down_proj")
_NORMS = ("input_layernorm", "post_attention_layernorm")


def grow(weights: Weights, old: Shape, new: Shape, seed: int, noise: float = 0.01) -> Weights:
    """Return weights of shape `new` that compute what `weights` did.

    `noise` is the standard deviation of the new embedding dimensions. At zero
    the logits are preserved up to rounding; a little lets them learn apart.

    Raises:
        ValueError: If any size of `new` is below that of `old`.
    """
    smaller = new.width < old.width or new.layers < old.layers or new.ff < old.ff
    if smaller or new.vocab != old.vocab:
        raise ValueError(f"cannot grow {old} into {new}: every size must stay or rise.")
    rng = np.random.default_rng(seed)
    embedding = _widen(rng, weights["model.embed_tokens.weight"], (new.vocab, new.width), noise)
    grown = {
        "model.embed_tokens.weight": embedding,
        "model.norm.weight": _gains(weights["model.norm.weight"], new.width),
    }
    kept = {layer * new.layers // old.layers: layer for layer in range(old.layers)}
    for layer in range(new.layers):
        source = f"model.layers.{kept[layer]}." if layer in kept else None
        for name, value in _grow_layer(rng, weights, source, new).items():
            grown[f"model.layers.{layer}.{name}.weight"] = value
    return grown


def _grow_layer(rng: np.random.Generator, weights: Weights, source: str | None, new: Shape) -> Weights:
    """Widen the layer whose names begin with `source`, or make a silent one."""
    spread = 0.7 * new.width**-0.5
    layer: Weights = {}
    for name in _INPUTS:
        shape = (new.ff if "mlp" in name else new.width, new.width)
        layer[name] = _widen(rng, _take(weights, source, name, 2), shape, spread)
    for name in _OUTPUTS:
        shape = (new.width, new.ff if "mlp" in name else new.width)
        layer[name] = _widen(rng, _take(weights, source, name, 2), shape, 0.0)
    for name in _NORMS:
        layer[name] = _gains(_take(weights, source, name, 1), new.width)
    return layer


def _take(weights: Weights, source: str | None, name: str, rank: int) -> NDArray[np.float32]:
    if source is None:
        return np.zeros((0,) * rank, np.float32)
    return weights[f"{source}{name}.weight"]


def _widen(rng: np.random.Generator, old: NDArray[np.float32], shape: tuple[int, int], spread: float) -> NDArray[np.float32]:
    """Put `old` into the corner of a matrix of `shape`; the rest is random."""
    wide = rng.normal(0.0, spread, shape).astype(np.float32) if spread else np.zeros(shape)
    wide[: old.shape[0], : old.shape[1]] = old
    return wide.astype(np.float32)


def _gains(old: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Keep what a norm passes on although zeros now dilute its mean square."""
    gains = np.ones(width, np.float32)
    gains[: len(old)] = old * math.sqrt(len(old) / width)
    return gains
