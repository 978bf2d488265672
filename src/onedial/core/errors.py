"""The errors of onedial, drawn once.

OnedialError
├── ConfigError        the configuration is wrong; fix the file or the option
├── QueryError         the question cannot be asked as it stands
├── TableError         outcome data or a file of prompts is malformed
├── ModelError         a model or its endpoint failed after all retries
├── BudgetExhausted    an ask would exceed what is left of the budget
└── TargetUnreachable  no policy on this pool reaches the target

Every message says what was found, what was expected, and what to do next.
A failure is never an answer, a zero score or a silently cheaper model.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class OnedialError(Exception):
    """Root of every error that onedial raises on purpose."""


class ConfigError(OnedialError):
    """The configuration is wrong."""


class QueryError(OnedialError):
    """The question cannot be asked: empty, too long, or of the wrong form."""


class TableError(OnedialError):
    """Outcome data or a file of prompts is malformed."""


class ModelError(OnedialError):
    """A model or its endpoint failed, and retrying did not help."""


class BudgetExhausted(OnedialError):
    """An ask would exceed what is left of the budget."""


class TargetUnreachable(OnedialError):
    """No policy on this pool reaches the target."""


def first_of(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error in a group, however deep it lies."""
    first: BaseException = errors
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


def unknown(noun: str, found: str, known: Iterable[str]) -> str:
    """Say that a name is not known, list the known ones, and guess the one meant.

    >>> unknown("strategy", "best_of_m", ["direct", "best_of_n"])
    "unknown strategy 'best_of_m'. Known: best_of_n, direct. Did you mean 'best_of_n'?"
    """
    names = sorted(known)
    close = difflib.get_close_matches(found, names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"unknown {noun} {found!r}. Known: {', '.join(names) or 'none'}.{hint}"
