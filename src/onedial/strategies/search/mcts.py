"""Monte Carlo tree search over steps: go on where answers have come out well, or where little was tried.

A completion that runs to its end is expansion and simulation in one: its first part becomes the new text of the tree, its
answer what the simulation came to. So nothing that is paid for is only looked at, and every completion can be the answer.

Source: UCT, Kocsis & Szepesvari 2006; over steps of language models, as in 2309.17179 and 2406.03816.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log, sqrt

from onedial.core.answer import Answer
from onedial.core.arm import Source
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Reading
from onedial.strategies.search.growth import ROOT, Growth, Text, best_answer

BRANCHES = 3
"""Completions drawn behind a text, in one ask, before the search goes deeper."""
EXPLORATION = sqrt(2)
"""Weight of the bound in UCB1, for rewards in [0, 1]."""


@dataclass(slots=True)
class Node:
    """A text in the tree, with what came of it: `total` is the sum of the rewards of `visits` completions."""

    text: Text
    visits: int = 0
    total: float = 0.0
    children: list[Node] = field(default_factory=list)
    expanded: bool = False

    @property
    def closed(self) -> bool:
        """Whether nothing can be added below."""
        return self.text.ended or (self.expanded and all(child.closed for child in self.children))


def tree_search(
    query: Query, source: Source, n: int, reading: Reading, branches: int = BRANCHES, exploration: float = EXPLORATION
) -> Steps[Answer]:
    """Draw `n` completions, each to its end, behind texts chosen by UCT; the plurality among the highest-scored answers is taken.

    The reward of a completion is its score, or 0.5 where it has none. Where all texts of the tree have ended, more are drawn at the root.
    """
    growth, root = Growth(query, source, n, reading), Node(ROOT)
    while growth.left:
        path = _descent(root, exploration)
        for text in (yield from growth.finish(path[-1].text, branches)):
            _credit([*path, _child(path[-1], growth.first_part(text, path[-1].text))], text.value)
        path[-1].expanded = True
    return (yield from growth.conclude(best_answer, f"of {_size(root)} beginnings"))


def _descent(root: Node, exploration: float) -> list[Node]:
    """From the root to a text that has not been expanded, by the highest bound among children that can be added to."""
    path = [root]
    while path[-1].expanded and not path[-1].closed:
        parent = path[-1]
        path.append(max((child for child in parent.children if not child.closed), key=lambda c: bound(c, parent.visits, exploration)))
    return path


def bound(node: Node, visits: int, exploration: float) -> float:
    """The upper bound of a node's mean reward whose parent has these visits."""
    return node.total / node.visits + exploration * sqrt(log(visits) / node.visits)


def _child(parent: Node, text: Text) -> Node:
    """The child that says this text, a new one if there is none."""
    for child in parent.children:
        if (child.text.whole, child.text.ended) == (text.whole, text.ended):
            return child
    parent.children.append(Node(text))
    return parent.children[-1]


def _credit(path: Sequence[Node], reward: float) -> None:
    for node in path:
        node.visits += 1
        node.total += reward


def _size(node: Node) -> int:
    return sum(1 + _size(child) for child in node.children)
