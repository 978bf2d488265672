"""How things are printed: results on standard output, for people or as one JSON object; progress and errors on standard error."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from onedial.core.arm import Arm, Source
from onedial.core.errors import OnedialError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.table import Table

    from onedial.engine.collect import Report
    from onedial.engine.ladders import Progress


def screen(least: int = 0) -> Console:
    """Where results go, at least so many columns wide: what is wider than a terminal wraps, where else it would be cut."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.width >= least else Console(highlight=False, width=least)


def aside() -> Console:
    """Where progress, warnings and errors go."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def write_json(value: Any, *, to_stderr: bool = False) -> None:
    """Print one JSON object."""
    typer.echo(json.dumps(plain(value), indent=2, allow_nan=False), err=to_stderr)


def plain(value: Any) -> Any:
    """Turn a result into what JSON can hold: arms and sources as their ids, a number that is not finite as null.

    >>> plain({"arm": Arm(Source("small", "2")), "costs": (0.5, math.inf)})
    {'arm': 'small/think=2', 'costs': [0.5, None]}
    """
    if isinstance(value, (Arm, Source, Path)):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one) for one in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def show_error(error: OnedialError, *, as_json: bool) -> None:
    """Print what is wrong and what to do, on standard error."""
    kind = type(error).__name__
    if as_json:
        write_json({"error": {"kind": kind, "message": str(error)}}, to_stderr=True)
        return
    from rich.text import Text

    aside().print(Text.assemble((kind, "bold red"), f": {error}"), soft_wrap=True)


def warn(text: str) -> None:
    """Print a sentence that is no error, on standard error."""
    from rich.text import Text

    aside().print(Text(text, "yellow"), soft_wrap=True)


@contextmanager
def stages() -> Iterator[Progress]:
    """Show a bar for each kind of work while it is under way; nothing where standard error is no terminal."""
    with bars() as shown:
        tasks: dict[str, Any] = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=total)
            shown.update(tasks[what], completed=done, total=total)

        yield told


def bars(*columns: str) -> Bars:
    """Progress bars that vanish when they are done; `columns` are templates shown after the count. Off a terminal there are none."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    more, console = [TextColumn(column) for column in columns], aside()
    every = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), *more, TimeRemainingColumn())
    return Progress(*every, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def collecting(*, costs: bool) -> Iterator[Callable[[Report], None]]:
    """Show how far collecting is and how fast it goes, and what it has cost if `costs`; the function yielded is told of every report."""
    with bars("{task.fields[rate]} samples/s", *(["{task.fields[spent]}"] if costs else [])) as shown:
        task = shown.add_task("collect", total=None, rate="–", spent=usd(0))

        def told(report: Report) -> None:
            rate = report.stored / max(shown.tasks[0].elapsed or 0.0, 1e-9)
            done = report.present + report.stored
            shown.update(task, total=report.wanted, completed=done, rate=f"{rate:,.0f}", spent=spent(report.spent_usd, report.bounded))

        yield told


def listing(first: str, numbers: Sequence[str], last: str = "") -> Table:
    """A table without lines: names on the left, numbers to the right of them, text in the last column if it has a name."""
    from rich.table import Column, Table

    columns = [Column(first, no_wrap=True), *(Column(name, justify="right") for name in numbers)]
    if last:
        columns.append(Column(last))
    return Table(*columns, box=None, pad_edge=False, header_style="dim", title_justify="left")


def cores() -> int:
    """How many processes long work may use: one per core that this process may run on."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def usd(amount: float) -> str:
    """Write an amount to three digits.

    >>> usd(0.0123456), usd(2.5e-9), usd(1234.5), usd(0)
    ('$0.0123', '$2.5e-09', '$1,234', '$0')
    """
    return f"${amount:,.0f}" if amount >= 1000 else f"${amount:.3g}"


def spent(amount_usd: float, bounded: bool) -> str:
    """Write what was spent; where a part of it is an upper bound, because an endpoint reported nothing, say so.

    >>> spent(0.5, False), spent(0.5, True)
    ('$0.5', 'at most $0.5')
    """
    return f"at most {usd(amount_usd)}" if bounded else usd(amount_usd)


def percent(share: float) -> str:
    """Write a share in percent, to a tenth.

    >>> percent(0.9251)
    '92.5 %'
    """
    return f"{100 * share:.1f} %"


def counted(n: int, noun: str) -> str:
    """Write a count with its noun, an s added where there is not one.

    >>> counted(1, "call"), counted(2000, "call")
    ('1 call', '2,000 calls')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
