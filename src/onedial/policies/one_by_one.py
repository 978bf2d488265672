"""What going on with one source is worth if every sample is followed by a decision: an exact plan, a fixed number of samples deep.

A block is valued as if one stopped after it, whatever it shows. Whoever draws one by
one stops as soon as the vote is settled, and pays for a fraction of the block: a
second vote costs one sample where it agrees, and several only where it does not.
Here that plan is solved by backward induction over what the next samples may bring
to the answer in the lead, to the one after it (or the first new one), and to all
others together. Lumping the others keeps the probabilities exact, since what joins
them is again an urn; that one of the others may overtake both is left out, which
values going on too low, never too high, and most where votes scatter (a block taken
in pieces is then the better bound). Nothing here knows prices of blocks, caps or
other sources.

Source: THEORY.md section 1, sequential form; backward induction, Bellman 1957.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import gammaln

from onedial.core.outcome import Floats, Ints
from onedial.policies.belief import Belief
from onedial.policies.evidence import Evidence
from onedial.policies.prior import MAX_DRAWS, Prior

HORIZON = 12
"""Samples looked ahead; after as many, one stops."""


@dataclass(frozen=True, slots=True)
class Course:
    """What the next samples of one source may bring, one particular order of each outcome.

    Attributes:
        mass: (states of `lattice`, 2) chance of the order and that the right answer is the one in the lead, or the one after it.
        whole: (states,) chance of the order.
        second: Whether there is an answer after the lead already.
        reach: Samples ahead that the tables of the prior allow.
    """

    mass: Floats
    whole: Floats
    second: bool
    reach: int

    def going_on(self, worth: float, cost: float, left: int) -> float:
        """Value of drawing one more sample and deciding again, net of all that is then drawn, in the unit of `worth`.

        Args:
            worth: Of being right.
            cost: Of each sample.
            left: Samples that may still be drawn; none is minus infinity.
        """
        deep = min(self.reach, left)
        if deep < 1:
            return -np.inf
        plan, best = lattice(), worth * self.mass.max(axis=1)
        value = best[plan.layer(deep)]
        for k in range(deep - 1, -1, -1):
            here, after = plan.layer(k), value[plan.after[k]]
            if not self.second:  # the first other answer is the second one, and cannot be lumped before it exists
                after[plan.state[here, 1] == 0, 2] = 0.0
            draw = after.sum(axis=1) - cost * self.whole[here]
            value = np.maximum(best[here], draw)
        return float(draw[0])


@dataclass(frozen=True, slots=True)
class Lattice:
    """Everything that up to `HORIZON` samples may bring, by how many.

    Attributes:
        state: (states, 3) samples that join the lead, the second, and the rest; by rising sum.
        start: (HORIZON + 2,) first state of each sum.
        after: Per sum but the last, (states of it, 3) where one more sample leads among those of the next sum.
        row: (parts,) states again, once for every number of the rest that may be right.
        right: (parts,) that number.
        log_ways: (parts,) log of the ways to choose them.
    """

    state: Ints
    start: Ints
    after: tuple[Ints, ...]
    row: Ints
    right: Ints
    log_ways: Floats

    def layer(self, k: int) -> slice:
        """The states of k samples."""
        return slice(int(self.start[k]), int(self.start[k + 1]))


@lru_cache(maxsize=1)
def lattice() -> Lattice:
    """Lay the states out."""
    layers = [[(a, b, k - a - b) for a in range(k + 1) for b in range(k - a + 1)] for k in range(HORIZON + 1)]
    place = [{state: i for i, state in enumerate(layer)} for layer in layers]
    after = tuple(
        np.array([[then[a + 1, b, c], then[a, b + 1, c], then[a, b, c + 1]] for a, b, c in layer], dtype=np.int64)
        for layer, then in zip(layers, place[1:], strict=False)
    )
    state = np.array([s for layer in layers for s in layer], dtype=np.int64)
    row = np.repeat(np.arange(len(state)), state[:, 2] + 1)
    right = np.concatenate([np.arange(c + 1) for c in state[:, 2]])
    rest = state[row, 2]
    ways = gammaln(rest + 1) - gammaln(right + 1) - gammaln(rest - right + 1)
    return Lattice(state, np.cumsum([0, *map(len, layers)]), after, row, right, ways)


def course_of(belief: Belief) -> Course | None:
    """Lay out what the next samples may bring; None without an answer, with several sources, or where scores have been seen."""
    evidence = belief.evidence
    if len(evidence.draws) != 1 or not evidence.answers or np.isfinite(evidence.scores).any():
        return None
    sizes, drawn = evidence.votes[0], int(evidence.draws[0])
    order = np.argsort(-belief.posterior[:-1], kind="stable")
    joint = np.exp(belief.by_hypothesis - belief.by_hypothesis.max())
    joint /= joint.sum()
    urn = _Urn(belief.prior, drawn, int(sizes[order[0]]), int(sizes[order[1]]) if len(order) > 1 else 0)
    others = np.delete(joint, order[:2], axis=0).sum(axis=0)
    lead = urn.lead_right() @ joint[order[0]]
    after = urn.second_right() @ joint[order[1]] if urn.second else urn.new_right() @ others
    whole = lead + after + np.add.reduceat(urn.neither_right() @ others, np.flatnonzero(lattice().right == 0))
    return Course(np.column_stack((lead, after)), whole, bool(urn.second), min(HORIZON, MAX_DRAWS - drawn))


def first_course(prior: Prior) -> Course | None:
    """Lay out what may follow the first sample of a fresh query, whatever it answers."""
    one, none = np.ones(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    return course_of(Belief(prior, Evidence(("",), one[:, None], one, np.full(1, np.nan), none, np.zeros(1))))


@dataclass(frozen=True, slots=True)
class _Urn:
    """Chances of one order of each state, by node of the prior, under each hypothesis.

    Attributes:
        prior: Of the query.
        drawn: Samples so far.
        lead: Votes of the leading answer.
        second: Votes of the second; 0 if there is none.
    """

    prior: Prior
    drawn: int
    lead: int
    second: int

    def lead_right(self) -> Floats:
        a, b, c = lattice().state.T
        return np.asarray(np.exp(self._run(self.lead, a, a + b + c) + self._wrong(self.drawn - self.lead, ((self.second, b),), c)))

    def second_right(self) -> Floats:
        a, b, c = lattice().state.T
        return np.asarray(np.exp(self._run(self.second, b, a + b + c) + self._wrong(self.drawn - self.second, ((self.lead, a),), c)))

    def new_right(self) -> Floats:
        """The right answer is the first new one, once there is one."""
        a, b, c = lattice().state.T
        log = self._run(0, b, a + b + c) + self._wrong(self.drawn, ((self.lead, a),), c)
        return np.asarray(np.where((b > 0)[:, None], np.exp(log), 0.0))

    def neither_right(self) -> Floats:
        """By part of the lattice: some of the rest are right."""
        plan = lattice()
        a, b, c = plan.state[plan.row].T
        log = self._run(0, plan.right, a + b + c) + self._wrong(self.drawn, ((self.lead, a), (self.second, b)), c - plan.right)
        return np.asarray(np.exp(log + plan.log_ways[:, None]))

    def _run(self, right: int, more: Ints, size: Ints) -> Floats:
        """(.., nodes) log chance that so many more are right; what the tables do not reach counts as their end, and is not used."""
        before = self.prior.log_runs(np.array([[right]]), np.array([[self.drawn]]))[0, 0]
        draws = np.minimum(self.drawn + size, MAX_DRAWS)[:, None]
        return np.asarray(self.prior.log_runs(np.minimum(right + more[:, None], draws), draws)[:, 0] - before)

    def _wrong(self, wrong: int, classes: tuple[tuple[int, Ints], ...], rest: Ints) -> Floats:
        """(.., nodes) log chance that wrong samples join these classes, of which one of size 0 begins with its first, and the rest."""
        prior = self.prior
        lumped = wrong - sum(size for size, _ in classes)
        log = prior.log_rising[lumped + rest] - prior.log_rising[lumped]
        joined = rest
        for size, more in classes:
            log = log + (prior.log_gamma[size + more] - prior.log_gamma[size])[:, None]
            if not size:
                log = log + np.where(more > 0, 1.0, 0.0)[:, None] * np.log(lumped + np.exp(prior.log_theta))
            joined = joined + more
        return np.asarray(log - prior.log_rising[wrong + joined] + prior.log_rising[wrong])
