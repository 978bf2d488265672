"""AB-MCTS: wider or deeper? Each time either a fresh answer or one that improves on an earlier answer, whichever has paid off.

Nodes are whole answers, so no text is continued. What scores an answer has is observed where it was made and all the way up;
Thompson sampling from Beta posteriors decides at every node whether to make another answer there, or to go to one of its children,
and, where several models are given, which of them is asked.

Source: Inoue 2503.04412, AB-MCTS-A with node aggregation and Beta posteriors; several models, the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import TypeVar

from onedial.core.answer import Answer, Candidate
from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.best_of_n import highest
from onedial.strategies.draw import Drawn, Reading, conclude, judged, plurality, put
from onedial.strategies.follow_up import follow_up
from onedial.strategies.revision_chain import REQUEST
from onedial.verifiers.process import in_range

C = TypeVar("C")

PRIOR = 0.5
"""Both counts of the Beta prior."""


@dataclass(slots=True)
class Odds:
    """A Beta posterior of the scores that a choice leads to."""

    good: float = PRIOR
    bad: float = PRIOR

    def observe(self, score: float | None) -> None:
        """Count a score in [0, 1]; no score is no observation."""
        if score is not None:
            self.good, self.bad = self.good + score, self.bad + 1 - score


@dataclass(slots=True)
class Node:
    """An answer, or the query itself at the root.

    Attributes:
        text: The answer's text; None at the root.
        wider: Of making another answer here.
        deeper: Of going to one of the children.
        models: Of each source, when an answer is made here.
        below: Of this answer and all below it.
        children: Answers made here.
    """

    text: str | None
    wider: Odds = field(default_factory=Odds)
    deeper: Odds = field(default_factory=Odds)
    models: dict[Source, Odds] = field(default_factory=dict)
    below: Odds = field(default_factory=Odds)
    children: list[Node] = field(default_factory=list)


def ab_mcts(query: Query, source: Source, n: int, reading: Reading, others: Sequence[Source] = ()) -> Steps[Answer]:
    """Make `n` answers, each fresh or improving on an earlier one; the plurality among the highest-scored is the answer.

    Args:
        query: What to answer.
        source: Who is asked.
        n: Answers at most, one ask each.
        reading: Its verifier, or its judge, scores every answer as it comes; without scores chance decides, seeded by the query's id.
        others: Further sources that may be asked.
    """
    root, rng, drawn, asked = Node(None), Random(f"ab-mcts {query.id}"), list[Drawn](), Counter[Source]()
    sources = tuple(dict.fromkeys((source, *others)))
    while asked.total() < n:
        path = _descent(root, rng)
        text, chosen = path[-1].text, _likeliest(sources, [_odds(path[-1], each) for each in sources], rng)
        messages = query.messages if text is None else follow_up(query, [text], REQUEST)
        made = yield from put(query, Sample(query.id, chosen, messages, 1, asked[chosen]), reading)
        asked[chosen] += 1
        first, *judging = yield from judged(query, [made], reading)
        candidates = tuple(replace(c, score=in_range(c.score)) for c in first.candidates)
        drawn += [replace(first, candidates=candidates), *judging]
        if not candidates:
            break
        _grow(path, chosen, candidates[0])
    return _concluded(drawn, n, reading)


def _concluded(drawn: Sequence[Drawn], n: int, reading: Reading) -> Answer:
    candidates = [c for d in drawn for c in d.candidates]
    blind = "" if any(c.score is not None for c in candidates) else ", none of them scored, so chance alone said where to go on"
    return conclude(drawn, plurality(highest(candidates), reading.equal), f"{len(candidates)} of {n} answers are in{blind}")


def _descent(root: Node, rng: Random) -> list[Node]:
    """From the root to the answer at which another one is made."""
    path = [root]
    while path[-1].children and _draw(path[-1].deeper, rng) > _draw(path[-1].wider, rng):
        children = path[-1].children
        path.append(_likeliest(children, [child.below for child in children], rng))
    return path


def _grow(path: Sequence[Node], source: Source, made: Candidate) -> None:
    """Add an answer below the last node of a path, and let every node of it observe the score."""
    score, child = in_range(made.score), Node(made.text)
    path[-1].children.append(child)
    path[-1].wider.observe(score)
    _odds(path[-1], source).observe(score)
    for node in path[:-1]:
        node.deeper.observe(score)
    for node in (*path, child):
        node.below.observe(score)


def _odds(node: Node, source: Source) -> Odds:
    return node.models.setdefault(source, Odds())


def _draw(odds: Odds, rng: Random) -> float:
    return rng.betavariate(odds.good, odds.bad)


def _likeliest(choices: Sequence[C], odds: Sequence[Odds], rng: Random) -> C:
    """The choice of the highest draw; nothing is drawn for one alone."""
    return choices[0] if len(choices) == 1 else max(zip(choices, odds, strict=True), key=lambda pair: _draw(pair[1], rng))[0]
