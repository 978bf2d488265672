"""Read the answer out of a completion, so that equal answers are equal strings.

Votes are counted on what these return, never on raw text.
"""

from __future__ import annotations

import ast
import json as standard
import re
from collections.abc import Callable, Iterator

from onedial.core.errors import ConfigError, unknown
from onedial.verifiers.equal.structure import read_json

Extractor = Callable[[str], str | None]
"""From the visible text of a completion to its canonical answer; None if there is none."""

_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
_CHOICE = re.compile(r"\b([A-J])\b")
_FENCE = re.compile(r"```[^\S\n]*\w*[^\S\n]*\n(.*?)```", re.DOTALL)
_MOST_BRACKETS = 1000
_BOXED = re.compile(r"\\boxed\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")


def text(completion: str) -> str | None:
    """Take the whole text, white space and case evened out.

    >>> text("  The  Hague ")
    'the hague'
    """
    return " ".join(completion.split()).casefold() or None


def words(completion: str) -> str | None:
    """Take the whole text, white space evened out and case kept; None for an empty one."""
    return " ".join(completion.split()) or None


def number(completion: str) -> str | None:
    """Take the last number, without separators or trailing zeros.

    >>> number("so 1,200.50 dollars")
    '1200.5'
    """
    found = _NUMBER.findall(completion)
    if not found:
        return None
    digits: str = found[-1].replace(",", "").lstrip("+")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def choice(completion: str) -> str | None:
    """Take the last stand-alone capital letter from A to J.

    >>> choice("The answer is (C).")
    'C'
    """
    found = _CHOICE.findall(completion)
    return found[-1] if found else None


def boxed(completion: str) -> str | None:
    r"""Take what stands in the last \boxed{}.

    >>> boxed(r"hence \boxed{\frac{1}{2}}")
    '\\frac{1}{2}'
    """
    found = _BOXED.findall(completion)
    return words(found[-1]) if found else None


def json(completion: str) -> str | None:
    """Take the last JSON object or list, wherever it stands, in one spelling: keys in order, no white space.

    The whole text counts too where it is any JSON value, and what stands in a Markdown fence before what does not.

    >>> json('The person is {"name": "Ada", "age": 36}.')
    '{"age":36,"name":"Ada"}'
    """
    for found in (completion, *reversed(_FENCE.findall(completion)), *_nested(completion)):
        try:
            return standard.dumps(read_json(found), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        except (ValueError, RecursionError):
            continue
    return None


def _nested(text: str) -> Iterator[str]:
    """The last things in brackets, outermost ones first: at most a few, so that a text full of brackets takes no longer."""
    decoder, ends = standard.JSONDecoder(), list[tuple[int, int]]()
    at = 0
    for _ in range(_MOST_BRACKETS):
        begin = min((i for i in (text.find("{", at), text.find("[", at)) if i >= 0), default=-1)
        if begin < 0:
            break
        try:
            at = decoder.raw_decode(text, begin)[1]
            ends.append((begin, at))
        except (ValueError, RecursionError):
            at = begin + 1
    return (text[begin:end] for begin, end in reversed(ends))


def code(completion: str) -> str | None:
    r"""Take the Python in the last Markdown fence, else the whole text if it is Python; white space at line ends is left out.

    >>> code("Here it is:\n```python\ndef one():\n    return 1\n```\nDone.")
    'def one():\n    return 1'
    """
    fenced = _FENCE.findall(completion)
    program = "\n".join(line.rstrip() for line in (fenced[-1] if fenced else completion).strip("\n").splitlines())
    if not fenced:
        try:
            ast.parse(program)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    return program or None


EXTRACTORS: dict[str, Extractor] = {
    "text": text,
    "words": words,
    "number": number,
    "choice": choice,
    "boxed": boxed,
    "json": json,
    "code": code,
}


def named_extractor(name: str) -> Extractor:
    """Look an extractor up.

    Raises:
        ConfigError: None has this name.
    """
    if name not in EXTRACTORS:
        raise ConfigError(unknown("extractor", name, EXTRACTORS))
    return EXTRACTORS[name]
