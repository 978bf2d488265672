"""What is believed of one query: which answer is right, and what a block of further samples would be worth.

Hypotheses are "answer a is the right one", for every answer seen, and "the right
answer has not been seen". Under a hypothesis the votes for the right answer follow
the forecast latents (beta-binomial per source, a residual difficulty shared by
all), and the wrong votes of all sources together fall into classes like guests of
a Chinese restaurant, because models err alike. Everything is closed-form: the
value of a block is the expectation of the best posterior over all outcomes of the block.

Source: THEORY.md sections 1 and 2; the partition probability is Ewens 1972.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import gammaln, logsumexp

from onedial.core.outcome import Floats, Ints
from onedial.core.roc import Roc
from onedial.forecasts.latents import NODE_WEIGHTS, Latents, at_nodes
from onedial.policies.evidence import Evidence

BLOCKS = (1, 2, 4, 8)
MAX_DRAWS = 40
_LOG_NODES = np.log(NODE_WEIGHTS)
_RATE_EDGE = 1e-4
_NEVER = -1e30


@dataclass(frozen=True, slots=True)
class Outlooks:
    """What each block would lead to if one stopped after it.

    Attributes:
        quality: (S, len(BLOCKS)) expected quality of the answer then in the lead.
    """

    quality: Floats


class Belief:
    """The posterior of one query. Immutable: new evidence makes a new belief from the same `Prior`."""

    def __init__(self, prior: Prior, evidence: Evidence) -> None:
        """Weigh every hypothesis against the evidence."""
        self.prior, self.evidence = prior, evidence
        votes = evidence.votes
        a = len(evidence.answers)
        right = np.column_stack((votes, np.zeros(len(votes), dtype=np.int64)))
        self._terms = prior.log_runs(right.T, evidence.draws[None, :])
        self._by_node = self._terms.sum(axis=1) + _LOG_NODES
        classes = votes.sum(axis=0)
        blank = int(evidence.draws.sum() - classes.sum())
        self._classes, self._verdicts = classes, self._log_verdicts(a)
        log = logsumexp(self._by_node, axis=1) + self._verdicts
        log += np.array([prior.log_partition(np.delete(classes, h), blank) for h in range(a)] + [prior.log_partition(classes, blank)])
        self.posterior: Floats = np.exp(log - logsumexp(log))

    def _log_verdicts(self, a: int) -> Floats:
        """Log likelihood of the verifier's scores under each hypothesis."""
        log = np.zeros(a + 1)
        for b, score in enumerate(self.evidence.scores):
            if np.isfinite(score):
                wrong, right = (np.log(self.prior.roc.likelihood(score >= 0.5, is_right)) for is_right in (False, True))
                log += wrong
                log[b] += right - wrong
        return log

    @property
    def leader(self) -> int | None:
        """The answer most likely to be right, an index into the evidence's answers; None if there is none yet."""
        return int(self.posterior[:-1].argmax()) if len(self.posterior) > 1 else None

    @property
    def quality(self) -> float:
        """Chance that the leader is right; 0 without one."""
        return float(self.posterior[:-1].max()) if len(self.posterior) > 1 else 0.0

    @property
    def p_check(self) -> float:
        """Chance that the verifier has an opinion on this query."""
        judged = self.evidence.judged
        return self.prior.p_check if judged is None else float(judged)

    def outlooks(self) -> Outlooks:
        """Value every block of every source, in expectation over what it may bring."""
        prior, top = self.prior, self._leading()
        tables = self._tables(top)
        quality = np.zeros((len(self.evidence.draws), len(BLOCKS)))
        for b, block in enumerate(BLOCKS):
            vote, cover = self._value(tables[..., b, :], top, _outcomes(block, len(top)))
            checked = prior.roc.p_accept_right * cover + (1.0 - prior.roc.p_accept_right) * vote
            quality[:, b] = self.p_check * checked + (1.0 - self.p_check) * vote
        return Outlooks(quality)

    def _leading(self) -> list[int]:
        """Up to two answers that may grow, most likely first."""
        return [int(h) for h in np.argsort(-self.posterior[:-1])[:2]]

    def _third(self) -> int | None:
        """The most likely answer after those two."""
        order = np.argsort(-self.posterior[:-1])
        return int(order[2]) if len(order) > 2 else None

    def _tables(self, top: list[int]) -> Floats:
        """(4, S, blocks, r) log likelihood with r of the block right, under: first, second, third answer seen, one not seen."""
        unseen = len(self.evidence.answers)
        return np.stack([self._table(h) for h in (*(top + [None, None])[:2], self._third(), unseen)])

    def _table(self, h: int | None) -> Floats:
        draws = self.evidence.draws
        if h is None:
            return np.full((len(draws), len(BLOCKS), max(BLOCKS) + 1), _NEVER)
        right = self.evidence.votes[:, h] if h < len(self.evidence.answers) else np.zeros_like(draws)
        return self.prior.log_blocks(right, draws, self._by_node[h] - self._terms[h]) + self._verdicts[h]

    def _value(self, table: Floats, top: list[int], o: _Block) -> tuple[Floats, Floats]:
        """Expected best posterior, and expected mass of all answers seen, after a block; each (S,)."""
        prior, classes = self.prior, self._classes
        first, second = (int(classes[h]) if h is not None else 0 for h in (top + [None, None])[:2])
        fixed = np.delete(classes, top)
        blank = int(self.evidence.draws.sum() - classes.sum())
        total = int(classes.sum()) + blank + o.size
        lg, log_theta = prior.log_gamma, prior.log_theta
        grown_first = lg[first + o.first] * (first + o.first > 0) + log_theta * (first + o.first > 0)
        grown_second = lg[second + o.second] * (second + o.second > 0) + log_theta * (second + o.second > 0)
        new, other = ((lg[c] + log_theta) * (c > 0) for c in (o.new, o.other))
        single = log_theta * o.single
        base = float(lg[fixed].sum() + log_theta * len(fixed))
        whole = base + grown_first + grown_second + new + other + single
        third = self._third()
        rest = int(classes[third]) if third is not None else 0
        one = np.array(1.0)

        def joint(h: int, right: Ints, out: Floats, mine: int | Ints) -> Floats:
            wrong = total - mine
            log = table[h][:, right] + (whole - out - prior.log_rising[wrong]) + o.log_ways
            return np.asarray(log)

        rows = [
            joint(0, o.first, grown_first, first + o.first),
            joint(1, o.second, grown_second, second + o.second),
            joint(2, np.zeros_like(o.first), (lg[rest] + log_theta) * one, rest),
            np.where(o.new > 0, joint(3, o.new, new, o.new), _NEVER),
            np.where(o.other > 0, joint(3, o.other, other, o.other), _NEVER),
            np.where(o.single > 0, joint(3, np.ones_like(o.first), log_theta * one, 1), _NEVER),
            joint(3, np.zeros_like(o.first), 0.0 * one, 0),
        ]
        mass = np.exp(np.stack(rows) - max(float(r.max()) for r in rows))
        covered = mass[:5].sum(axis=0) + mass[5] * o.single
        scale = (covered + mass[6]).sum(axis=1)
        return mass[:6].max(axis=0).sum(axis=1) / scale, covered.sum(axis=1) / scale


