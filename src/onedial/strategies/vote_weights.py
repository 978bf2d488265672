"""What a vote of each source is worth, learned from labelled outcomes. Pure; the vote itself is `mixture_vote`.

A vote for an answer is evidence of ln(p / ((1 - p) c)): p is how often the source is
right when it answers, c how often two wrong answers are the same one. Where wrong
answers are spread, as in free form, even a source that is mostly wrong is worth
listening to. A source that abstains says nothing.

That would be right if votes erred independently. They do not: samples of one source,
and sources alike, are right and wrong together. So every vote is worth its evidence
over the number of votes it repeats, by their correlation. Two copies of a source
weigh as much as one.

Source: log-odds weights, Nitzan and Paroush 1982 (International Economic Review 23); one accuracy per source and the same chance of
every error, as in Dawid and Skene 1979 (Applied Statistics 28), here from labels and not from agreement. Counting a vote by those it
repeats is ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import fsum, log, sqrt

from onedial.core.arm import Source
from onedial.core.errors import TableError
from onedial.core.outcome import Outcome

POOLED = 4.0
"""Queries' worth of the mean over all sources that every estimate of one source, or of two, is drawn towards."""


@dataclass(frozen=True, slots=True)
class VoteWeights:
    """Learned weights of votes.

    Attributes:
        evidence: Log-odds that one vote of the source adds to its answer, at least 0; a vote never speaks against its own answer.
        shared: Of two sources in either order, or of one twice, the correlation in [0, 1] of two of their votes being right.
    """

    evidence: Mapping[Source, float]
    shared: Mapping[frozenset[Source], float]

    def of(self, votes: Mapping[Source, int]) -> dict[Source, float]:
        """What each vote weighs when this many votes of each source came.

        Raises:
            TableError: No weight was learned for a source; its outcomes were not among those fitted on.
        """
        for source in votes:
            if source not in self.evidence:
                known = ", ".join(map(str, self.evidence)) or "none"
                raise TableError(f"no outcomes of {source} were fitted on; weights are known of: {known}. Collect some and fit again.")
        return {source: self.evidence[source] / self._repeated(source, votes) for source in votes}

    def _repeated(self, source: Source, votes: Mapping[Source, int]) -> float:
        """The number of votes that one of the source's counts for among these, itself included."""
        others = (count * self.shared.get(frozenset({source, other}), 0.0) for other, count in votes.items())
        return max(1.0, 1.0 - self.shared.get(frozenset({source}), 0.0) + fsum(others))


@dataclass(frozen=True, slots=True)
class _Cell:
    """The labelled answers of one source to one query."""

    answered: int
    right: int

    @property
    def share(self) -> float:
        """How many of them were right, as a share."""
        return self.right / self.answered


def fit_vote_weights(outcomes: Iterable[Outcome]) -> VoteWeights:
    """Learn what a vote of each source is worth.

    Every query counts the same, whatever the number of its samples; an answer is right from a score of a half. Fit on other queries
    than those that the weights are judged on.

    Args:
        outcomes: Labelled ones of all sources, in any order. Those without a score are left out; those without an answer abstain.

    Raises:
        TableError: No outcome has both an answer and a score.
    """
    votes = [o for o in outcomes if o.answer is not None and o.score is not None]
    if not votes:
        raise TableError("no outcome has both an answer and a score; weights are learned from such. Grade some outcomes first.")
    cells = _cells(votes)
    shares = {source: [cell.share for cell in by.values()] for source, by in cells.items()}
    mean = fsum(share for each in shares.values() for share in each) / sum(map(len, shares.values()))
    p_right = {source: _probability(_drawn_to(mean, each)) for source, each in shares.items()}
    p_same = p_wrong_agree(votes)
    evidence = {source: max(0.0, log(p / (1 - p) / p_same)) for source, p in p_right.items()}
    return VoteWeights(evidence, _shared(cells, p_right))


def p_wrong_agree(votes: Sequence[Outcome]) -> float:
    """The chance that two wrong answers to a query are the same one, every query with two of them counting once; within (0, 1).

    It is drawn towards a half by one query's worth, so that it is a half where no query has two wrong answers.
    """
    wrong: dict[str, Counter[str]] = {}
    for vote in votes:
        if vote.answer is not None and not _right(vote):
            wrong.setdefault(vote.query_id, Counter())[vote.answer] += 1
    several = [counts for counts in wrong.values() if counts.total() > 1]
    same = [sum(k * (k - 1) for k in counts.values()) / (counts.total() * (counts.total() - 1)) for counts in several]
    return (fsum(same) + 0.5) / (len(same) + 1)


def _cells(votes: Sequence[Outcome]) -> dict[Source, dict[str, _Cell]]:
    found: dict[Source, dict[str, list[bool]]] = {}
    for vote in votes:
        found.setdefault(vote.source, {}).setdefault(vote.query_id, []).append(_right(vote))
    return {source: {query: _Cell(len(each), sum(each)) for query, each in by.items()} for source, by in found.items()}


def _right(vote: Outcome) -> bool:
    return vote.score is not None and vote.score >= 0.5


def _shared(cells: Mapping[Source, Mapping[str, _Cell]], p_right: Mapping[Source, float]) -> dict[frozenset[Source], float]:
    """Correlations, those of one source and those of two each drawn towards the mean of their kind.

    Where no source was sampled twice on a query, samples of one are taken to repeat each other entirely; where no two sources met on a
    query, sources are taken to be independent.
    """
    own = {frozenset({source}): _within(by, p_right[source]) for source, by in cells.items()}
    two = {frozenset({a, b}): _between(cells[a], cells[b], p_right[a], p_right[b]) for a, b in combinations(cells, 2)}
    return {**_pooled(own, 1.0), **_pooled(two, 0.0)}


def _within(by: Mapping[str, _Cell], p: float) -> list[float]:
    """Per query sampled at least twice, an unbiased guess at the correlation of two samples of the source."""
    several = [cell for cell in by.values() if cell.answered > 1]
    pairs = [(cell.right * (cell.right - 1)) / (cell.answered * (cell.answered - 1)) for cell in several]
    return [(both - 2 * p * cell.share + p * p) / (p * (1 - p)) for both, cell in zip(pairs, several, strict=True)]


def _between(a: Mapping[str, _Cell], b: Mapping[str, _Cell], p: float, q: float) -> list[float]:
    """Per query that both answered, an unbiased guess at the correlation of a sample of one and one of the other."""
    scale = sqrt(p * (1 - p) * q * (1 - q))
    return [(a[query].share - p) * (b[query].share - q) / scale for query in a if query in b]


def _pooled(guesses: Mapping[frozenset[Source], Sequence[float]], unknown: float) -> dict[frozenset[Source], float]:
    every = [guess for each in guesses.values() for guess in each]
    mean = fsum(every) / len(every) if every else unknown
    return {key: min(1.0, max(0.0, _drawn_to(mean, each))) for key, each in guesses.items()}


def _drawn_to(mean: float, values: Sequence[float]) -> float:
    """The mean of the values with `POOLED` further ones of the mean over all."""
    return (fsum(values) + POOLED * mean) / (len(values) + POOLED)


def _probability(p: float) -> float:
    """Kept off 0 and 1, where no vote of another source could outweigh it."""
    return min(0.999, max(0.001, p))
