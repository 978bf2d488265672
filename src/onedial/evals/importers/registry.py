"""The importers by name, and which of them a path is for."""

from __future__ import annotations

from pathlib import Path

from onedial.core.errors import ConfigError, TableError, unknown
from onedial.evals.importers import inspect_log, lm_eval, mapped, routellm, routerbench, table
from onedial.evals.importers.contract import Choices, Imported, Importer

AUTO = "auto"
IMPORTERS: dict[str, Importer] = {
    importer.name: importer
    for importer in (
        table.IMPORTER,
        inspect_log.IMPORTER,
        lm_eval.IMPORTER,
        routerbench.IMPORTER,
        routellm.IMPORTER,
        mapped.IMPORTER,
    )
}
"""In the order in which they are tried."""


def importer_for(path: Path, form: str = AUTO, *, mapping: bool = False) -> Importer:
    """Find the importer of a format, or of what a path looks like.

    Args:
        path: A file or a folder.
        form: Key of `IMPORTERS`, or `auto`.
        mapping: Whether columns are mapped, which settles it for a file that nothing else recognises.

    Raises:
        ConfigError: There is no such format.
        TableError: There is nothing at the path, or it looks like nothing that is known.
    """
    if form != AUTO and form not in IMPORTERS:
        raise ConfigError(unknown("format", form, (AUTO, *IMPORTERS)))
    if not path.exists():
        raise TableError(f"there is nothing at {path}; expected a directory that holds queries.parquet and outcomes.parquet, or a file.")
    if form != AUTO:
        return IMPORTERS[form]
    for importer in IMPORTERS.values():
        if importer.recognises(path):
            return importer
    if mapping and path.is_file():
        return mapped.IMPORTER
    known = "; ".join(f"{importer.name} ({importer.about})" for importer in IMPORTERS.values())
    raise TableError(f"{path} looks like no format that is known: {known}. Name one with --format, and columns with --map.")


def import_path(path: Path, importer: Importer, choices: Choices) -> Imported:
    """Read a path whole.

    Raises:
        ConfigError: A choice was made that this format does not heed; nothing is ignored silently.
        TableError: What is there is malformed.
    """
    unheeded = sorted(choices.made - importer.takes)
    if unheeded:
        heeds = ", ".join(f"--{name}" for name in sorted(importer.takes)) or "none"
        raise ConfigError(f"--{unheeded[0]} means nothing to the format {importer.name}; it heeds {heeds}. Leave it out.")
    return importer.read(path, choices)
