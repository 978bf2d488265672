"""The sizes of the embedded models, and how many parameters each one has.

Only shapes live here: the weights are files, the arithmetic that runs them is
elsewhere. Every model is a plain Llama: RMSNorm (eps 1e-5), rotary positions
(theta 10000, the half-split convention), SwiGLU, tied embeddings, no biases.
"""

from __future__ import annotations

from dataclasses import dataclass

HEAD_DIM = 32
NORM_EPS = 1e-5
ROPE_THETA = 10_000.0


@dataclass(frozen=True, slots=True)
class Shape:
    """One rung of the model ladder.

    All widths are multiples of 32, so that block-quantised formats apply.
    """

    name: str
    width: int
    layers: int
    heads: int
    ff: int
    vocab: int = 320
    context: int = 256

    def __post_init__(self) -> None:
        """Refuse a shape whose heads do not tile its width."""
        if self.heads * HEAD_DIM != self.width:
            raise ValueError(f"shape {self.name!r} has width {self.width} and {self.heads} heads; expected width = heads * {HEAD_DIM}.")

    @property
    def parameters(self) -> int:
        """Count the parameters; the tied embedding counts once.

        >>> SHAPES["tiny"].parameters
        127296
        """
        attention = 4 * self.width * self.width
        feed_forward = 3 * self.width * self.ff
        norms = 2 * self.width
        embedding = self.vocab * self.width
        return embedding + self.layers * (attention + feed_forward + norms) + self.width


SHAPES: dict[str, Shape] = {
    shape.name: shape
    for shape in (
        Shape("tiny", width=64, layers=2, heads=2, ff=192),
        Shape("small", width=96, layers=4, heads=3, ff=256),
        Shape("medium", width=128, layers=6, heads=4, ff=352),
        Shape("large", width=192, layers=8, heads=6, ff=512),
    )
}
