"""Judge answers to the lab's questions, from the text of the question alone."""

from __future__ import annotations

from onedial.core.query import Query
from onedial.lab.families import check, verify


def lab_checker(query: Query, answer: str) -> float | None:
    """Score an answer where checking is cheaper than solving: 1 or 0; None where it is not, or for a foreign question.

    This is a verifier in the sense of `onedial.verifiers.verifier`.
    """
    verdict = verify(query.prompt, answer)
    return None if verdict is None else float(verdict)


def grade(prompt: str, answer: str | None) -> float:
    """Grade an answer exactly, 1 or 0; no answer is wrong. For labels, never for choosing."""
    return float(answer is not None and check(prompt, answer))
