"""Check what the embedded models write step by step, from the text of the question alone.

A chain's step is right if it says what the chain has come to; a walk's, if its place lies on the way; an attempt at a subset, if
its sums are right and it says rightly whether they are what was wanted. A step that is not complete is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from onedial.core.query import Query
from onedial.lab.arith import Arith
from onedial.lab.client import ANSWER_ROOM
from onedial.lab.facts import Facts
from onedial.lab.families import family_of
from onedial.lab.path import Path
from onedial.lab.subset import Subset
from onedial.lab.swap import Swap
from onedial.lab.tasks import proposal_in
from onedial.verifiers.process import Process, ProcessScorer, unscored

STEP_TOKENS = ANSWER_ROOM + 8
"""Of one step at most: two of a chain's longest steps, with room for an answer behind the last."""
FARTHEST = 3
"""Roads that a short thought of a walk passes over at most."""
_STEP = re.compile(r"#(\d+)((?: [^#\s]+)*)")
_VALUE = re.compile(r"\d|[A-Z]")
_CUTS = {
    "#": re.compile(r"\s+(?=#)"),
    "+": re.compile(r"(?<=\bno)|(?<=\bok)"),
    "": re.compile(r"(?=\s+\S)"),
}
"""Where steps part: before a numbered one, behind a verdict, and between any words, by what is in the text."""


def lab_process(score: ProcessScorer = unscored) -> Process:
    """How searches draw steps of the embedded models; `lab_step_checker` scores them, and any other scorer may."""
    return Process(score, tokens=STEP_TOKENS, parts=parts, mid_part=True)


def lab_step_checker(query: Query, text: str) -> float | None:
    """Score a text so far: 1 if all complete steps are right, 0 if one is wrong, None if there is none or for a foreign question.

    An answer that follows is part of it: it must be what the steps come to, and is not judged where they do not come to an end.
    """
    thought, _, answer = text.partition("\n\n")
    if proposal_in(query.prompt) is not None:
        return None
    match family_of(query.prompt):
        case Arith() | Swap() | Facts() as task:
            verdict = chain(task.states(query.prompt), thought, answer, (1, 4) if isinstance(task, Facts) else (1, 3))
        case Path() as task:
            verdict = walk(*task.walk(query.prompt), thought, answer)
        case Subset() as task:
            verdict = attempts(task.asked(query.prompt), thought) and (task.check(query.prompt, answer) if answer else True)
        case _:
            return None
    return None if verdict is None else float(verdict)


def parts(text: str) -> list[str]:
    """Split a thought into its steps, so that they join to it.

    >>> parts("#1 4 #2 7"), parts("A B"), parts("3 + 4 = 7 no 5 + 9")
    (['#1 4', ' #2 7'], ['A', ' B'], ['3 + 4 = 7 no', ' 5 + 9'])
    """
    cuts = next(cut for mark, cut in _CUTS.items() if mark in text)
    edges = [*(found.start() for found in cuts.finditer(text) if 0 < found.start() < len(text)), len(text)]
    return [text[i:j] for i, j in zip([0, *edges], edges, strict=False) if text[i:j].strip()]


def chain(states: Sequence[str], thought: str, answer: str, lengths: tuple[int, int]) -> bool | None:
    """Whether numbered steps say what a chain comes to.

    Args:
        states: What it comes to after every step.
        thought: The steps, each its number and some words, the last of which is what it came to.
        answer: What follows; '' if nothing does.
        lengths: Words behind the number of a complete step: the value alone, or with all that it rests on.
    """
    steps = [(int(number), words.split()) for number, words in _STEP.findall(thought)]
    length = lengths[any(len(words) > lengths[0] for _, words in steps)]
    if steps and (len(steps[-1][1]) != length or not _VALUE.fullmatch(steps[-1][1][-1])):
        steps.pop()
    if not steps:
        return None
    if not all(words and 0 < k <= len(states) and words[-1] == states[k - 1] for k, words in steps):
        return False
    if answer:
        return answer.strip() == states[-1] if steps[-1][0] == len(states) else None
    return True


def walk(places: Sequence[str], end: str, thought: str, answer: str) -> bool | None:
    """Whether a walk, or every second or third place of it, is on the way along `places` towards `end`."""
    here, said = 0, thought.split()
    if not places or not said or said[0] in ("yes", "no"):
        return None
    for k, place in enumerate(said):
        reach = places[here + 1 : here + 1 + FARTHEST] if k else places[:1]
        if place not in reach:
            return False
        here += reach.index(place) + 1 if k else 0
    if answer:
        return answer.strip() == ("yes" if said[-1] == end else "no") if here == len(places) - 1 else None
    return True


def attempts(asked: tuple[frozenset[str], int] | None, thought: str) -> bool | None:
    """Whether every complete attempt adds up numbers that were given, each once, and says rightly whether the sum is the target."""
    if asked is None:
        return None
    found = [attempt.split() for attempt in parts(thought) if attempt.split()[-1] in ("no", "ok")] if "+" in thought else []
    return all(_adds_up(words, *asked) for words in found) if found else None


def _adds_up(words: Sequence[str], numbers: frozenset[str], target: int) -> bool:
    """Check one attempt, as in `3 + 17 = 20 + 5 = 25 no`."""
    sums, picked = words[:1], words[:1]
    for plus, number, equals, total in zip(words[1::4], words[2::4], words[3::4], words[4::4], strict=False):
        if (plus, equals) != ("+", "=") or not (sums[-1] + number + total).isdigit() or int(sums[-1]) + int(number) != int(total):
            return False
        sums, picked = [*sums, total], [*picked, number]
    whole = len(words) % 4 == 2 and len(picked) > 1 and set(picked) <= numbers and len(set(picked)) == len(picked)
    return whole and (words[-1] == "ok") == (int(sums[-1]) == target)
