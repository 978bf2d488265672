"""The Llama network in torch, for training only.

Attention is plain matrix products: on short rows that is more than twice as
fast on a CPU as the fused kernel's backward pass. Running the trained models
needs no torch and is done elsewhere.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from onedial.lab.shape import HEAD_DIM, NORM_EPS, ROPE_THETA, Shape


class Attention(nn.Module):
    """Masked self-attention with rotary positions."""

    def __init__(self, shape: Shape) -> None:
        """Make the four projections."""
        super().__init__()
        self.heads = shape.heads
        self.q_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.k_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.v_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.o_proj = nn.Linear(shape.width, shape.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        """Mix `x` (rows, length, width) under an additive `mask` (rows, 1, length, length)."""
        rows, length, width = x.shape
        q, k, v = (
            F.linear(x, torch.cat((self.q_proj.weight, self.k_proj.weight, self.v_proj.weight)))
            .view(rows, length, 3, self.heads, HEAD_DIM)
            .permute(2, 0, 3, 1, 4)
        )
        q, k = rotate(q, cos, sin) * HEAD_DIM**-0.5, rotate(k, cos, sin)
        weights = (q @ k.transpose(-1, -2) + mask).softmax(-1, dtype=v.dtype)
        out: Tensor = self.o_proj((weights @ v).transpose(1, 2).reshape(rows, length, width))
        return out


class FeedForward(nn.Module):
    """SwiGLU."""

    def __init__(self, shape: Shape) -> None:
        """Make the three projections."""
        super().__init__()
        self.gate_proj = nn.Linear(shape.width, shape.ff, bias=False)
        self.up_proj = nn.Linear(shape.width, shape.ff, bias=False)
        self.down_proj = nn.Linear(shape.ff, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Transform each position on its own."""
        both = F.linear(x, torch.cat((self.gate_proj.weight, self.up_proj.weight)))
        gate, up = both.chunk(2, -1)
        out: Tensor = self.down_proj(F.silu(gate) * up)
        return out


class Layer(nn.Module):
    """One block; its names are those of Hugging Face Llama checkpoints."""

    def __init__(self, shape: Shape) -> None:
        """Make attention, feed-forward and their norms."""
        super().__init__()
        self.input_layernorm = nn.RMSNorm(shape.width, NORM_EPS)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = nn.RMSNorm(shape.width, NORM_EPS)
        self.mlp = FeedForward(shape)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        """Add what the block has to say."""
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class Body(nn.Module):
    """Embedding, layers and the last norm."""

    def __init__(self, shape: Shape) -> None:
        """Make everything that a checkpoint calls `model`."""
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocab, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, NORM_EPS)


class Network(nn.Module):
    """A causal language model; its head is its embedding."""

    def __init__(self, shape: Shape) -> None:
        """Initialise for Muon: orthogonal-ish inputs, silent outputs."""
        super().__init__()
        self.shape = shape
        self.model = Body(shape)
        nn.init.normal_(self.model.embed_tokens.weight, std=0.05)
        for name, weight in self.model.layers.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                nn.init.zeros_(weight)
            elif weight.ndim == 2:
                nn.init.normal_(weight, std=0.7 * shape.width**-0.5)

    def forward(self, tokens: Tensor, positions: Tensor, allowed: Tensor) -> Tensor:
        """Return the last hidden states (rows, length, width)."""
        cos, sin = rope(positions)
        mask = torch.zeros(allowed.shape).masked_fill_(~allowed, -1e9)[:, None]
        if torch.is_autocast_enabled("cpu"):
            mask, cos, sin = mask.bfloat16(), cos.bfloat16(), sin.bfloat16()
        x = self.model.embed_tokens(tokens)
        for layer in self.model.layers:
            x = layer(x, cos, sin, mask)
        out: Tensor = self.model.norm(x)
        return out

    def logits(self, hidden: Tensor) -> Tensor:
        """Score every vocabulary piece with the tied head."""
        return F.linear(hidden, self.model.embed_tokens.weight)


def rope(positions: Tensor) -> tuple[Tensor, Tensor]:
    """Return cosines and sines (rows, 1, length, head dim), half-split."""
    frequencies = ROPE_THETA ** (-torch.arange(0, HEAD_DIM, 2) / HEAD_DIM)
    angles = positions[:, None, :, None] * frequencies
    angles = torch.cat((angles, angles), -1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate queries or keys to their positions."""
    one, two = x.chunk(2, -1)
    return x * cos + torch.cat((-two, one), -1) * sin
