"""What an importer is: it recognises a path, and reads it whole or raises.

Rows are read in `records`, and put together in `builder`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.verifiers.extract import Extractor


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user said about the source; None where nothing was said.

    Attributes:
        model: Every outcome is of this model.
        effort: At this thinking effort.
        dataset: Every query is of this data set.
        mapping: From our names to those of the source.
        extract: Reads the answer out of a recorded response.
        repair: Make impossible measurements absent, and say so.
    """

    model: str | None = None
    effort: str | None = None
    dataset: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    extract: Extractor | None = None
    repair: bool = False

    @property
    def made(self) -> frozenset[str]:
        """The names of those that were made, as options are called."""
        named = {"model": self.model, "effort": self.effort, "dataset": self.dataset, "map": self.mapping, "extract": self.extract}
        return frozenset(name for name, value in {**named, "repair": self.repair}.items() if value)


@dataclass(frozen=True, slots=True)
class Imported:
    """A table as it was read.

    Attributes:
        queries: Each once.
        outcomes: All of them of these queries, each key once.
        notes: What was left out, chosen or repaired, one sentence each.
    """

    queries: tuple[Query, ...]
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Importer:
    """One format.

    Attributes:
        name: What `--format` calls it.
        about: What it reads, in a few words.
        takes: The choices that it heeds, by the names of `Choices.made`; others are refused.
        recognises: Whether a path looks like this format; looks at names and at the first row only.
        read: The whole path; raises TableError naming file, row and column.
    """

    name: str
    about: str
    takes: frozenset[str]
    recognises: Callable[[Path], bool]
    read: Callable[[Path, Choices], Imported]
