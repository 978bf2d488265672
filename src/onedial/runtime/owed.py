"""What an ask that ended in an exception has cost all the same: the exception carries it from the client to the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from onedial.core.answer import Spend
from onedial.core.errors import OnedialError

_ATTRIBUTE = "__onedial_owed__"


def owe(error: BaseException, spend: Spend) -> None:
    """Say on an exception what was spent before it; said again, the last holds."""
    setattr(error, _ATTRIBUTE, spend)


def owed(error: BaseException) -> Spend | None:
    """What was spent before an exception; an error of onedial's that tells nothing cost nothing, of any other None: it is not known.

    >>> owed(OnedialError()) == Spend(), owed(ValueError()) is None
    (True, True)
    """
    spend = getattr(error, _ATTRIBUTE, None)
    return spend if isinstance(spend, Spend) else Spend() if isinstance(error, OnedialError) else None


@contextmanager
def owing_too(spend: Spend) -> Iterator[None]:
    """Add what was spent earlier to what an exception tells; one that does not tell stays as it is."""
    try:
        yield
    except BaseException as error:
        if (told := owed(error)) is not None:
            owe(error, spend + told)
        raise
