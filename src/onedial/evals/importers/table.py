"""This project's own outcome tables: a folder with `queries.parquet` and `outcomes.parquet`."""

from __future__ import annotations

from pathlib import Path

from onedial.evals.importers.contract import Choices, Imported, Importer
from onedial.runtime.table import OUTCOMES, QUERIES, read_table


def recognises(path: Path) -> bool:
    """Whether either file is there, or is what is named."""
    return path.name in (QUERIES, OUTCOMES) or (path / QUERIES).exists() or (path / OUTCOMES).exists()


def read(path: Path, choices: Choices) -> Imported:
    """Read both files, the folder or one of them being named."""
    table = read_table(path.parent if path.suffix == ".parquet" else path, repair=choices.repair)
    notes = list(table.repaired)
    if table.without_prompt:
        said = f"{len(table.without_prompt):,} of {len(table.queries):,} queries have no prompt"
        notes.append(f"{said}: their outcomes are kept, and forecasts cannot tell them apart.")
    return Imported(table.queries, table.outcomes, tuple(notes))


IMPORTER = Importer("table", "folder with queries.parquet and outcomes.parquet", frozenset(("repair",)), recognises, read)
