"""Any CSV, JSON lines or Parquet file with one row per sample, its columns mapped to ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from onedial.core.errors import ConfigError, TableError, unknown
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.evals.importers.builder import Builder
from onedial.evals.importers.contract import Choices, Imported, Importer
from onedial.evals.importers.records import Record, first_record, read_records
from onedial.runtime.columns import MEASURED, OUTCOME_COLUMNS, QUERY_COLUMNS

OURS = QUERY_COLUMNS | OUTCOME_COLUMNS
KEYS = ("query_id", "prompt")
_MEASURES = [field.name for field in fields(Outcome)][4:]


def recognises(path: Path) -> bool:
    """Whether a file names our key columns as we do."""
    record = first_record(path)
    return record is not None and {"query_id", "model", "score"} <= set(record.values)


def read(path: Path, choices: Choices) -> Imported:
    """Read one file; a column that is not mapped means what it is called."""
    for ours in choices.mapping:
        if ours not in OURS:
            raise ConfigError(f"--map {ours}={choices.mapping[ours]}: {unknown('column', ours, OURS)}")
    records, builder, repaired = read_records(path), Builder(), dict[str, int]()
    columns = {ours: choices.mapping.get(ours, ours) for ours in OURS}
    records.require(*choices.mapping.values(), columns["score"])
    if not {columns[key] for key in KEYS} & set(records.names):
        raise TableError(f"{path} has neither 'query_id' nor 'prompt'; it has {', '.join(records.names)}. Use --map query_id=COLUMN.")
    if choices.model is None:
        records.require(columns["model"])
    for record in records.rows:
        query = _query(record, columns, choices)
        builder.query(query, record.place)
        builder.outcome(_outcome(record, columns, query, choices, builder, repaired), record.place)
    ignored = [name for name in records.names if name not in columns.values()]
    notes = [f"{path}, column {name!r}: {count} impossible values were made absent." for name, count in repaired.items()]
    return builder.imported(path, notes + ([f"Columns that mean nothing here were left out: {', '.join(ignored)}."] if ignored else []))


def _query(record: Record, columns: Mapping[str, str], choices: Choices) -> Query:
    """The query of a row; without an id of its own its id is a digest of its prompt."""
    system, reference, dataset = (record.cell(columns[name], OURS[name]) for name in ("system", "reference", "dataset"))
    query_id, prompt = (record.cell(columns[key], OURS[key]) for key in KEYS)
    dataset = choices.dataset or dataset or ""
    if prompt is None or not prompt.strip():
        if query_id is None:
            raise record.place.wrong(columns["query_id"], "an id, or a prompt to make one of", None)
        return Query.without_text(query_id, reference, dataset)
    if query_id is None:
        return Query.of(prompt, system=system or "", reference=reference, dataset=dataset)
    return Query(query_id, prompt, system or "", reference, dataset)


def _outcome(
    record: Record, columns: Mapping[str, str], query: Query, choices: Choices, builder: Builder, repaired: dict[str, int]
) -> Outcome:
    """The outcome of a row; without a sample index it is the next one of its query, model and effort."""
    model = choices.model or record.needed(columns["model"], OURS["model"])
    effort = choices.effort or record.cell(columns["effort"], OURS["effort"])
    index = record.cell(columns["sample_index"], OURS["sample_index"])
    values = {name: _measure(record, name, columns[name], choices.repair, repaired) for name in _MEASURES}
    if choices.extract and values["answer"] is not None:
        values["answer"] = choices.extract(str(values["answer"]))
    return Outcome(query.id, model, effort, builder.next_index(query.id, model, effort) if index is None else index, **values)


def _measure(record: Record, name: str, column: str, repair: bool, repaired: dict[str, int]) -> Any:
    try:
        return record.cell(column, OURS[name])
    except TableError:
        if not (repair and name in MEASURED):
            raise
        repaired[column] = repaired.get(column, 0) + 1
        return None


IMPORTER = Importer(
    "mapped",
    "CSV, JSON lines or Parquet with one row per sample; --map OURS=THEIRS names its columns",
    frozenset(("model", "effort", "dataset", "map", "extract", "repair")),
    recognises,
    read,
)
