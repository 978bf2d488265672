"""What is believed of one query: which answer is right, and what a block of further samples would be worth.

Hypotheses are "answer a is the right one", for every answer seen, and "the right
answer has not been seen". Under a hypothesis the votes for the right answer follow
the forecast latents (beta-binomial per source, given a state of the query that all
share: a residual difficulty, or "beyond every source"), and the wrong votes of all
sources together fall into classes like guests of a Chinese restaurant of uncertain
concentration, because models err alike. State and concentration are the nodes of
`Prior`. Everything is closed-form: the value of a block is the expectation of the
best posterior over all outcomes of the block.

S is the number of sources, A that of distinct answers seen.

Source: THEORY.md sections 1 and 2; the partition probability is Ewens 1972.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onedial.core.outcome import Floats, Ints
from onedial.policies.blocks import BLOCKS, LOOKS, Outcomes, outcomes_of
from onedial.policies.evidence import Evidence
from onedial.policies.prior import Prior

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
    """The outcomes of a small block of each source; the last one stands for all that are not enumerated.

    Attributes:
        p: (S, outcomes) chance of each outcome.
        quality: (S, outcomes) chance that the answer then in the lead is right.
        nodes: (S, outcomes, nodes) what is then believed of the nodes of `Prior`; sums to 1 over nodes.
        missed: (S, nodes) the same if the right answer has still not been seen.
    """

    p: Floats
    quality: Floats
    nodes: Floats
    missed: Floats


class Belief:
    """The posterior of one query. Immutable: new evidence makes a new belief from the same `Prior`.

    Attributes:
        prior: What was forecast.
        evidence: What has been seen.
        posterior: (A + 1,) chance of each hypothesis: every answer seen is the right one, and last that the right one has not been seen.
    """

    def __init__(self, prior: Prior, evidence: Evidence) -> None:
        """Weigh every hypothesis against the evidence."""
        self.prior, self.evidence = prior, evidence
        votes = evidence.votes
        a = len(evidence.answers)
        right = np.column_stack((votes, np.zeros(len(votes), dtype=np.int64)))
        self._terms = prior.log_runs(right.T, evidence.draws[None, :])
        self._by_node = self._terms.sum(axis=1) + prior.log_weights
        if prior.lengths and evidence.timed.any():
            share = right.T / np.maximum(evidence.draws, 1)
            self._by_node = self._by_node + prior.lengths.log_likelihood(share, evidence.timed, evidence.length)
        classes = votes.sum(axis=0)
        blank = int(evidence.draws.sum() - classes.sum())
        self._classes, self._blank, self._verdicts = classes, blank, self._log_verdicts(a)
        partitions = [prior.log_partition(np.delete(classes, h), blank) for h in range(a)] + [prior.log_partition(classes, blank)]
        self._joint: Floats = self._by_node + np.stack(partitions) + self._verdicts[:, None]
        log = _log_sum(self._joint)
        weight = np.exp(log - log.max())
        self.posterior: Floats = weight / weight.sum()
        self._order = [int(h) for h in np.argsort(-self.posterior[:-1])]

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
    def by_hypothesis(self) -> Floats:
        """(A + 1, nodes) log weight of every hypothesis at every node of the prior; only differences mean anything."""
        return self._joint

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
        """Value every block of every source, in expectation over what it may bring.

        The largest block is for a fresh query; later on its column repeats the one before, since going on by smaller
        blocks can do all that it could.
        """
        by_node = self._tables(top := self._leading())
        sizes = BLOCKS[:-1] if self.evidence.draws.any() else BLOCKS
        weighed = [self._weigh(by_node[:, :, b], top, self._outcomes(size, top)) for b, size in enumerate(sizes)]
        values = [self._value(weights.summed(), top) for weights in weighed]
        values += values[-1:] * (len(BLOCKS) - len(sizes))
        vote, cover = (np.stack([v[i] for v in values], axis=1) for i in (0, 1))
        looks = tuple(self._look(weighed[BLOCKS.index(size)], self._outcomes(size, top), top) for size in LOOKS)
        for size, look in zip(LOOKS, looks, strict=True):  # tokens seen on the way may change which answer is in the lead
            vote[:, BLOCKS.index(size)] = np.maximum(vote[:, BLOCKS.index(size)], (look.p * look.quality).sum(axis=1))
        return Outlooks(vote, cover, looks)

    def at_nodes(self) -> tuple[Floats, Floats]:
        """Value of every block if the node were known: vote and cover as in `Outlooks`, each (S, blocks, nodes)."""
        by_node = self._tables(top := self._leading())
        weighed = [self._weigh(by_node[:, :, b], top, self._outcomes(size, top)) for b, size in enumerate(BLOCKS)]
        values = [self._value(weights, top) for weights in weighed]
        return np.stack([v for v, _ in values], axis=1), np.stack([c for _, c in values], axis=1)

    def _outcomes(self, size: int, top: list[int]) -> Outcomes:
        return outcomes_of(size, len(top), len(self.evidence.answers) > len(top))

    def _leading(self) -> list[int]:
        """Up to two answers that may grow, most likely first."""
        return self._order[:2]

    def _third(self) -> int | None:
        """The most likely answer after those two."""
        return self._order[2] if len(self._order) > 2 else None

    def _tables(self, top: list[int]) -> Floats:
        """(4, S, blocks, r, nodes) log likelihood with r of the block right, under: first, second, third answer seen, one not seen."""
        unseen = len(self.evidence.answers)
        return np.stack([self._table(h) for h in (*[*top, None, None][:2], self._third(), unseen)])

    def _table(self, h: int | None) -> Floats:
        draws = self.evidence.draws
        if h is None:
            return np.full((len(draws), len(BLOCKS), max(BLOCKS) + 1, len(self.prior.log_weights)), _NEVER)
        right = self.evidence.votes[:, h] if h < len(self.evidence.answers) else np.zeros_like(draws)
        table: Floats = self.prior.log_blocks(right, draws, self._by_node[h] - self._terms[h]) + self._verdicts[h]
        return table

    def _value(self, w: _Weights, top: list[int]) -> tuple[Floats, Floats]:
        """Expected best posterior, and expected chance that the right answer has been seen; each (S,), or (S, nodes) if not summed.

        In outcomes that are not enumerated the answer that is then likeliest on the whole is kept: a lower bound.
        """
        whole = w.known.sum(axis=0)
        rest = np.maximum(w.known[:-1] - self._enumerated(w.mass, top), 0.0).max(axis=0) if len(w.known) > 1 else 0.0
        return (w.mass[:-1].max(axis=0).sum(axis=1) + rest) / whole, 1.0 - w.missed / whole

    def _look(self, w: _Weights, o: Outcomes, top: list[int]) -> Look:
        mass = self._with_lengths(w, o)
        joint = mass[:5].sum(axis=0) + mass[5] * np.tile(w.alone, mass.shape[2] // len(w.alone))[:, None] + mass[6]
        left = np.maximum(w.known.sum(axis=0) - joint.sum(axis=1), 0.0)
        lead = np.zeros(len(left))
        if len(w.known) > 1:
            lead = np.maximum(w.known[:-1] - self._enumerated(w.mass, top), 0.0).sum(axis=2).max(axis=0)
        joint = np.concatenate((joint, left[:, None]), axis=1)
        best = np.column_stack((mass[:-1].sum(axis=3).max(axis=0), lead))
        whole = np.maximum(joint.sum(axis=2), 1e-300)
        return Look(
            p=whole / whole.sum(axis=1, keepdims=True),
            quality=np.minimum(best / whole, 1.0),
            nodes=joint / whole[..., None],
            missed=w.missed / np.maximum(w.missed.sum(axis=1, keepdims=True), 1e-300),
        )

    def _with_lengths(self, w: _Weights, o: Outcomes) -> Floats:
        """(7, S, bins x outcomes, nodes) the masses, divided by how long a block of a fresh source would be."""
        if self.prior.lengths is None:
            return w.mass
        bins = self.prior.lengths.bins(o.size)
        even = np.where((self.evidence.draws > 0)[:, None, None, None], 1.0 / bins.shape[3], bins)
        none, one = np.zeros_like(o.first), np.ones_like(o.first)
        right = np.stack((o.first, o.second, none, o.new, o.other, one, none))
        shares = even[:, right].transpose(1, 0, 4, 2, 3)
        return np.asarray((w.mass[:, :, None] * shares).reshape(*w.mass.shape[:2], -1, w.mass.shape[3]))

    def _enumerated(self, mass: Floats, top: list[int]) -> Floats:
        """(A, S, ...) weight of each answer seen in the outcomes that are enumerated."""
        found = np.zeros((len(self.evidence.answers), *mass.sum(axis=2).shape[1:]))
        third = self._third()
        for row, h in enumerate([*top, *([] if third is None else [third])]):
            found[h] = mass[row].sum(axis=1)
        return found

    def _weigh(self, table: Floats, top: list[int], o: Outcomes) -> _Weights:
        """Weigh hypotheses and outcomes of a block, on one scale per source."""
        prior, classes = self.prior, self._classes
        first, second = (int(classes[h]) if h is not None else 0 for h in [*top, None, None][:2])
        third = self._third()
        rest = int(classes[third]) if third is not None else 0
        lg, theta = prior.log_gamma, prior.log_theta
        sizes = (first + o.first, second + o.second, o.new, o.other)
        grown = [np.where(c > 0, lg[c], 0.0)[:, None] + theta * (c > 0)[:, None] for c in sizes]
        fixed = np.delete(classes, top)
        others = int(fixed.sum())
        joined = lg[others + o.rest] - lg[others] if others else 0.0
        whole = sum(grown) + theta * (o.single[:, None] + len(fixed) + self._blank) + (lg[fixed].sum() + joined + o.log_ways)[:, None]
        total = int(self.evidence.draws.sum()) + o.size
        none, one = np.zeros_like(o.first), np.ones_like(o.first)

        def joint(h: int, right: Ints, own: Floats, mine: Ints) -> Floats:
            log: Floats = table[h][:, right] + (whole - own - prior.log_rising[total - mine])
            return log

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
        missed = table[3][:, 0] + (self._joint[-1] - self._by_node[-1])
        scale = np.maximum(rows.max(axis=(0, 2, 3)), self._joint.max())
        return _Weights(
            mass=np.exp(rows - scale[None, :, None, None]),
            known=np.exp(self._joint[:, None] - scale[None, :, None]),
            missed=np.exp(missed - scale[:, None]),
            alone=o.single,
        )


@dataclass(frozen=True, slots=True)
class _Weights:
    """How likely hypotheses and outcomes of a block are together.

    Attributes:
        mass: (7, S, outcomes, nodes) the right answer is the first, second or third seen, the new one, the other new
            one, one of those that stay alone, or has still not been seen.
        known: (A + 1, S, nodes) each hypothesis, whatever the outcome.
        missed: (S, nodes) the right answer has still not been seen, whatever the outcome.
        alone: (outcomes,) samples that stay alone.
    """

    mass: Floats
    known: Floats
    missed: Floats
    alone: Ints

    def summed(self) -> _Weights:
        """The same over all nodes."""
        return _Weights(self.mass.sum(axis=3), self.known.sum(axis=2), self.missed.sum(axis=1), self.alone)


def _log_sum(log: Floats) -> Floats:
    """Log of the sum of exponentials over the last axis."""
    top = log.max(axis=-1, keepdims=True)
    return np.asarray((top + np.log(np.exp(log - top).sum(axis=-1, keepdims=True)))[..., 0])
