"""What token counts say about right and wrong at every node of a `Prior`: likelihoods, and bins for looking ahead."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from onedial.core.outcome import Floats, Ints
from onedial.forecasts.token_signal import CUTS, TokenSignal
from onedial.policies.blocks import LOOKS

_FAR = 2.5
"""Standard scores beyond this count as this: one odd sample must not decide everything."""
BINS = len(CUTS) + 1


class Lengths:
    """Tables of one query; see `TokenSignal` for the model."""

    def __init__(self, signal: TokenSignal, copies: int, weights: Floats) -> None:
        """Lay the signal out over nodes.

        Args:
            signal: Of all sources.
            copies: Nodes that lie side by side for one state.
            weights: (nodes,) chance of each node.
        """
        self._wrong = np.repeat(signal.state, copies, axis=1)
        self._right, self._shared, self._own, self._together = signal.right, signal.shared, signal.own, signal.together
        middle = (self._wrong + 0.5 * self._right[:, None]) @ (weights / weights.sum())
        self._bins = {size: self._table(size, middle) for size in LOOKS}

    def log_likelihood(self, share: Floats, timed: Ints, length: Floats) -> Floats:
        """(H, nodes) log density of the mean lengths seen, all sources together.

        Args:
            share: (H, S) share of each source's samples that are right under each hypothesis.
            timed: (S,) samples with known tokens.
            length: (S,) their mean log tokens less the forecast.
        """
        used = np.flatnonzero(timed)
        deviation = np.sqrt(self._shared[used] + self._own[used] / timed[used])
        mean = self._wrong[used] + self._right[used, None] * share[:, used, None]
        score = np.clip((length[used, None] - mean) / deviation[:, None], -_FAR, _FAR)
        return np.asarray(-0.5 * self.weight(used.size) * (score**2).sum(axis=1))

    def weight(self, sources: int) -> float:
        """What the lengths of so many sources weigh together, each, against one alone: the design effect of their correlation."""
        return 1.0 / (1.0 + (max(sources, 1) - 1) * self._together)

    def density(self, source: int, right: int, length: float, weight: float = 1.0) -> Floats:
        """(nodes,) density of one sample's log tokens less the forecast, up to a factor of its source; raised to a power, its weight."""
        mean = self._wrong[source] + self._right[source] * right
        score = np.clip((length - mean) / np.sqrt(self._shared[source] + self._own[source]), -_FAR, _FAR)
        return np.asarray(np.exp(-0.5 * weight * score**2))

    def bins(self, size: int) -> Floats:
        """(S, size + 1, nodes, BINS) chance of each bin of the mean length of a block with so many right."""
        return self._bins[size]

    def _table(self, size: int, middle: Floats) -> Floats:
        deviation = np.sqrt(self._shared + self._own / size)
        edges = middle[:, None] + np.asarray(CUTS) * deviation[:, None]
        share = np.arange(size + 1) / size
        mean = self._wrong[:, None, :] + self._right[:, None, None] * share[None, :, None]
        below = ndtr((edges[:, None, None, :] - mean[..., None]) / deviation[:, None, None, None])
        padded = np.concatenate((np.zeros_like(below[..., :1]), below, np.ones_like(below[..., :1])), axis=-1)
        return np.asarray(np.diff(padded, axis=-1))