class Prior:
    """The forecast latents of one query, with tables of everything that beliefs look up again and again."""

    def __init__(self, latents: Latents, row: int, roc: Roc) -> None:
        """Tabulate the latents of one row."""
        mu, kappa = at_nodes(latents.mu[row], latents.sigma), latents.kappa[:, None]
        alpha, beta, counts = mu * kappa, (1.0 - mu) * kappa, np.arange(MAX_DRAWS + 1)
        self._right = gammaln(alpha[..., None] + counts) - gammaln(alpha)[..., None]
        self._wrong = gammaln(beta[..., None] + counts) - gammaln(beta)[..., None]
        self._all = gammaln(kappa + counts) - gammaln(kappa)
        self._log_solvable, self._log_hopeless = np.log1p(-latents.pi0), np.log(np.maximum(latents.pi0, 1e-300))
        theta = float(latents.theta[row])
        self.p_check = float(latents.p_check[row])
        self.roc = Roc(*(float(np.clip(p, _RATE_EDGE, 1.0 - _RATE_EDGE)) for p in (roc.p_accept_right, roc.p_accept_wrong)))
        self.log_theta = float(np.log(theta))
        many = np.arange(len(latents.pi0) * MAX_DRAWS + 2)
        self.log_gamma = gammaln(np.maximum(many, 1))
        self.log_rising = gammaln(theta + many) - gammaln(theta)

    def log_runs(self, right: Ints, draws: Ints) -> Floats:
        """(H, S, nodes) log probability of a run of `draws` with `right` right; both (H or 1, S)."""
        s = np.arange(self._all.shape[0])[None, :]
        r, n = np.broadcast_arrays(right, draws)
        run = self._right[s, :, r] + self._wrong[s, :, n - r] - self._all[s, n][..., None] + self._log_solvable[:, None]
        return np.asarray(np.where((r == 0)[..., None], np.logaddexp(run, self._log_hopeless[:, None]), run))

    def log_blocks(self, right: Ints, draws: Ints, others: Floats) -> Floats:
        """(S, blocks, r) log probability of all evidence and of r right samples in one more block of one source.

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
        run = np.where((got == 0)[..., None], np.logaddexp(run, self._log_hopeless[:, None, None, None]), run)
        return np.asarray(logsumexp(run + others[:, None, None, :], axis=3))

    def log_partition(self, classes: Ints, blank: int) -> float:
        """Log probability that wrong samples fall into classes of these sizes; blanks are singletons."""
        sizes = classes[classes > 0]
        count = len(sizes) + blank
        return float(count * self.log_theta + self.log_gamma[sizes].sum() - self.log_rising[int(sizes.sum()) + blank])


@dataclass(frozen=True, slots=True)
class _Block:
    """All outcomes of a block: how many samples join the first and second answer, form one or two new ones, or stay alone."""

    size: int
    first: Ints
    second: Ints
    new: Ints
    other: Ints
    single: Ints
    log_ways: Floats


@lru_cache
def _outcomes(size: int, seen: int) -> _Block:
    """Enumerate them where `seen` of the two answers exist; three new answers of several samples each are left out, being rare."""
    rows = [
        (first, second, new, other, size - first - second - new - other)
        for first in range(size + 1 if seen > 0 else 1)
        for second in range(size + 1 - first if seen > 1 else 1)
        for new in (0, *range(2, size - first - second + 1))
        for other in (0, *range(2, min(new, size - first - second - new) + 1))
    ]
    parts = np.array(rows, dtype=np.int64).T
    ways = gammaln(size + 1) - gammaln(parts + 1).sum(axis=0) - np.log(2.0) * ((parts[2] == parts[3]) & (parts[3] > 0))
    return _Block(size, *parts, ways)
