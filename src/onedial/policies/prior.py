"""The forecast latents of one query as tables of log probabilities: what beliefs look up again and again.

Every table runs over *nodes*: the states of the query as a whole (three residual
difficulties, and "beyond every source") times two concentrations of its wrong
answers; eight nodes, those of one state side by side.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from onedial.core.outcome import Floats, Ints
from onedial.core.roc import Roc
from onedial.forecasts.latents import Latents, at_nodes, concentrations
from onedial.policies.blocks import BLOCKS
from onedial.policies.lengths import Lengths

MAX_DRAWS = 64
"""Samples of one source that the tables reach to."""
_AHEAD = 16  # Wrong samples beyond those that the tables of their number reach to: no block or plan is longer.
_RATE_EDGE = 1e-4


class Prior:
    """The forecast latents of one query as tables.

    Attributes:
        p_check: Chance that the verifier has an opinion on the query.
        roc: How often it accepts right and wrong answers, neither of them never or always.
        log_weights: (nodes,) log probability of each node before any sample.
        log_theta: (nodes,) log concentration of the wrong answers.
        log_gamma: (counts,) log of (count - 1)!, a class of that many wrong samples.
        log_rising: (counts, nodes) log of theta (theta + 1) ... over that many wrong samples.
        lengths: What tokens say; None for nothing.
    """

    def __init__(self, latents: Latents, row: int, roc: Roc) -> None:
        """Tabulate the latents of one row, for a verifier of this kind."""
        theta, weights = concentrations(float(latents.agree[row]), latents.trap)
        success, states = at_nodes(latents.mu[[row]], latents.sigma, latents.beyond[[row]], latents.guess)
        mu, kappa = np.repeat(success[0], len(theta), axis=1), latents.kappa[:, None]
        alpha, beta, counts = mu * kappa, (1.0 - mu) * kappa, np.arange(MAX_DRAWS + 1)
        self._right = gammaln(alpha[..., None] + counts) - gammaln(alpha)[..., None]
        self._wrong = gammaln(beta[..., None] + counts) - gammaln(beta)[..., None]
        self._all = gammaln(kappa + counts) - gammaln(kappa)
        self._log_solvable, self._log_hopeless = np.log1p(-latents.pi0), np.log(np.maximum(latents.pi0, 1e-300))
        self.p_check = float(latents.p_check[row])
        self.roc = Roc(*(float(np.clip(p, _RATE_EDGE, 1.0 - _RATE_EDGE)) for p in (roc.p_accept_right, roc.p_accept_wrong)))
        self.log_weights = np.log(np.maximum(np.outer(states[0], weights).ravel(), 1e-12))
        thetas = np.tile(theta, len(states[0]))
        self.log_theta = np.log(thetas)
        many = np.arange(len(latents.pi0) * MAX_DRAWS + _AHEAD + 1)
        self.log_gamma = gammaln(np.maximum(many, 1))
        self.log_rising = gammaln(thetas + many[:, None]) - gammaln(thetas)
        self.lengths = Lengths(latents.signal, len(theta), np.exp(self.log_weights)) if latents.signal else None

    def log_runs(self, right: Ints, draws: Ints) -> Floats:
        """(H, S, nodes) log probability of a run of `draws` samples with `right` right; both (H or 1, S), at most `MAX_DRAWS`."""
        s = np.arange(self._all.shape[0])[None, :]
        r, n = np.broadcast_arrays(right, draws)
        run = self._right[s, :, r] + self._wrong[s, :, n - r] - self._all[s, n][..., None] + self._log_solvable[:, None]
        return np.asarray(np.where((r == 0)[..., None], np.logaddexp(run, self._log_hopeless[:, None]), run))

    def log_blocks(self, right: Ints, draws: Ints, others: Floats) -> Floats:
        """(S, blocks, r, nodes) log probability of all evidence and of r right samples in one more block of one source.

        Args:
            right: (S,) samples that are right under the hypothesis.
            draws: (S,) samples drawn.
            others: (S, nodes) log probability of the other sources' evidence at each node, weight included.
        """
        r = np.arange(max(BLOCKS) + 1)
        b = np.array(BLOCKS)[:, None]
        got = np.minimum(right[:, None, None] + np.minimum(r, b), MAX_DRAWS)
        n = np.minimum(draws[:, None, None] + b, MAX_DRAWS)
        s = np.arange(len(right))[:, None, None]
        run = self._right[s, :, got] + self._wrong[s, :, n - got] - self._all[s, n][..., None] + self._log_solvable[:, None, None, None]
        never = np.flatnonzero(right == 0)
        run[never, :, 0] = np.logaddexp(run[never, :, 0], self._log_hopeless[never, None, None])
        return np.asarray(run + others[:, None, None, :])

    def log_partition(self, classes: Ints, blank: int) -> Floats:
        """(nodes,) log probability that wrong samples fall into classes of these sizes; blanks are singletons."""
        sizes = classes[classes > 0]
        count = len(sizes) + blank
        return np.asarray(count * self.log_theta + self.log_gamma[sizes].sum() - self.log_rising[int(sizes.sum()) + blank])
