"""Unit tests as a judge: a program is right if it passes the tests that stand in the query.

Tests are read out of the query's own text: lines that begin with `assert`, and examples that begin with `>>>`. They are run by
the sandbox, which is asked like a model, for nothing, so that a run never holds up whoever waits for another. What tests
were held back as the reference is for grading and never seen here.

Source: filtering by the tests in the prompt, Li 2203.07814 (AlphaCode).
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Sequence

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.core.query import Message, Query
from onedial.core.steps import Steps
from onedial.verifiers.extract import code
from onedial.verifiers.judges.contract import Judge, Verdicts, one_by_one
from onedial.verifiers.judges.reward import EMPTY, rewards

SANDBOX = Source("sandbox")
_ASSERTION = re.compile(r"^\s*(assert\b.+)$", re.MULTILINE)


def unit_tests(source: Source = SANDBOX) -> Judge:
    """Make the judge that gives 1 to a program that passes the query's tests and 0 to any other; no score where the query has none.

    Args:
        source: The sandbox.
    """

    def judge(query: Query, candidates: Sequence[Candidate]) -> Steps[Verdicts]:
        tests = stated_tests(query.prompt)
        if not tests:
            return Verdicts((None,) * len(candidates))

        def question(candidate: Candidate, asked: int) -> Sample:
            told = (*query.messages, Message("assistant", code(candidate.text) or EMPTY), Message("user", tests))
            return Sample(query.id, source, told, 1, asked, judging=True)

        return (yield from one_by_one(query, candidates, question, lambda said: next(iter(rewards(said) or ()), None)))

    return judge


def stated_tests(text: str) -> str:
    r"""The tests that stand in a text, as Python; '' without any.

    >>> print(stated_tests("Write add. It must satisfy:\nassert add(1, 2) == 3\n>>> add(2, 2)\n4"))
    assert add(1, 2) == 3
    assert repr(add(2, 2)) == '4'
    """
    found = [line for line in map(str.strip, _ASSERTION.findall(text)) if _calls(line)]
    return "\n".join((*found, *_examples(text)))


def _examples(text: str) -> list[str]:
    """Examples that show a value as tests of it, and the statements between them as they are."""
    try:
        listed = doctest.DocTestParser().get_examples(text)
    except ValueError:  # white space that fits no example
        return []
    found = []
    for example in listed:
        source, wanted = example.source.strip(), example.want.strip()
        if wanted and _is_python(source, "eval"):
            found.append(f"assert repr({source}) == {wanted!r}")
        elif not wanted and _is_python(source):
            found.append(source)
    return found if any(line.startswith("assert ") for line in found) else []


def _calls(line: str) -> bool:
    """Whether it is Python that calls something; English may begin with `assert` too."""
    return _is_python(line) and any(isinstance(node, ast.Call) for node in ast.walk(ast.parse(line)))


def _is_python(text: str, mode: str = "exec") -> bool:
    try:
        ast.parse(text, mode=mode)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
