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
from scipy.special import gammaln

from onedial.core.outcome import Floats, Ints
from onedial.core.roc import Roc
from onedial.forecasts.latents import NODE_WEIGHTS, Latents, at_nodes, concentrations
from onedial.policies.evidence import Evidence

BLOCKS = (1, 2, 4, 8)
LOOKS = (1, 2)
MAX_DRAWS = 40
_RATE_EDGE = 1e-4
_NEVER = -1e30


@dataclass(frozen=True, slots=True)
class Outlooks:
    """What each block would lead to if one stopped after it, and how it would divide beliefs if one did not.

    Attributes:
        vote: (S, blocks) expected chance that the answer then in the lead is right, without a verifier.
        cover: (S, blocks) expected chance that the right answer has then been seen.
        looks: What small blocks would show, one per size in `LOOKS`.
    """

    vote: Floats
    cover: Floats
    looks: tuple[Look, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """The outcomes of a small block of each source.

    Attributes:
        p: (S, outcomes) chance of each outcome.
        quality: (S, outcomes) chance that the answer then in the lead is right.
        nodes: (S, outcomes, nodes) what is then believed of the residual difficulty.
        missed: (S, nodes) the same if the right answer has still not been seen.
    """

    p: Floats
    quality: Floats
    nodes: Floats
    missed: Floats


class Belief:
    """The posterior of one query. Immutable: new evidence makes a new belief from the same `Prior`."""

    def __init__(self, prior: Prior, evidence: Evidence) -> None:
        """Weigh every hypothesis against the evidence."""
        self.prior, self.evidence = prior, evidence
        votes = evidence.votes
        a = len(evidence.answers)
        right = np.column_stack((votes, np.zeros(len(votes), dtype=np.int64)))
        self._terms = prior.log_runs(right.T, evidence.draws[None, :])
        self._by_node = self._terms.sum(axis=1) + prior.log_weights
        classes = votes.sum(axis=0)
        blank = int(evidence.draws.sum() - classes.sum())
        self._classes, self._verdicts = classes, self._log_verdicts(a)
        partitions = [prior.log_partition(np.delete(classes, h), blank) for h in range(a)] + [prior.log_partition(classes, blank)]
        log = _log_sum(self._by_node + np.stack(partitions)) + self._verdicts
        weight = np.exp(log - log.max())
        self.posterior: Floats = weight / weight.sum()

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
        by_node = self._tables(top := self._leading())
        values = [self._value(by_node[:, :, b], top, _outcomes(size, len(top))) for b, size in enumerate(BLOCKS)]
        looks = [self._look(by_node[:, :, BLOCKS.index(size)], top, _outcomes(size, len(top))) for size in LOOKS]
        return Outlooks(*(np.stack([v[i] for v in values], axis=1) for i in (0, 1)), tuple(looks))

    def at_nodes(self) -> tuple[Floats, Floats]:
        """Value of every block if the residual difficulty were known: vote and cover, each (S, blocks, nodes)."""
        by_node = self._tables(top := self._leading())
        values = [self._value(by_node[:, :, b], top, _outcomes(size, len(top)), apart=True) for b, size in enumerate(BLOCKS)]
        return np.stack([v for v, _ in values], axis=1), np.stack([c for _, c in values], axis=1)

    def _leading(self) -> list[int]:
        """Up to two answers that may grow, most likely first."""
        return [int(h) for h in np.argsort(-self.posterior[:-1])[:2]]

    def _third(self) -> int | None:
        """The most likely answer after those two."""
        order = np.argsort(-self.posterior[:-1])
        return int(order[2]) if len(order) > 2 else None

    def _tables(self, top: list[int]) -> Floats:
        """(4, S, blocks, r, nodes) log likelihood with r of the block right, under: first, second, third answer seen, one not seen."""
        unseen = len(self.evidence.answers)
        return np.stack([self._table(h) for h in (*(top + [None, None])[:2], self._third(), unseen)])

    def _table(self, h: int | None) -> Floats:
        draws = self.evidence.draws
        if h is None:
            return np.full((len(draws), len(BLOCKS), max(BLOCKS) + 1, len(self.prior.log_weights)), _NEVER)
        right = self.evidence.votes[:, h] if h < len(self.evidence.answers) else np.zeros_like(draws)
        return self.prior.log_blocks(right, draws, self._by_node[h] - self._terms[h]) + self._verdicts[h]

    def _value(self, table: Floats, top: list[int], o: _Block, apart: bool = False) -> tuple[Floats, Floats]:
        """Expected best posterior, and expected mass of all answers seen, after a block; each (S,), or (S, nodes) taken apart."""
        mass, covered = self._mass(table, top, o)
        if not apart:
            mass, covered = mass.sum(axis=3), covered.sum(axis=2)
        scale = (covered + mass[-1]).sum(axis=1)
        return mass[:-1].max(axis=0).sum(axis=1) / scale, covered.sum(axis=1) / scale

    def _look(self, table: Floats, top: list[int], o: _Block) -> Look:
        mass, covered = self._mass(table, top, o)
        joint = covered + mass[-1]
        whole, best = joint.sum(axis=2), mass[:-1].sum(axis=3).max(axis=0)
        missed = mass[-1].sum(axis=1)
        return Look(
            p=whole / whole.sum(axis=1, keepdims=True),
            quality=best / np.maximum(whole, 1e-300),
            nodes=joint / np.maximum(whole, 1e-300)[..., None],
            missed=missed / np.maximum(missed.sum(axis=1, keepdims=True), 1e-300),
        )

    def _mass(self, table: Floats, top: list[int], o: _Block) -> tuple[Floats, Floats]:
        """Joint weight of hypothesis and outcome, (hypotheses, S, outcomes, nodes), the last one "not seen"; and the sum of the others."""
        prior, classes = self.prior, self._classes
        first, second = (int(classes[h]) if h is not None else 0 for h in (top + [None, None])[:2])
        third = self._third()
        rest = int(classes[third]) if third is not None else 0
        lg, theta = prior.log_gamma, prior.log_theta
        sizes = (first + o.first, second + o.second, o.new, o.other)
        grown = [np.where(c > 0, lg[c], 0.0)[:, None] + theta * (c > 0)[:, None] for c in sizes]
        fixed = np.delete(classes, top)
        blank = int(self.evidence.draws.sum() - classes.sum())
        whole = sum(grown) + theta * (o.single[:, None] + len(fixed) + blank) + (lg[fixed].sum() + o.log_ways)[:, None]
        total = int(self.evidence.draws.sum()) + o.size
        none, one = np.zeros_like(o.first), np.ones_like(o.first)

        def joint(h: int, right: Ints, own: Floats, mine: Ints) -> Floats:
            return table[h][:, right] + (whole - own - prior.log_rising[total - mine])

        rows = np.stack(
            [
                joint(0, o.first, grown[0], first + o.first),
                joint(1, o.second, grown[1], second + o.second),
                joint(2, none, lg[rest] + theta, rest + none),
                np.where((o.new > 0)[:, None], joint(3, o.new, grown[2], o.new), _NEVER),
                np.where((o.other > 0)[:, None], joint(3, o.other, grown[3], o.other), _NEVER),
                np.where((o.single > 0)[:, None], joint(3, one, theta, one), _NEVER),
                joint(3, none, 0.0 * theta, none),
            ]
        )
        mass = np.exp(rows - rows.max(axis=(0, 2, 3))[None, :, None, None])
        return mass, mass[:5].sum(axis=0) + mass[5] * o.single[:, None]


class Prior:
    """The forecast latents of one query, with tables of everything that beliefs look up again and again."""

    def __init__(self, latents: Latents, row: int, roc: Roc) -> None:
        """Tabulate the latents of one row."""
        theta, weights = concentrations(float(latents.agree[row]), latents.trap)
        mu, kappa = np.repeat(at_nodes(latents.mu[row], latents.sigma), len(theta), axis=1), latents.kappa[:, None]
        alpha, beta, counts = mu * kappa, (1.0 - mu) * kappa, np.arange(MAX_DRAWS + 1)
        self._right = gammaln(alpha[..., None] + counts) - gammaln(alpha)[..., None]
        self._wrong = gammaln(beta[..., None] + counts) - gammaln(beta)[..., None]
        self._all = gammaln(kappa + counts) - gammaln(kappa)
        self._log_solvable, self._log_hopeless = np.log1p(-latents.pi0), np.log(np.maximum(latents.pi0, 1e-300))
        self.p_check = float(latents.p_check[row])
        self.roc = Roc(*(float(np.clip(p, _RATE_EDGE, 1.0 - _RATE_EDGE)) for p in (roc.p_accept_right, roc.p_accept_wrong)))
        self.log_weights = np.log(np.outer(NODE_WEIGHTS, weights).ravel())
        thetas = np.tile(theta, len(NODE_WEIGHTS))
        self.log_theta = np.log(thetas)
        many = np.arange(len(latents.pi0) * MAX_DRAWS + 2)
        self.log_gamma = gammaln(np.maximum(many, 1))
        self.log_rising = gammaln(thetas + many[:, None]) - gammaln(thetas)

    def log_runs(self, right: Ints, draws: Ints) -> Floats:
        """(H, S, nodes) log probability of a run of `draws` with `right` right; both (H or 1, S)."""
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


def _log_sum(log: Floats) -> Floats:
    """Log of the sum of exponentials over the last axis."""
    top = log.max(axis=-1, keepdims=True)
    return np.asarray((top + np.log(np.exp(log - top).sum(axis=-1, keepdims=True)))[..., 0])


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
