"""The shape of an answer in text, beside its question: what can be seen of a first answer without knowing whether it is right.

Length, numbers shared with the question, sums that do not add up, and whether it comes to an end. One look at a cheap answer often says
more about the gain of a stronger model than the query does. What is made of it is up to a learner; that of queries is in `features`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from onedial.core.outcome import Floats
from onedial.forecasts.features import words_of

ANSWER_SHAPE = (
    "log characters",
    "log words",
    "log lines",
    "log characters over the question's",
    "share of distinct words",
    "ends with a full stop",
    "ends with a number",
    "log numbers",
    "log numbers of the question",
    "share of the question's numbers used",
    "numbers of the question not used",
    "share of numbers from nowhere",
    "numbers with decimals",
    "log largest number over the question's",
    "log last number",
    "last number has decimals",
    "last number stands in the question",
    "last number was computed",
    "last line repeats the last sum",
    "sums",
    "sums that do not add up",
    "hedges",
    "letters as unknowns",
    "marks",
)

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?|\.\d+")
_SUM = re.compile(r"([\d.,\s+\-*/x×÷()$%]{3,60}?)=\s*\$?(-?\d[\d,]*(?:\.\d+)?)")
_STEP = re.compile(r"\d+(?:\.\d+)?|[+\-*/()]")
_HEDGE = re.compile(r"\b(?:assum\w*|however|but|since|if|approximately|about|cannot|not)\b")
_UNKNOWN = re.compile(r"\b[a-z]\b(?<![ai])")
_MARK = re.compile(r"[#*<>\\]")
_ROUNDING = 0.011
_MOST = 1e12


def answer_shapes(questions: Sequence[str], answers: Sequence[str]) -> Floats:
    """Describe answers, (n, len(ANSWER_SHAPE)); an empty answer is described as such."""
    rows = [_shape(question, answer) for question, answer in zip(questions, answers, strict=True)]
    return np.array(rows, dtype=float).reshape(len(rows), len(ANSWER_SHAPE))


def _shape(question: str, answer: str) -> list[float]:
    asked, found, sums = numbers_of(question), numbers_of(answer), sums_of(answer)
    words, text = words_of(answer), answer.strip()
    return [
        math.log1p(len(answer)),
        math.log1p(len(words)),
        math.log1p(answer.count("\n")),
        math.log1p(len(answer)) - math.log1p(len(question)),
        len(set(words)) / max(len(words), 1),
        float(text.endswith((".", "!", "?"))),
        float(bool(words) and words[-1][-1].isdigit()),
        *_numbers(asked, found, {result for _, result in sums}),
        *_end(asked, found, sums),
        float(len(sums)),
        float(sum(abs(value - result) > _ROUNDING * max(1.0, abs(result)) for value, result in sums)),
        float(len(_HEDGE.findall(text.casefold()))),
        float(len(_UNKNOWN.findall(text.casefold()))),
        math.log1p(len(_MARK.findall(text))),
    ]


def _numbers(asked: list[float], found: list[float], results: set[float]) -> list[float]:
    """From `log numbers` to `log largest number over the question's`."""
    given, used = set(asked), set(found)
    return [
        math.log1p(len(found)),
        math.log1p(len(asked)),
        len(given & used) / max(len(given), 1),
        float(len(given - used)),
        len(used - given - results) / max(len(used), 1),
        float(sum(value != int(value) for value in found)),
        math.log1p(max(found, default=0.0)) - math.log1p(max(asked, default=0.0)),
    ]


def _end(asked: list[float], found: list[float], sums: list[tuple[float, float]]) -> list[float]:
    """From `log last number` to `last line repeats the last sum`."""
    if not found:
        return [0.0] * 5
    last = found[-1]
    results = [result for _, result in sums]
    repeats = float(bool(results) and last == results[-1] and found[-2:-1] == [last])
    return [math.log1p(last), float(last != int(last)), float(last in asked), float(last in results), repeats]


def numbers_of(text: str) -> list[float]:
    """Every number in a text, in order, thousands separators read as such; beyond 10^12 they are cut.

    >>> numbers_of("1,200 at $3.50")
    [1200.0, 3.5]
    """
    return [min(float(match.replace(",", "")), _MOST) for match in _NUMBER.findall(text)]


def sums_of(text: str) -> list[tuple[float, float]]:
    """Every `expression = number` in a text that can be worked out, as (its value, the number given).

    >>> sums_of("4 * 2 = 8 and 3 + 4 = 8, so x = 2")
    [(8.0, 8.0), (7.0, 8.0)]
    """
    found = []
    for left, right in _SUM.findall(text):
        value = worked_out(left)
        if value is not None:
            found.append((value, float(right.replace(",", ""))))
    return found


def worked_out(expression: str) -> float | None:
    """Work out +, -, *, / and brackets; None for what is not such an expression, or has no operation in it.

    >>> worked_out("2 x (3 + 4)"), worked_out("12"), worked_out("3 +")
    (14.0, None, None)
    """
    plain = expression.translate(str.maketrans("x×÷$", "**/ ", ",")).replace("%", "/100")
    steps = _STEP.findall(plain)
    if not any(step in "+-*/" for step in steps[1:]) or any(a[0].isdigit() and b[0].isdigit() for a, b in pairwise(steps)):
        return None
    try:
        value, rest = _terms(steps)
    except (IndexError, ValueError, ZeroDivisionError, RecursionError):
        return None
    return value if not rest and math.isfinite(value) else None


def _terms(steps: list[str]) -> tuple[float, list[str]]:
    value, steps = _factors(steps)
    while steps and steps[0] in "+-":
        other, rest = _factors(steps[1:])
        value, steps = (value + other if steps[0] == "+" else value - other), rest
    return value, steps


def _factors(steps: list[str]) -> tuple[float, list[str]]:
    value, steps = _factor(steps)
    while steps and steps[0] in "*/":
        other, rest = _factor(steps[1:])
        value, steps = (value * other if steps[0] == "*" else value / other), rest
    return value, steps


def _factor(steps: list[str]) -> tuple[float, list[str]]:
    if steps[0] == "-":
        value, rest = _factor(steps[1:])
        return -value, rest
    if steps[0] == "(":
        value, rest = _terms(steps[1:])
        if rest[:1] != [")"]:
            raise ValueError
        return value, rest[1:]
    return float(steps[0]), steps[1:]
